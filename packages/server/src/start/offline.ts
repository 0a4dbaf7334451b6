import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { backupErrors } from '../backup/backup-errors.ts';
import { openBackup } from '../backup/open-backup.ts';
import { type ResetTenant, resetKeys } from '../backup/reset-keys.ts';
import { checkKey, checkRestorable, isServed, type RestoreOptions, restoreBackup } from '../backup/restore-backup.ts';
import type { Config } from '../config.ts';
import { createPatientPool, type Database, databaseOn } from '../db/database.ts';
import { holderOf, inUse } from '../db/embedded/folder-lock.ts';
import { migrate, readMigrations, tryMigrationLock } from '../db/migrate.ts';
import {
  findInstallationSecret,
  type InstallationSecret,
  openSealer,
  readInstallationSecret,
} from '../keys/installation-secret.ts';
import { createSigningKeyService } from '../keys/signing-key-service.ts';
import type { Log } from '../kit/log.ts';
import { createSealer } from '../kit/seal.ts';
import { createLogReader } from '../logs/reading/log-reader.ts';
import { storesOn } from '../stores.ts';
import { openDatabase } from './open-database.ts';

/** Where secrets that were made anew are kept, once: before the commit, since a kill after it would lose them for good. */
export const RESET_FILE = 'reset-secrets.json';

interface RestoreRequest extends Pick<RestoreOptions, 'logEpoch' | 'onProgress'> {
  readonly path: string;
  readonly withoutKey: boolean;
}

export interface Restored {
  readonly madeAt: string;
  readonly gatewright: string;
  readonly tables: number;
  readonly rows: number;
  readonly logEpoch: number;
  readonly reset: readonly ResetTenant[] | undefined;
}

/** `gatewright restore`: no server runs; everything about the file and the key is settled before the database is opened. */
export async function restore(config: Config, log: Pick<Log, 'info'>, request: RestoreRequest): Promise<Restored> {
  const { dataDir } = config;
  const { path, withoutKey, logEpoch, onProgress } = request;
  if (holderOf(dataDir)) throw new Error(inUse(dataDir));
  const backup = await openBackup(path);
  try {
    const known = await readMigrations();
    checkRestorable(backup, { known, logEpoch });
    const present = await findInstallationSecret({ given: config.secret, dataDir });
    checkKey(backup, { secret: present, withoutKey, dataDir });
    let reset: ResetTenant[] | undefined;
    await withDatabase(config, log, async (poolOptions) => {
      const secret = await secretOf(config);
      await restoreBackup(backup, {
        path,
        poolOptions,
        known,
        logEpoch,
        ...placeOf(config),
        ...(onProgress && { onProgress }),
        async beforeCommit(db) {
          if (withoutKey) reset = await resetIn(db, config, secret);
          else await openSealer(secret, db);
        },
      });
    });
    const { header, summary } = backup;
    return {
      madeAt: header.madeAt,
      gatewright: header.gatewright,
      tables: summary.tables.length,
      rows: summary.tables.reduce((sum, { rows }) => sum + rows, 0),
      logEpoch: logEpoch ?? header.epoch + 1,
      reset,
    };
  } finally {
    await backup.close();
  }
}

/** `gatewright keys reset`: the database is there, and the key to what is sealed in it is lost. */
export async function resetLostKey(config: Config, log: Pick<Log, 'info'>): Promise<readonly ResetTenant[]> {
  if (holderOf(config.dataDir)) throw new Error(inUse(config.dataDir));
  let reset: readonly ResetTenant[] = [];
  await withDatabase(config, log, async (poolOptions) => {
    const pool = createPatientPool(poolOptions);
    await migrate(pool).finally(() => pool.end());
    const client = new pg.Client({ ...poolOptions, application_name: 'gatewright-reset' });
    client.on('error', () => {});
    await client.connect();
    try {
      if (!(await tryMigrationLock(client)) || (await isServed(client))) throw backupErrors.inUse();
      const present = await findInstallationSecret({ given: config.secret, dataDir: config.dataDir });
      if (present && (await opens(present, databaseOn(client))))
        throw backupErrors.keyPresent({ source: present.source });
      const secret = await secretOf(config);
      await client.query('begin');
      reset = await resetIn(databaseOn(client), config, secret);
      await client.query('commit');
    } finally {
      await client.end().catch(() => {});
    }
  });
  return reset;
}

async function resetIn(db: Database, config: Config, secret: InstallationSecret): Promise<ResetTenant[]> {
  const now = () => new Date();
  // Nobody reads the log here: the pool is never asked, and holds no connection.
  const logs = createLogReader({ pool: new pg.Pool() });
  const stores = storesOn(db, { sealer: createSealer(secret.bytes), logs });
  const { baseDomain, dataDir } = config;
  const reset = await resetKeys({ db, stores, signingKeys: createSigningKeyService({ now }), baseDomain, now });
  const file = join(dataDir, RESET_FILE);
  await writeFile(`${file}.tmp`, `${JSON.stringify(reset, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(`${file}.tmp`, file);
  return reset;
}

/** Makes one where there is none. */
const secretOf = ({ secret, dataDir }: Config): Promise<InstallationSecret> =>
  readInstallationSecret({ given: secret, dataDir, isNeeded: async () => false });

async function opens(secret: InstallationSecret, db: Database): Promise<boolean> {
  return openSealer(secret, db).then(
    () => true,
    () => false,
  );
}

function placeOf({ databaseUrl, dataDir }: Config): Pick<RestoreOptions, 'place' | 'remedy'> {
  return databaseUrl
    ? { place: 'of DATABASE_URL', remedy: 'name a new, empty one there' }
    : { place: `in ${dataDir}`, remedy: 'name a new folder with GATEWRIGHT_DATA_DIR, with only secret.key in it' };
}

async function withDatabase(
  config: Config,
  log: Pick<Log, 'info'>,
  work: (poolOptions: pg.PoolConfig) => Promise<void>,
): Promise<void> {
  const undo: (() => Promise<void> | void)[] = [];
  try {
    const { poolOptions } = await openDatabase(config, log, undo);
    await work(poolOptions);
  } finally {
    for (const step of undo.reverse()) await step();
  }
}
