import { createHash } from 'node:crypto';
import pg from 'pg';
import { copyIn } from '../db/copy-stream.ts';
import type { Migration } from '../db/migrate.ts';
import { recordMigration } from '../db/migrate.ts';
import { BrokenFrames } from '../kit/frames.ts';
import { beginEpochAt } from '../logs/log-epoch.ts';
import { makeDay } from '../logs/partitions/partition-keeper.ts';
import { backupErrors } from './backup-errors.ts';
import type { Header, TableSummary } from './backup-format.ts';
import { IN_HEADER, readTables } from './database-shape.ts';
import type { Backup, BackupFrame } from './open-backup.ts';

export interface LoadOptions {
  readonly path: string;
  /** What this version knows; those that the backup has are applied before its rows come. */
  readonly known: readonly Migration[];
  readonly logEpoch: number;
  /** Of the log (logs/log-epoch.ts), asked for before the transaction. */
  readonly cluster: string | undefined;
  readonly onProgress?: ((progress: { table: string; rows: number; bytes: number }) => void) | undefined;
}

/** In the caller's transaction, into an empty schema: the tables as they were, then their rows, then an epoch of the log. */
export async function loadBackup(client: pg.Client, backup: Backup, options: LoadOptions): Promise<void> {
  const { header, summary } = backup;
  const { path, known, logEpoch, cluster, onProgress } = options;
  for (const { number } of header.migrations) {
    const migration = known.find((one) => one.number === number);
    if (!migration) throw new Error(`Migration ${number} is not there.`);
    await client.query(migration.sql);
    await recordMigration(client, migration);
  }
  await checkTables(client, header);
  for (const day of header.logDays) await makeDay(client, day);
  // Rows come as they were: what a trigger did at the time is in them already.
  for (const { name } of header.tables) await client.query(`alter table ${quoted(name)} disable trigger user`);
  await client.query(SETTINGS);
  await loadTables(client, backup.frames(), { header, tables: summary.tables, path, onProgress });
  for (const { name } of header.tables) await client.query(`alter table ${quoted(name)} enable trigger user`);
  for (const { name, value, isCalled } of header.sequences)
    await client.query('select setval($1::regclass, $2::bigint, $3)', [quoted(name), value, isCalled]);
  await beginEpochAt(client, logEpoch, cluster);
  // Whoever listens has an empty database in mind.
  await client.query(`select pg_notify('configuration_changed', '*')`);
}

const SETTINGS = `set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres'; set local timezone = 'UTC';
  set local client_encoding = 'UTF8'`;
const quoted = (name: string): string => pg.escapeIdentifier(name);

/** Every name of the file is one that our own migrations made: nothing else of it becomes a statement. */
async function checkTables(client: pg.Client, { tables, sequences }: Header): Promise<void> {
  const present = new Map((await readTables(client)).map(({ name, columns }) => [name, new Set(columns)]));
  for (const name of IN_HEADER) present.delete(name);
  const strange = tables.filter(({ name, columns }) => !isSame(new Set(columns), present.get(name)));
  if (strange.length > 0 || present.size !== tables.length)
    throw backupErrors.foreignTable({ what: `table ${strange[0]?.name ?? 'missing'}` });
  const { rows } = await client.query<{ name: string }>(
    `select relname as name from pg_class where relkind = 'S' and relnamespace = current_schema()::regnamespace`,
  );
  const known = new Set(rows.map(({ name }) => name));
  const unknown = sequences.find(({ name }) => !known.has(name));
  if (unknown) throw backupErrors.foreignTable({ what: `sequence ${unknown.name}` });
}

function isSame(columns: ReadonlySet<string>, present: ReadonlySet<string> | undefined): boolean {
  return present !== undefined && columns.size === present.size && columns.isSubsetOf(present);
}

interface Loading {
  readonly header: Header;
  readonly tables: readonly TableSummary[];
  readonly path: string;
  readonly onProgress: LoadOptions['onProgress'];
}

async function loadTables(
  client: pg.Client,
  frames: AsyncGenerator<BackupFrame, void, void>,
  { header, tables, path, onProgress }: Loading,
): Promise<void> {
  const damaged = () => backupErrors.damaged({ path });
  const next = async (): Promise<BackupFrame> => {
    const step = await frames.next().catch((cause: unknown) => {
      throw cause instanceof BrokenFrames || isOfZstd(cause) ? backupErrors.damaged({ path }, { cause }) : cause;
    });
    if (step.done) throw damaged();
    return step.value;
  };
  let frame = await next();
  for (const [place, { name, columns }] of header.tables.entries()) {
    const expected = tables[place];
    if (frame.type !== 'T' || frame.content.toString() !== name || !expected) throw damaged();
    const hash = createHash('sha256');
    let bytes = 0;
    async function* rows(): AsyncGenerator<Buffer, void, void> {
      for (frame = await next(); frame.type === 'D'; frame = await next()) {
        bytes += frame.content.length;
        if (bytes > (expected?.bytes ?? 0)) throw damaged();
        hash.update(frame.content);
        yield frame.content;
      }
    }
    const list = columns.map(quoted).join(', ');
    const loaded = await copyIn(client, `copy ${quoted(name)} (${list}) from stdin`, rows()).catch((cause: unknown) => {
      throw isOfPostgres(cause) ? backupErrors.refused({ table: name, reason: cause.message }, { cause }) : cause;
    });
    if (loaded !== expected.rows || bytes !== expected.bytes || hash.digest('hex') !== expected.sha256) throw damaged();
    onProgress?.({ table: name, rows: loaded, bytes });
  }
  if (frame.type !== 'Z' || !(await frames.next()).done) throw damaged();
}

const isOfPostgres = (cause: unknown): cause is Error =>
  cause instanceof Error && 'code' in cause && /^[0-9A-Z]{5}$/.test(String(cause.code)) && 'severity' in cause;

const isOfZstd = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && /^(ZSTD_|ERR_ZSTD|Z_)/.test(String(cause.code));
