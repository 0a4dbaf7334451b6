import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';

/** Every table of the schema. Each store adds its own by declaration merging, so that a new domain changes no file here. */
// biome-ignore lint/suspicious/noEmptyInterface: stores fill it, see users/user-store.ts
export interface Tables {}

/** A pool, or a transaction: stores work on either. */
export type Database = Kysely<Tables>;

/** bigint and xid8 stay text: a double can't hold them. */
export function createPool(options: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({
    max: 10,
    connectionTimeoutMillis: 5_000,
    idle_in_transaction_session_timeout: 10_000,
    statement_timeout: 30_000,
    application_name: 'gatewright',
    ...options,
  });
  // A connection that breaks while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {});
  return pool;
}

export function createDatabase(pool: pg.Pool): Database {
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}
