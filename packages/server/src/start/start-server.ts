import { mkdir, stat } from 'node:fs/promises';
import type pg from 'pg';
import description from '../../package.json' with { type: 'json' };
import type { App } from '../app/app.ts';
import { backupCommands } from '../backup/backup-commands.ts';
import type { Config } from '../config.ts';
import { egressCommands } from '../containers/egress-commands.ts';
import { checkModuleStore } from '../containers/module-folders.ts';
import { startControlServer } from '../control/control-server.ts';
import { createDatabase, createPatientPool } from '../db/database.ts';
import { holderOf, inUse } from '../db/embedded/folder-lock.ts';
import { migrate } from '../db/migrate.ts';
import { mailCommands } from '../email/mail-commands.ts';
import { openSealer } from '../keys/installation-secret.ts';
import type { Log } from '../kit/log.ts';
import { tailCommands } from '../logs/reading/tail-commands.ts';
import { retentionCommands } from '../logs/retention/retention-commands.ts';
import { createClockWatch } from '../status/clock-watch.ts';
import type { FirstRun } from '../tenants/first-run.ts';
import { refreshFirstRun, runFirst } from '../tenants/run-first.ts';
import { tenantCommands } from '../tenants/tenant-commands.ts';
import type { Listening } from '../tenants/tenant-directory.ts';
import { startWorkers } from '../workers/worker-pool.ts';
import { openDatabase } from './open-database.ts';
import { openApp } from './start-app.ts';
import { startCron } from './start-cron.ts';
import { checkPorts, serve } from './start-listening.ts';

export interface RunningServer {
  readonly listening: Listening;
  readonly caFile: string | null;
  readonly firstRun: FirstRun | undefined;
  readonly hasTenants: boolean;
  /** One after the other, while the others serve; nothing where one process serves alone. */
  replaceWorkers(): Promise<void>;
  /** Drains: no new requests, those under way finish, then the database stops. Within ten seconds. */
  stop(): Promise<void>;
}

const DRAIN_MILLISECONDS = 6_000;
/** What a worker needs to stop behind its last request. */
const WORKER_STOP_MILLISECONDS = 1_500;

/** Starts everything in order; what was started before a failure, or before `signal`, is stopped again. */
export async function startServer(config: Config, log: Log, signal?: AbortSignal): Promise<RunningServer> {
  const undo: (() => Promise<void> | void)[] = [];
  const stop = async () => {
    for (const step of undo.reverse().splice(0)) {
      try {
        await step();
      } catch (error) {
        log.error('a part of the server could not be stopped', { error });
      }
    }
  };
  try {
    await makeDataFolder(config.dataDir, log);
    // The other server has our ports as well, as a rule; that it has the folder says more.
    if (holderOf(config.dataDir)) throw new Error(inUse(config.dataDir));
    await checkPorts(config);
    const database = await openDatabase(config, log, undo);
    signal?.throwIfAborted();
    const newer = await migrateWith(createPatientPool(database.poolOptions));
    if (newer.length > 0)
      log.warn(`A newer Gatewright has been at this database (${newer.join(', ')}); what it added is left alone.`);
    signal?.throwIfAborted();

    const listening: { http: number | undefined; https: number | undefined } = { http: undefined, https: undefined };
    let isStarted = false;
    const { app, pool, secret } = await openApp({
      config,
      poolOptions: database.poolOptions,
      log,
      undo,
      listening: () => listening,
      isStarted: () => isStarted,
      snapshotsOfOthers: async () => [],
    });
    watchClock(app, log, undo);
    if (config.bootstrap) await runFirst(app, config.dataDir, log);
    // Once more: another server, with another secret, may have filled the empty database in the meantime.
    await openSealer(secret, createDatabase(pool));
    signal?.throwIfAborted();

    const workers =
      config.workers > 1
        ? await startWorkers({
            count: config.workers,
            poolOptions: database.poolOptions,
            log,
            snapshot: app.metrics.snapshot,
          })
        : undefined;
    undo.push(() => workers?.close(DRAIN_MILLISECONDS + WORKER_STOP_MILLISECONDS));
    const served = workers ?? (await serve(config, app, log, undo, DRAIN_MILLISECONDS));
    listening.http = served.http;
    listening.https = served.https;
    const { caFile } = served;
    const missing = checkModuleStore();
    if (missing !== undefined) log.warn(missing);
    const firstRun = await refreshFirstRun(app, config.dataDir, caFile);
    const cron = startCron({ app, config, caFile, log });
    undo.push(() => cron.stop());
    const verbs = {
      ...tenantCommands(app, caFile),
      ...mailCommands(app.stores),
      ...tailCommands(app.stores),
      ...cron.verbs,
      ...retentionCommands(app),
      ...egressCommands({ stores: app.stores, forget: app.forget, defaultMode: config.egress }),
      ...backupCommands({
        poolOptions: database.poolOptions,
        secret: secret.bytes,
        version: description.version,
        now: () => new Date(),
      }),
    };
    const control = await startControlServer({ dataDir: config.dataDir, verbs, log });
    undo.push(() => control.stop());
    const hasTenants = (await app.stores.tenants.directory()).tenantIds.size > 0;
    isStarted = true;
    workers?.announceStarted();
    // Afterwards: it compiles the containers' program, half a second of a core. A login that comes earlier starts one without.
    void app.containers.check().then((fault) => {
      if (fault !== undefined) log.warn(`Rules, actions and database scripts can't run: ${fault}`);
    });
    return { listening, caFile, firstRun, hasTenants, replaceWorkers: async () => workers?.replaceAll(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Here alone: the workers have the same clock, and a jump is said once. */
function watchClock(app: App, log: Log, undo: (() => Promise<void> | void)[]): void {
  const clockWatch = createClockWatch({
    transact: app.transact,
    defaultTenant: async () => (await app.stores.tenants.directory()).defaultTenantId,
    log,
    now: () => new Date(),
    monotonic: () => performance.now(),
  });
  clockWatch.start();
  undo.push(clockWatch.stop);
}

async function makeDataFolder(dataDir: string, log: Log): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
    throw new Error(
      `The data folder ${dataDir} can't be made (${cause.code}). Make it yourself, owned by the user that starts Gatewright, or name another one with GATEWRIGHT_DATA_DIR.`,
      { cause },
    );
  });
  // Not refused and not changed: volumes of containers are often like this, and theirs to manage.
  if (((await stat(dataDir)).mode & 0o022) !== 0)
    log.warn(
      `Other users of this machine may put files of theirs in place of those in ${dataDir}: secrets, passwords, the certificate authority. If it has other users, close it: chmod 700 ${dataDir}`,
    );
}

async function migrateWith(pool: pg.Pool): Promise<readonly string[]> {
  try {
    return await migrate(pool);
  } finally {
    await pool.end();
  }
}
