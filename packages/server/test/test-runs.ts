import type pg from 'pg';

export const RUN_PREFIX = 'gatewright_test_';
const LOCK_CLASS = 0x6774;

/** A run is alive as long as this connection holds its lock. */
export async function holdRun(admin: pg.Client, run: number): Promise<void> {
  await admin.query('select pg_advisory_lock($1, $2)', [LOCK_CLASS, run]);
}

/** Drops the databases of runs that ended without cleaning up, and those of `own`. */
export async function dropLeftovers(admin: pg.Client, own?: number): Promise<void> {
  const databases = await admin.query<{ datname: string }>(
    'select datname from pg_database where starts_with(datname, $1)',
    [RUN_PREFIX],
  );
  const alive = await admin.query<{ run: string }>(
    `select objid::text as run from pg_locks where locktype = 'advisory' and classid = $1 and granted`,
    [LOCK_CLASS],
  );
  const running = new Set(alive.rows.map(({ run }) => run));
  for (const { datname } of databases.rows) {
    const run = datname.slice(RUN_PREFIX.length).split('_')[0] ?? '';
    if (run === String(own) || !running.has(run)) await admin.query(`drop database if exists ${datname} with (force)`);
  }
}

/** The same server's other database. */
export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
