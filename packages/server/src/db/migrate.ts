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

type Connection = Pick<pg.ClientBase, 'query'>;

/**
 * Applies the migrations that this database lacks, in order, each in a transaction. Safe when two servers start at once.
 * Answers those that a newer version has applied and that this one can live with.
 */
export async function migrate(pool: pg.Pool, migrations?: readonly Migration[]): Promise<readonly string[]> {
  const wanted = migrations ?? (await readMigrations());
  const connection = await pool.connect();
  try {
    // Whoever comes second waits for the first, however long its migrations take.
    await connection.query('set statement_timeout = 0');
    await connection.query('select pg_advisory_lock($1)', [ADVISORY_LOCK]);
    await createMigrationsTable(connection);
    const applied = await connection.query<Applied>(
      'select number, name, expands from schema_migrations order by number',
    );
    const newer = checkNewer(applied.rows, wanted);
    const done = new Set(applied.rows.map((row) => row.number));
    for (const migration of wanted) {
      if (!done.has(migration.number)) await apply(connection, migration);
    }
    return newer;
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

interface Applied {
  readonly number: number;
  readonly name: string;
  readonly expands: boolean;
}

/**
 * A rolling upgrade, or a rollback, runs an older version on the newer one's schema. It may where all that it does not know
 * only adds to what it knows (CONTRIBUTING.md); else it would misread, and damage, what the newer one wrote.
 */
function checkNewer(applied: readonly Applied[], known: readonly Migration[]): string[] {
  const latest = Math.max(0, ...known.map((migration) => migration.number));
  const newer = applied.filter((row) => row.number > latest);
  const breaking = newer.filter((row) => !row.expands);
  if (breaking.length === 0) return newer.map((row) => row.name);
  throw new Error(
    `This database was written by a newer Gatewright: it has ${breaking.map((row) => row.name).join(', ')}, this version knows migrations up to ${latest}. Start the newer version, or restore a backup made by this one.`,
  );
}

export async function createMigrationsTable(connection: Connection): Promise<void> {
  await connection.query(
    'create table if not exists schema_migrations (number integer primary key, name text not null, applied_at timestamptz not null default now())',
  );
  // Versions before the first release had no such column: of what they applied, nobody knows.
  await connection.query(
    'alter table schema_migrations add column if not exists expands boolean not null default false',
  );
}

/** What takes away, renames or narrows says so in its first line: versions before it can't live with it. */
export function expands(migration: Migration): boolean {
  return !/^-- contracts: /.test(migration.sql);
}

export async function recordMigration(connection: Connection, migration: Migration): Promise<void> {
  await connection.query('insert into schema_migrations (number, name, expands) values ($1, $2, $3)', [
    migration.number,
    migration.name,
    expands(migration),
  ]);
}

/** False where another server migrates, or restores, right now. Held until the connection ends. */
export async function tryMigrationLock(connection: Connection): Promise<boolean> {
  const { rows } = await connection.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [ADVISORY_LOCK]);
  return rows[0]?.got === true;
}

async function apply(connection: pg.PoolClient, migration: Migration): Promise<void> {
  await connection.query('begin');
  try {
    await connection.query(migration.sql);
    await recordMigration(connection, migration);
    await connection.query('commit');
  } catch (cause) {
    await connection.query('rollback').catch(() => {});
    throw new Error(`Migration ${migration.name} failed; nothing of it was applied.`, { cause });
  }
}
