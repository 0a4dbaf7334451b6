import { afterAll, beforeAll, expect, it } from 'vitest';
import { followLog } from '../../src/cli/follow-log.ts';
import { startControlServer } from '../../src/control/control-server.ts';
import type { ControlStream } from '../../src/control/control-stream.ts';
import type { Json } from '../../src/kit/json-values.ts';
import { createLog } from '../../src/kit/log.ts';
import { tailCommands } from '../../src/logs/reading/tail-commands.ts';
import { eventsOf, passwordGrant } from '../protocol.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { startWorld, type World } from '../world.ts';
import { rule, setRules } from './rules.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const startControl = (dataDir: string) =>
  startControlServer({
    dataDir,
    verbs: tailCommands(world.app.stores),
    log: createLog('json', () => undefined),
  });

async function logInPrinting(text: string): Promise<void> {
  await setRules(world, [rule(`console.log('${text}');`)]);
  expect((await passwordGrant(world)).statusCode).toBe(200);
}

it('gatewright logs tail survives a restart of the server, says so, and shows each record once', async () => {
  const dataDir = await temporaryFolder();
  let control = await startControl(dataDir);
  const records: Json[] = [];
  const told: string[] = [];
  const end = new AbortController();
  const following = followLog(dataDir, {
    input: { console: true, lines: 10 },
    onRecord: (record) => records.push(record),
    tell: (text) => told.push(text),
    signal: end.signal,
    retryMilliseconds: 50,
  });
  const shown = (text: string) => expect.poll(() => JSON.stringify(records)).toContain(`"text":"${text}"`);
  const logins = () => records.filter(({ type }) => type === 'sepft').length;
  await logInPrinting('before');
  await shown('before');
  await expect.poll(logins).toBe(1);
  await control.stop();
  await expect.poll(() => told).toEqual([expect.stringContaining('has ended')]);
  await logInPrinting('meanwhile');
  control = await startControl(dataDir);
  await shown('meanwhile');
  await logInPrinting('after');
  await shown('after');
  await expect.poll(logins).toBe(3);
  expect(told).toEqual([expect.stringContaining('has ended'), expect.stringContaining('is back')]);
  const ids = records.map(({ log_id, execution_id }) => log_id ?? execution_id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(records.filter(({ type }) => type === 'console')).toHaveLength(3);
  end.abort();
  await following;
  await control.stop();
});

it.each([
  [{ types: ['sepft'] }, 'sepft'],
  [{ user: 'user name' }, 'sepft'],
  [{ client: 'client id' }, 'sepft'],
  [{ query: 'type:(sepft OR fp) AND NOT user_name:eve*' }, 'sepft'],
  [{ types: ['fp'] }, undefined],
  [{ user: 'eve' }, undefined],
  [{ client: 'no such application' }, undefined],
  [{ query: 'type:fp' }, undefined],
])('shows of the past and of what comes only what is asked for: %j', async (filter: Json, shown) => {
  const names: Json = { 'user name': world.user.email, 'client id': world.password_client.client_id };
  const asked = Object.fromEntries(
    Object.entries(filter).map(([name, value]) => [name, names[String(value)] ?? value]),
  );
  const stream = await tailCommands(world.app.stores)['logs-tail']?.({ ...asked, lines: 1 });
  const records: Json[] = [];
  let newest: string | undefined;
  for await (const piece of stream as ControlStream) {
    if ('data' in piece) records.push(JSON.parse(piece.data.toString()));
    else if (newest === undefined) {
      expect((await passwordGrant(world)).statusCode).toBe(200);
      newest = String((await world.events()).find(({ type }) => type === 'sepft')?.log_id);
    } else if (String(piece.progress.position) > newest) break;
  }
  // One of the past, and the login.
  expect(records.map(({ type }) => type)).toEqual(shown === undefined ? [] : [shown, shown]);
});

it('fails at once where no server runs', async () => {
  const following = followLog(await temporaryFolder(), {
    input: {},
    onRecord: () => undefined,
    tell: () => undefined,
    signal: new AbortController().signal,
  });
  await expect(following).rejects.toThrow('No server is running');
});

it("the event of a login names the execution under which its rules' output is found", async () => {
  const [event] = await eventsOf(world, () => logInPrinting('found'));
  const { executions } = Object(event?.details).rules;
  await expect
    .poll(async () => {
      const kept = await world.app.stores.consoles.newest('dev', 1);
      return kept.map(({ id, lines }) => [id, lines[0]?.text]);
    })
    .toEqual([[executions[0], 'found']]);
  expect(executions).toHaveLength(1);
});
