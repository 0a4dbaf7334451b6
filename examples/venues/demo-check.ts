// `npm run demo:check`: starts everything on free ports with a recorder in front of each process, walks the requirements PWD.1 to
// PWD.21, and once more with memcached killed and restarted on the way. Exit code 0 where all hold.
import './start/resolve-localhost.ts';
import { parseArgs } from 'node:util';
import { type Check, runChecks } from './check/check.ts';
import { environmentChecks } from './check/environment-checks.ts';
import { memcachedChecks } from './check/memcached-checks.ts';
import { requestChecks } from './check/request-checks.ts';
import { sessionChecks } from './check/session-checks.ts';
import { startEverything } from './start/start-everything.ts';

const USAGE = `Usage: npm run demo:check -- [--kill-memcached]
  --kill-memcached  the second pass alone: memcached is killed and restarted midway
`;
/** Checks wait until verdicts of int are too old; those of dev are to be fresh however long a check takes. */
const MAX_STALE_SECONDS = { dev: 300, int: 1 };
/** No busy machine is taken for an outage; what is really away refuses at once. */
const DEADLINES = { memcachedMs: 60_000, requestMs: 60_000 };

const onlySecondPass = readOptions();
// In the order of the requirements.
const all = [...requestChecks, ...environmentChecks, ...sessionChecks];
const checked = new Set(all.map(({ id }) => id));
const missing = Array.from({ length: 21 }, (_, index) => `PWD.${index + 1}`).filter((id) => !checked.has(id));
if (missing.length > 0) throw new Error(`Nobody checks ${missing.join(', ')}.`);
const passes: readonly { readonly title: string; readonly checks: readonly Check[] }[] = [
  ...(onlySecondPass ? [] : [{ title: 'First pass', checks: all }]),
  {
    title: 'Second pass: memcached is killed and restarted',
    checks: [...requestChecks, ...memcachedChecks(), ...environmentChecks, ...sessionChecks],
  },
];

const began = performance.now();
const { ready, stop } = startEverything({ records: true, maxStaleSeconds: MAX_STALE_SECONDS, deadlines: DEADLINES });
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => void stop().then(() => process.exit(1)));
try {
  print('Starting Gatewright, memcached and the services of two environments, with a recorder in front of each …');
  const demo = await ready;
  print(`${demo.processes.length} processes are up (${seconds()} s).`);
  const failed: string[] = [];
  for (const { title, checks } of passes) {
    print(`\n${title}`);
    failed.push(...(await runChecks(checks, demo, print)));
  }
  print(`\n${demo.exchanges.length} requests were recorded (${seconds()} s).`);
  print(failed.length === 0 ? 'All hold.' : `Not all hold: ${failed.join(', ')}.`);
  process.exitCode = failed.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`demo:check: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
} finally {
  await stop();
}
process.exit();

function readOptions(): boolean {
  try {
    const options = { 'kill-memcached': { type: 'boolean' }, help: { type: 'boolean' } } as const;
    const { values } = parseArgs({ options });
    if (!values.help) return values['kill-memcached'] ?? false;
    process.stdout.write(USAGE);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`demo:check: ${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exit(1);
  }
}

function seconds(): string {
  return ((performance.now() - began) / 1000).toFixed(1);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
