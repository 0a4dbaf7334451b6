import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type pg from 'pg';
import { locateBinaries } from './binaries.ts';
import { ensureCluster } from './cluster.ts';
import { startFailure } from './failure.ts';
import { type FolderLock, lockDataFolder } from './folder-lock.ts';
import { chooseIdentity, type Way } from './identity.ts';
import { ensurePasswords, type Passwords } from './passwords.ts';
import { disownPidFile } from './pid-file.ts';
import { launchPatiently, type Place, shutDown, watchForeign } from './postmaster.ts';
import { type Access, answers, ensureApplicationRole } from './roles.ts';
import { writeSettings } from './settings.ts';
import { makeSocketFolder } from './socket-folder.ts';
import { supervise } from './supervisor.ts';
import { findSurvivor } from './survivor.ts';

export interface EmbeddedPostgres {
  readonly poolOptions: pg.PoolConfig;
  /** The same as a connection string, for other processes. */
  readonly url: string;
  readonly pid: number;
  /** Whether it was left running by a server that got killed. */
  readonly adopted: boolean;
  /** Called each time that it ends by itself; it is started again at the same place. */
  onExit(listener: (reason: string) => void): void;
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  readonly dataDir: string;
  log(message: string): void;
  /** How it may run when we are root; all that work here unless said otherwise. */
  readonly waysOfRoot?: readonly Way[];
}

/** Starts the private PostgreSQL of this data folder, or takes over the one that a killed server left running. */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  let lock: FolderLock | undefined;
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    lock = await lockDataFolder(dataDir);
    return await startLocked({ ...options, dataDir }, lock);
  } catch (cause) {
    lock?.release();
    // What the file system or the database refused; every other error has its words already.
    throw cause instanceof Error && 'code' in cause ? startFailure(join(dataDir, 'pg'), cause, '') : cause;
  }
}

async function startLocked({ dataDir, log, waysOfRoot }: EmbeddedOptions, lock: FolderLock): Promise<EmbeddedPostgres> {
  const cluster = join(dataDir, 'pg');
  const passwords = await ensurePasswords(dataDir);
  const binaries = await locateBinaries(join(dataDir, 'pg-libraries'));
  const identity = await chooseIdentity(dataDir, binaries, waysOfRoot);
  const survivor = await findSurvivor(cluster, (folder) => answers(folder, passwords));
  const socketFolder = survivor?.socketFolder ?? (await makeSocketFolder(identity));
  const place: Place = { binaries, identity, cluster, logFile: join(dataDir, 'postgres.log') };

  async function start(signal?: AbortSignal) {
    await writeSettings(cluster, socketFolder, identity);
    await identity.own(cluster);
    await disownPidFile(cluster, identity);
    return launchPatiently(place, signal);
  }

  async function firstStart() {
    const superuserPassword = passwords.superuser;
    const isNew = await ensureCluster(dataDir, { binaries, identity, superuserPassword });
    log(isNew ? `Made a PostgreSQL cluster in ${cluster}.` : `Starting PostgreSQL on ${cluster}.`);
    return start();
  }

  try {
    const postmaster = survivor ? watchForeign(survivor.pid) : await firstStart();
    if (survivor) log(`Took over the PostgreSQL (process ${survivor.pid}) that an earlier server left running.`);
    const access = await prepare(postmaster.pid, socketFolder, passwords);
    const supervisor = supervise(postmaster, start, log);
    return {
      poolOptions: { ...access },
      url: urlOf(access),
      get pid() {
        return supervisor.pid;
      },
      adopted: survivor !== undefined,
      onExit: supervisor.onExit,
      async stop() {
        await supervisor.stop();
        await rm(socketFolder, { recursive: true, force: true });
        lock.release();
      },
    };
  } catch (cause) {
    await rm(socketFolder, { recursive: true, force: true });
    throw cause;
  }
}

async function prepare(pid: number, socketFolder: string, passwords: Passwords): Promise<Access> {
  try {
    return await ensureApplicationRole(socketFolder, passwords);
  } catch (cause) {
    await shutDown(pid);
    throw cause;
  }
}

function urlOf({ host, port, user, password, database }: Access): string {
  return `postgres://${user}:${password}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
}
