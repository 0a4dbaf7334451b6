// `npm run demo`: starts everything, says where to click, and ends everything on Ctrl+C.
import './start/resolve-localhost.ts';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startEverything } from './start/start-everything.ts';

const FIRST_PORT = 4100;
const USAGE = `Usage: npm run demo -- [--port ${FIRST_PORT}] [--max-stale 60]
  --port       the first of eight ports; where one is taken, another one is found
  --max-stale  seconds that a service may believe a verdict: how late a revocation arrives
`;

const { port, maxStale } = readOptions();
// The terminal sends it to everybody who runs in it; each ends by itself, and we wait for all.
const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
print('Starting Gatewright, memcached and the services of two environments …');
const starting = startEverything({ firstPort: port, maxStaleSeconds: maxStale, onStarted: print });
const demo = await Promise.race([starting, stopped.then(() => undefined)]).catch(fail);
if (demo) {
  const { dev, int } = demo.environments;
  print('');
  for (const { name, userApi, user } of [dev, int])
    print(`${name}: open ${userApi} and log in as ${user.email}, ${user.password}`);
  print('');
  print(`Users, clients and roles of dev: the Management API at ${dev.issuer}api/v2/`);
  print(`A revoked session is refused within ${demo.maxStaleSeconds} s. Stop with Ctrl+C; nothing is kept.`);
  const ends = demo.processes.map(async (process) => {
    await process.ended;
    // Ctrl+C may have reached it before us.
    await sleep(500);
    return process;
  });
  const ended = await Promise.race([...ends, stopped.then(() => undefined)]);
  if (ended) process.stderr.write(`${ended.name} ended by itself. It said:\n${ended.printed()}\n`);
  print('Stopping …');
  await demo.stop();
  process.exit(ended ? 1 : 0);
} else {
  print('Stopping …');
  await starting.then(({ stop }) => stop()).catch(() => {});
  process.exit(0);
}

function readOptions(): { readonly port: number; readonly maxStale: number } {
  try {
    const { values } = parseArgs({
      options: { port: { type: 'string' }, 'max-stale': { type: 'string' }, help: { type: 'boolean' } },
    });
    const port = Number(values.port ?? FIRST_PORT);
    const maxStale = Number(values['max-stale'] ?? 60);
    if (values.help) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    if (!(Number.isInteger(port) && port >= 1_024 && port <= 65_000)) throw new Error('--port: 1024 to 65000.');
    if (!(Number.isInteger(maxStale) && maxStale >= 0 && maxStale <= 86_400))
      throw new Error('--max-stale: 0 to 86400.');
    return { port, maxStale };
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exit(1);
  }
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
