import pg from 'pg';
import { createPatientPool, type Database, databaseOn } from '../db/database.ts';
import { createMigrationsTable, type Migration, migrate, tryMigrationLock } from '../db/migrate.ts';
import type { InstallationSecret } from '../keys/installation-secret.ts';
import { clusterId } from '../logs/log-epoch.ts';
import { backupErrors } from './backup-errors.ts';
import { keyIdOf } from './backup-format.ts';
import { readTables } from './database-shape.ts';
import { loadBackup } from './load-backup.ts';
import type { Backup } from './open-backup.ts';

const MOST_EPOCHS = 999;
/** As servers call their connections (db/database.ts, db/change-listener.ts). */
const SERVERS = ['gatewright', 'gatewright-listen', 'gatewright-backup'];

export interface RestoreOptions {
  readonly path: string;
  readonly poolOptions: pg.PoolConfig;
  readonly known: readonly Migration[];
  readonly logEpoch: number | undefined;
  /** Where the rows go, and what to do where others are there; for the refusal. */
  readonly place: string;
  readonly remedy: string;
  /** In the transaction, when all rows are there: what the new owner of the data has to change, and the key's proof. */
  readonly beforeCommit: (db: Database) => Promise<void>;
  readonly onProgress?: (progress: { table: string; rows: number; bytes: number }) => void;
}

/** Before anything is opened or made: is the file whole, known, and is its key here? */
export function checkRestorable(backup: Backup, { known, logEpoch }: Pick<RestoreOptions, 'known' | 'logEpoch'>): void {
  const { header } = backup;
  const names = new Map(known.map(({ number, name }) => [number, name]));
  const newer = header.migrations.filter(({ number, name }) => names.get(number) !== name);
  if (newer.length > 0)
    throw backupErrors.newer({ gatewright: header.gatewright, names: newer.map(({ name }) => name).join(', ') });
  const lowest = header.epoch + 1;
  if (logEpoch !== undefined && (logEpoch < lowest || logEpoch > MOST_EPOCHS))
    throw backupErrors.epochTaken({ lowest });
}

/** `secret` is what is at hand here; nothing is made for it. */
export function checkKey(
  backup: Backup,
  { secret, withoutKey, dataDir }: { secret: InstallationSecret | undefined; withoutKey: boolean; dataDir: string },
): void {
  const { keyId } = backup.header;
  const opens = secret !== undefined && backup.isOpenedBy(secret.bytes);
  if (withoutKey) {
    if (opens) throw backupErrors.keyFits({ source: secret.source });
    return;
  }
  if (!secret) throw backupErrors.noKey({ keyId, dataDir });
  const { source } = secret;
  if (!opens) throw backupErrors.otherKey({ keyId, source, present: keyIdOf(secret.bytes), dataDir });
  if (!backup.isSealedBy(secret.bytes)) throw backupErrors.altered({ keyId });
}

/** One transaction around tables, rows and epoch: killed or refused at any point, the database is as empty as before. */
export async function restoreBackup(backup: Backup, options: RestoreOptions): Promise<void> {
  const client = new pg.Client({ ...options.poolOptions, application_name: 'gatewright-restore', keepAlive: true });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('set statement_timeout = 0; set idle_in_transaction_session_timeout = 0');
    if (!(await tryMigrationLock(client)) || (await isServed(client))) throw backupErrors.inUse();
    await refuseContent(client, options);
    const cluster = await clusterId(client);
    await client.query('begin');
    await createMigrationsTable(client);
    const logEpoch = options.logEpoch ?? backup.header.epoch + 1;
    await loadBackup(client, backup, { ...options, logEpoch, cluster });
    await options.beforeCommit(databaseOn(client));
    await client.query('commit');
    await client.query('analyze').catch(() => {});
  } finally {
    await client.end().catch(() => {});
  }
  const pool = createPatientPool(options.poolOptions);
  try {
    await migrate(pool, options.known);
  } finally {
    await pool.end();
  }
}

/** Whether a server is connected to this database right now. */
export async function isServed(client: Pick<pg.Client, 'query'>): Promise<boolean> {
  const { rows } = await client.query(
    `select from pg_stat_activity where datname = current_database() and application_name = any($1) and pid <> pg_backend_pid()`,
    [SERVERS],
  );
  return rows.length > 0;
}

async function refuseContent(client: pg.Client, { place, remedy }: RestoreOptions): Promise<void> {
  const tables = await readTables(client);
  if (tables.length === 0) return;
  const names = tables.map(({ name }) => name);
  const what = `it has ${names.length} tables: ${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}`;
  throw backupErrors.notEmpty({ place, what, remedy });
}
