import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FirstRun } from '../src/tenants/first-run.ts';
import { COMPILE_CACHE } from './compile-cache.ts';
import { freePorts } from './free-ports.ts';
import { createTestDatabase } from './test-database.ts';

const COMMAND = fileURLToPath(new URL('../bin/gatewright.mjs', import.meta.url));
const START_MILLISECONDS = 120_000;
const STOP_MILLISECONDS = 60_000;

/** The built command in a process of its own, as a user starts it. */
export interface ServerProcess {
  readonly origin: string;
  readonly httpOrigin: string;
  readonly caFile: string;
  readonly firstRun: FirstRun;
  readonly dataDir: string;
  readonly pid: number;
  /** What it has printed so far, restarts included. */
  log(): string;
  /** Starts it again on the same folder, ports and database, after a stop where it still runs. */
  restart(environment?: Readonly<Record<string, string>>): Promise<void>;
  kill9(): Promise<void>;
  /** Ends it by SIGTERM, and leaves all that it has where it is. Fails where it did not end with 0. */
  drain(): Promise<void>;
  /** Ends it by SIGTERM and removes what it left behind. Fails where it did not end with 0. */
  stop(): Promise<void>;
}

interface Options {
  /** Added to the environment; it wins. */
  readonly env?: Readonly<Record<string, string>>;
  /** A database of the test run's PostgreSQL, or the one that the server brings along (slower). */
  readonly database?: 'of the test run' | 'embedded';
}

/** `gatewright start` on free ports, with an empty data folder and a database without rows, ready to be asked. */
export async function startServerProcess({
  env = {},
  database = 'of the test run',
}: Options = {}): Promise<ServerProcess> {
  const dataDir = await mkdtemp(join(await realpath(tmpdir()), 'gatewright-process-'));
  const own = database === 'embedded' ? undefined : await createTestDatabase();
  // HTTPS_PORT knows no "any free one".
  const [httpPort, httpsPort] = await freePorts();
  const environment = {
    PORT: String(httpPort),
    HTTPS_PORT: String(httpsPort),
    GATEWRIGHT_DATA_DIR: dataDir,
    ...(own && { DATABASE_URL: own.url, GATEWRIGHT_BOOTSTRAP: '1' }),
    ...env,
  };
  let printed = '';
  let child: ChildProcess | undefined;
  let firstRun: FirstRun;

  async function launch(more: Readonly<Record<string, string>> = {}): Promise<FirstRun> {
    const started = spawn(process.execPath, [COMMAND, 'start'], {
      cwd: dataDir,
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        NODE_COMPILE_CACHE: COMPILE_CACHE,
        ...environment,
        ...more,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    const killWithUs = () => started.kill('SIGKILL');
    process.once('exit', killWithUs);
    started.once('exit', () => process.off('exit', killWithUs));
    for (const stream of [started.stdout, started.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
      });
    await untilReady(`http://localhost:${environment.PORT}/health/ready`, started, () => printed);
    return JSON.parse(await readFile(join(dataDir, 'first-run.json'), 'utf8'));
  }

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    const running = child;
    if (!running || running.exitCode !== null || running.signalCode !== null) return running?.exitCode ?? null;
    const exited = once(running, 'exit');
    running.kill(signal);
    const force = setTimeout(() => running.kill('SIGKILL'), STOP_MILLISECONDS);
    await exited;
    clearTimeout(force);
    return running.exitCode;
  }

  async function drain(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const code = await end('SIGTERM');
    if (code !== 0) throw new Error(`SIGTERM ended the server with ${code ?? child.signalCode}:\n${printed}`);
  }

  async function remove(): Promise<void> {
    await own?.drop();
    await rm(dataDir, { recursive: true, force: true });
  }

  try {
    firstRun = await launch();
  } catch (error) {
    await end('SIGKILL');
    await remove();
    throw error;
  }
  return {
    origin: firstRun.origin,
    httpOrigin: firstRun.http_origin,
    caFile: firstRun.ca_file ?? '',
    firstRun,
    dataDir,
    get pid() {
      return child?.pid ?? 0;
    },
    log: () => printed,
    async restart(more) {
      await drain();
      await launch(more);
    },
    async kill9() {
      await end('SIGKILL');
    },
    drain,
    async stop() {
      try {
        await drain();
      } finally {
        await remove();
      }
    },
  };
}

async function untilReady(url: string, child: ChildProcess, printed: () => string): Promise<void> {
  const deadline = Date.now() + START_MILLISECONDS;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`The server ended with ${child.exitCode ?? child.signalCode}:\n${printed()}`);
    if (Date.now() > deadline) throw new Error(`The server is not ready:\n${printed()}`);
    const isReady = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await sleep(50);
  }
}
