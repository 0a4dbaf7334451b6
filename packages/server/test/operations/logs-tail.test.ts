import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { logIn, managementAt, tokenFor } from './calls.ts';
import { run, runToEnd } from './command.ts';

let server: ServerProcess;
let manage: ReturnType<typeof managementAt>;
beforeAll(async () => {
  // Executions happen in other processes than the one that the command asks.
  server = await startServerProcess({ env: { GATEWRIGHT_WORKERS: '2' } });
  manage = managementAt(server.httpOrigin, await tokenFor(server.httpOrigin, server.firstRun));
});
afterAll(() => server.stop());

const tail = (...args: string[]) =>
  [['logs', 'tail', ...args], { env: { GATEWRIGHT_DATA_DIR: server.dataDir } }] as const;
const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));

describe('gatewright logs tail', () => {
  it('shows what rules print while people log in, and ends with Ctrl+C', async () => {
    await manage('PUT', '/rules-configs/API_KEY', { value: 'sk_live_0123456789' });
    const script =
      "function (user, context, callback) { console.log('hello', user.email, configuration.API_KEY); callback(null); }";
    expect((await manage('POST', '/rules', { name: 'greets', script, enabled: true })).status).toBe(201);
    const following = run(...tail('--console', '--lines', '0'));
    const asJson = run(...tail('--console', '--json', '--lines', '0'));
    // Both follow once they show an event that comes after they began.
    let round = 0;
    while (!following.printed().includes('greets') || !asJson.printed().includes('"console"')) {
      if (++round > 60) throw new Error(`Nothing is shown:\n${following.printed()}`);
      expect((await logIn(server.httpOrigin, server.firstRun)).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    expect(await following.end('SIGINT')).toMatchObject({ code: 0 });
    expect(following.printed()).toMatch(
      new RegExp(`^\\S+ \\S+ {2}console {3}greets: hello ${server.firstRun.user.email} \\*{5}$`, 'm'),
    );
    expect(await asJson.end('SIGINT')).toMatchObject({ code: 0 });
    expect(jsonLines(asJson.printed()).find(({ type }) => type === 'console')).toMatchObject({
      kind: 'rules',
      outcome: 'ok',
      lines: [{ level: 'log', text: `hello ${server.firstRun.user.email} *****`, part: { name: 'greets' } }],
    });
    expect(following.printed() + asJson.printed()).not.toContain('sk_live');
  });

  it('shows the newest events of the types that are asked for, as the Management API has them', async () => {
    await manage('POST', '/roles', { name: 'Tailed' });
    const { code, printed } = await runToEnd(...tail('--no-follow', '--type', 'sapi', '--lines', '1', '--json'));
    const [newest] = Object.values((await manage('GET', '/logs?q=type:sapi&per_page=1')).body);
    expect({ code, records: jsonLines(printed) }).toEqual({ code: 0, records: [newest] });
  });

  it('shows a line for people', async () => {
    const { code, printed } = await runToEnd(...tail('--no-follow', '--type', 'sapi', '--lines', '1'));
    expect({ code, printed }).toEqual({
      code: 0,
      printed: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}sapi {6}Create a role, client .+\n$/),
    });
  });

  it.each([
    [['--type', 'nonsense'], /'nonsense' is no type of log events/],
    [['--tenant', 'nowhere'], /nowhere/],
    [['--lines', 'x'], /no number from 0 to 9999/],
  ])('says what is wrong with %s, and ends with 1', async (args, words) => {
    const { code, printed } = await runToEnd(...tail(...args));
    expect({ code, printed }).toEqual({ code: 1, printed: expect.stringMatching(words) });
  });

  it('leaves the server as it was when who follows is gone', async () => {
    const following = run(...tail('--lines', '1', '--json'));
    await following.says('{');
    await following.end('SIGKILL');
    expect((await logIn(server.httpOrigin, server.firstRun)).status).toBe(200);
    expect(server.log()).not.toMatch(/error/i);
  });
});
