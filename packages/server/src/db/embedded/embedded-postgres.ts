import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { locateBinaries } from './binaries.ts';
import { ensureCluster, readPasswords } from './cluster.ts';
import { chooseIdentity } from './identity.ts';
import { launch } from './postmaster.ts';
import { ensureApplicationRole } from './roles.ts';
import { writeSettings } from './settings.ts';

export interface EmbeddedPostgres {
  readonly poolOptions: pg.PoolConfig;
  /** The same as a connection string, for other processes. */
  readonly url: string;
  readonly pid: number;
  readonly adopted: boolean;
  onExit(listener: (reason: string) => void): void;
  stop(): Promise<void>;
}

/** Starts the private PostgreSQL of this data folder, or takes over the one that a killed server left running. */
export async function startEmbeddedPostgres({
  dataDir,
  log,
}: {
  dataDir: string;
  log(message: string): void;
}): Promise<EmbeddedPostgres> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const binaries = await locateBinaries();
  const identity = await chooseIdentity({ folder: dataDir, postgres: binaries.postgres });
  const cluster = join(dataDir, 'pg');
  if (await ensureCluster(dataDir, binaries, identity)) log(`Made a PostgreSQL cluster in ${cluster}.`);
  const socketFolder = await mkdtemp(join(tmpdir(), 'gatewright-'));
  await writeSettings(cluster, socketFolder);
  const postmaster = await launch({
    postgres: binaries.postgres,
    identity,
    cluster,
    logFile: join(dataDir, 'postgres.log'),
  });
  const access = await ensureApplicationRole(socketFolder, await readPasswords(cluster));
  const listeners: ((reason: string) => void)[] = [];
  void postmaster.exited.then((reason) => {
    for (const listener of listeners) listener(reason);
  });
  return {
    poolOptions: { ...access },
    url: `postgres://${access.user}:${access.password}@localhost:${access.port}/${access.database}?host=${encodeURIComponent(socketFolder)}`,
    pid: postmaster.pid,
    adopted: false,
    onExit(listener) {
      listeners.push(listener);
    },
    async stop() {
      process.kill(postmaster.pid, 'SIGINT');
      await postmaster.exited;
      await rm(socketFolder, { recursive: true, force: true });
    },
  };
}
