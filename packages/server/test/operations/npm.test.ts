import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTestDatabase } from '../test-database.ts';
import { otherNode, place, run, runToEnd } from './command.ts';

const CHECKOUT = fileURLToPath(new URL('../../../..', import.meta.url));
const npm = (process.env.PATH ?? '')
  .split(':')
  .map((folder) => join(folder, 'npm'))
  .find((file) => existsSync(file));
const NPM = { cwd: CHECKOUT, command: npm ? realpathSync(npm) : '', ...(otherNode && { node: otherNode }) };

/** `npm start` in the checkout, in a process group of its own. */
async function npmStart() {
  const { env, http } = await place();
  const own = await createTestDatabase();
  onTestFinished(() => own.drop());
  const started = run(['start'], {
    ...NPM,
    detached: true,
    env: { ...env, DATABASE_URL: own.url, npm_config_update_notifier: 'false' },
  });
  // What npm left behind would keep the test's port and pipes.
  onTestFinished(() => killGroup(started.pid));
  await started.says('Ready after');
  const answers = () =>
    fetch(`http://localhost:${http}/health/live`).then(
      ({ ok }) => ok,
      () => false,
    );
  expect(await answers()).toBe(true);
  return { ...started, answers };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {}
}

describe.skipIf(npm === undefined)('npm', () => {
  it.each([
    ['SIGTERM to npm alone', 'SIGTERM', 1],
    ['Ctrl+C in its terminal', 'SIGINT', -1],
  ] as const)('start: %s drains the server', async (_what, signal, sign) => {
    const server = await npmStart();
    process.kill(sign * server.pid, signal);
    await server.says('Stopped.');
    await server.ended;
    expect(server.printed()).toContain('Stopping: requests under way may finish.');
    expect(await server.answers()).toBe(false);
  });

  it.each([
    [['--help'], 0, /^Usage: npm run bench -- \[options\]/m],
    [['--speed'], 1, /^bench: Unknown option '--speed'[\s\S]*^Usage: npm run bench/m],
    [['--only', 'moon'], 1, /^bench: there is no row 'moon'\. Rows: /m],
  ])('run bench -- %s answers in words', async (args, code, words) => {
    const { printed, code: ended } = await runToEnd(['run', 'bench', '--', ...args], NPM);
    expect({ code: ended, printed }).toEqual({ code, printed: expect.stringMatching(words) });
    expect(printed).not.toMatch(/^\s+at .*:\d+:\d+/m);
  });
});
