import type pg from 'pg';
import { type App, createApp } from '../app/app.ts';
import type { Config } from '../config.ts';
import { addedModulesFolder } from '../containers/module-folders.ts';
import { createDatabase, createPool } from '../db/database.ts';
import { holdsSealed, type InstallationSecret, readInstallationSecret } from '../keys/installation-secret.ts';
import type { Log } from '../kit/log.ts';
import type { Listening } from '../tenants/tenant-directory.ts';

interface Parts {
  readonly config: Config;
  readonly poolOptions: pg.PoolConfig;
  readonly log: Log;
  /** What was started is added here, to be stopped in the opposite order. */
  readonly undo: (() => Promise<void> | void)[];
  readonly listening: () => Listening;
  readonly isStarted: () => boolean;
  readonly snapshotsOfOthers: () => Promise<readonly object[]>;
}

/** The app of this process on its own connections: each of GATEWRIGHT_WORKERS processes has one. */
export async function openApp({
  config,
  poolOptions,
  log,
  undo,
  listening,
  isStarted,
  snapshotsOfOthers,
}: Parts): Promise<{
  app: App;
  pool: pg.Pool;
  secret: InstallationSecret;
}> {
  const pool = createPool({ ...poolOptions, max: connectionsOf(config.workers) });
  undo.push(() => pool.end());
  const secret = await readInstallationSecret({
    given: config.secret,
    dataDir: config.dataDir,
    isNeeded: () => holdsSealed(createDatabase(pool)),
  });
  const app = await createApp({
    pool,
    poolOptions,
    secret,
    config,
    addedModules: addedModulesFolder(config.dataDir),
    processes: config.workers,
    snapshotsOfOthers,
    listening,
    isStarted,
    log,
    now: () => new Date(),
  });
  undo.push(() => app.stop());
  await app.start();
  return { app, pool, secret };
}

const ALL_CONNECTIONS = 40;
const MOST_CONNECTIONS = 10;
const FEWEST_CONNECTIONS = 3;

/** The embedded PostgreSQL takes 60 connections; each process has one more that listens. */
function connectionsOf(processes: number): number {
  return Math.max(FEWEST_CONNECTIONS, Math.min(MOST_CONNECTIONS, Math.floor(ALL_CONNECTIONS / processes)));
}
