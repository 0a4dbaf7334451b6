// `npm run demo`: starts everything, says what runs where and where to log in, and ends everything on Ctrl+C.
import './start/resolve-localhost.ts';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { revokeAccess } from './start/make-member.ts';
import { type Demo, startEverything } from './start/start-everything.ts';

const FIRST_PORT = 4100;
const USAGE = `Usage: npm run demo -- [--port ${FIRST_PORT}] [--max-stale 60]
  --port       the first of eight ports; where one is taken, another one is found
  --max-stale  seconds that a service may believe a verdict: how late a revocation arrives
`;

const { port, maxStale } = readOptions();
const begun = performance.now();
let isStopping = false;
print('Starting Gatewright, memcached and the services of two environments …\n');
const { ready, stop } = startEverything({
  firstPort: port,
  maxStaleSeconds: { dev: maxStale, int: maxStale },
  onStarted({ name, pid, ended }, where) {
    print(`  ${name.padEnd(20)} ${where.padEnd(24)} pid ${pid}`);
    void ended.then(() => isStopping || print(`${name} (pid ${pid}) has ended.`));
  },
});
// The terminal sends Ctrl+C to everybody who runs in it, so nobody is told again; a second one is waiting as well.
const stopped = Promise.withResolvers<'told to stop'>();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    isStopping = true;
    stopped.resolve('told to stop');
  });
let exitCode = 0;
try {
  const demo = await Promise.race([ready, stopped.promise]);
  if (demo !== 'told to stop') {
    welcome(demo);
    obey(demo);
    await stopped.promise;
  }
} catch (error) {
  process.stderr.write(`\ndemo: ${error instanceof Error ? error.message : error}\n`);
  exitCode = 1;
}
isStopping = true;
print('\nStopping …');
await stop();
print('Everything has ended.');
process.exit(exitCode);

function welcome({ environments: { dev, int } }: Demo): void {
  const rows = [['', 'open', 'email', 'password']];
  for (const { name, userApi, user } of [dev, int]) rows.push([name, userApi, user.email, user.password]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  print(`\nReady after ${((performance.now() - begun) / 1000).toFixed(1)} s. Log in as Ada, in either environment:\n`);
  for (const row of rows)
    print(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ')}`.trimEnd());
  print(`
  revoke + Enter      ends Ada's sessions in dev, as an operator would: 401 everywhere within ${maxStale} s
  memcached + Enter   kills memcached; once more starts it again, empty
  Ctrl+C              stops everything; nothing is kept

Secrets for the Management API at ${dev.issuer}api/v2/ are in ${dev.files.tenant}
What the services were told is in ${dev.files.services}
More to try: examples/venues/README.md`);
}

/** What whoever sits at the terminal types. */
function obey({ environments: { dev }, memcached }: Demo): void {
  let hasMemcached = true;
  const commands = new Map<string, () => Promise<string>>([
    [
      'revoke',
      async () => {
        await revokeAccess(dev.newTenant, dev.user);
        return `Revoked: renewals are refused now, access tokens within ${maxStale} s.`;
      },
    ],
    [
      'memcached',
      async () => {
        hasMemcached = !hasMemcached;
        await (hasMemcached ? memcached.restart() : memcached.kill());
        if (hasMemcached) return 'memcached is back, empty: sessions from before end at their next renewal.';
        return 'memcached is gone: requests ask the token service, nobody can log in or renew.';
      },
    ],
  ]);
  createInterface({ input: process.stdin }).on('line', async (line) => {
    const word = line.trim();
    const command = commands.get(word);
    if (word === '') return;
    if (!command)
      return print(`There is no '${word}' here. Type ${[...commands.keys()].join(' or ')}, or press Ctrl+C.`);
    await command().then(print, (error: Error) => print(`That failed: ${error.message}`));
  });
}

function readOptions(): { readonly port: number; readonly maxStale: number } {
  try {
    const { values } = parseArgs({
      options: { port: { type: 'string' }, 'max-stale': { type: 'string' }, help: { type: 'boolean' } },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    const port = Number(values.port ?? FIRST_PORT);
    const maxStale = Number(values['max-stale'] ?? 60);
    if (!(Number.isInteger(port) && port >= 1_024 && port <= 65_000)) throw new Error('--port: 1024 to 65000.');
    if (!(Number.isInteger(maxStale) && maxStale >= 0 && maxStale <= 86_400))
      throw new Error('--max-stale: 0 to 86400.');
    return { port, maxStale };
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exit(1);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
