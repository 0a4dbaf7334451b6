import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FirstRun } from '../src/tenants/first-run.ts';
import { treeOf } from './processes.ts';

const BIN = fileURLToPath(new URL('../bin/gatewright.mjs', import.meta.url));
const START_PATIENCE_MS = 60_000;

/** The server as its users run it: `gatewright start` with the embedded PostgreSQL, http on loopback. */
export interface GatewrightProcess {
  readonly pid: number;
  readonly port: number;
  /** From the start of the process until /health/ready answered 200. */
  readonly secondsToReady: number;
  firstRun(): Promise<FirstRun>;
  /** The processes of PostgreSQL, the postmaster first. */
  databasePids(): number[];
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly dataDir: string;
  /** Where CPU profiles of the server go. */
  readonly profileTo?: string | undefined;
  /** GATEWRIGHT_WORKERS. */
  readonly workers?: number;
}

export async function startGatewright({ dataDir, profileTo, workers = 1 }: StartOptions): Promise<GatewrightProcess> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, [BIN, 'start'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PORT: String(port),
      HTTPS_PORT: '0',
      HOST: '127.0.0.1',
      GATEWRIGHT_DATA_DIR: dataDir,
      LOG_FORMAT: 'json',
      GATEWRIGHT_WORKERS: String(workers),
      ...(profileTo && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileTo}` }),
    },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4_096);
  });
  await untilReady(child, port, () => said);
  const secondsToReady = (performance.now() - began) / 1000;
  const { pid } = child;
  if (pid === undefined) throw new Error('The server has no process.');
  return {
    pid,
    port,
    secondsToReady,
    firstRun: async () => JSON.parse(await readFile(join(dataDir, 'first-run.json'), 'utf8')),
    databasePids: () => treeOf(Number(readFileSync(join(dataDir, 'pg', 'postmaster.pid'), 'utf8').split('\n')[0])),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

export async function makeDataFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'gatewright-bench-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

async function untilReady(child: ChildProcess, port: number, said: () => string): Promise<void> {
  const deadline = Date.now() + START_PATIENCE_MS;
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    const isReady = await fetch(`http://127.0.0.1:${port}/health/ready`).then(
      (response) => response.status === 200,
      () => false,
    );
    if (isReady) return;
    await sleep(10);
  }
  child.kill('SIGKILL');
  throw new Error(`The server did not become ready.\n${said()}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
