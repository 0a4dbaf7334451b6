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
/** How late a revocation may arrive: short, since checks wait for it. */
const MAX_STALE_SECONDS = 3;

const onlySecondPass = readOptions();
// In the order of the requirements, but for the search, which is of all that came before.
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
const starting = startEverything({ records: true, maxStaleSeconds: MAX_STALE_SECONDS });
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    const stopped = starting.then((demo) => demo.stop());
    void stopped.catch(() => {}).then(() => process.exit(1));
  });
const demo = await starting.catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
print(`${demo.processes.length + 1} processes are up (${seconds()} s).`);
let allHold = true;
try {
  for (const { title, checks } of passes) {
    print(`\n${title}`);
    if (!(await runChecks(checks, demo, print))) allHold = false;
  }
} finally {
  await demo.stop();
}
print('');
print(`${allHold ? 'All hold' : 'Not all hold'}: ${demo.exchanges.length} requests recorded (${seconds()} s).`);
process.exit(allHold ? 0 : 1);

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
