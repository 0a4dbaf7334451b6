import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';

const MIGRATIONS = fileURLToPath(new URL('../../migrations/', import.meta.url));
/** Any constant that no other program on this database uses: one server migrates, the others wait. */
const ADVISORY_LOCK = 0x6761_7465;

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

/** Applies the migrations that this database lacks, in order, each in a transaction. Safe when two servers start at once. */
export async function migrate(pool: pg.Pool, migrations?: readonly Migration[]): Promise<void> {
  const wanted = migrations ?? (await readMigrations());
  const connection = await pool.connect();
  try {
    // Whoever comes second waits for the first, however long its migrations take.
    await connection.query('set statement_timeout = 0');
    await connection.query('select pg_advisory_lock($1)', [ADVISORY_LOCK]);
    await connection.query(
      'create table if not exists schema_migrations (number integer primary key, name text not null, applied_at timestamptz not null default now())',
    );
    const applied = await connection.query<{ number: number; name: string }>(
      'select number, name from schema_migrations order by number',
    );
    refuseNewer(applied.rows, wanted);
    const done = new Set(applied.rows.map((row) => row.number));
    for (const migration of wanted) {
      if (!done.has(migration.number)) await apply(connection, migration);
    }
  } finally {
    await connection.query('select pg_advisory_unlock($1)', [ADVISORY_LOCK]).catch(() => {});
    // Its settings are no longer those of the pool.
    connection.release(true);
  }
}

export async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(MIGRATIONS)).filter((name) => /^\d{4}_\w+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => ({
      number: Number(name.slice(0, 4)),
      name,
      sql: await readFile(MIGRATIONS + name, 'utf8'),
    })),
  );
}

/** An older server would misread, and damage, what a newer one wrote. */
function refuseNewer(applied: readonly { number: number; name: string }[], known: readonly Migration[]): void {
  const latest = Math.max(0, ...known.map((migration) => migration.number));
  const newer = applied.filter((row) => row.number > latest);
  if (newer.length === 0) return;
  throw new Error(
    `This database was written by a newer Gatewright: it has ${newer.map((row) => row.name).join(', ')}, this version knows migrations up to ${latest}. Start the newer version, or restore a backup made by this one.`,
  );
}

async function apply(connection: pg.PoolClient, migration: Migration): Promise<void> {
  await connection.query('begin');
  try {
    await connection.query(migration.sql);
    await connection.query('insert into schema_migrations (number, name) values ($1, $2)', [
      migration.number,
      migration.name,
    ]);
    await connection.query('commit');
  } catch (cause) {
    await connection.query('rollback').catch(() => {});
    throw new Error(`Migration ${migration.name} failed; nothing of it was applied.`, { cause });
  }
}
