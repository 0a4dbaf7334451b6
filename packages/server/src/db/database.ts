import { Socket } from 'node:net';
import { CompiledQuery, Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { withPreparedStatements } from './prepared-statements.ts';

/** Every table of the schema. Each store adds its own by declaration merging, so that a new domain changes no file here. */
// biome-ignore lint/suspicious/noEmptyInterface: stores fill it, see users/user-store.ts
export interface Tables {}

/** A pool, or a transaction: stores work on either. */
export type Database = Kysely<Tables>;

const CONNECT_MILLISECONDS = 5_000;
const STATEMENT_MILLISECONDS = 8_000;
/** Longer than any statement may take and than a connection may idle: silence means that nobody is there any more. */
const SILENCE_MILLISECONDS = 9_000;
const IDLE_MILLISECONDS = 5_000;

/** A statement may be sent before the one before is answered: `begin` travels along. Unknown to the driver's types. */
const PIPELINED = { pipeline: true };

/** No request waits for more than ten seconds for a database that hangs. bigint and xid8 stay text: a double can't hold them. */
export function createPool(options: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({
    max: 10,
    ...PIPELINED,
    connectionTimeoutMillis: CONNECT_MILLISECONDS,
    idleTimeoutMillis: IDLE_MILLISECONDS,
    idle_in_transaction_session_timeout: STATEMENT_MILLISECONDS,
    statement_timeout: STATEMENT_MILLISECONDS,
    stream: socketThatNoticesSilence,
    application_name: 'gatewright',
    ...options,
  });
  // A connection that breaks is replaced by the pool, and a statement under way fails by itself. Without listeners on the
  // pool (idle connections) and on each client (those in use) it would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** For migrations, which may wait for each other and take long. */
export function createPatientPool(options: pg.PoolConfig): pg.Pool {
  return createPool({ ...options, max: 1, statement_timeout: 0, stream: () => new Socket() });
}

/** query_timeout would not do: it gives the query up, and keeps the connection that is still busy with it. */
function socketThatNoticesSilence(): Socket {
  const socket = new Socket();
  return socket.setTimeout(SILENCE_MILLISECONDS, () =>
    socket.destroy(new Error('Connection terminated: the database has been silent for too long.')),
  );
}

export function createDatabase(pool: pg.Pool): Database {
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: withPreparedStatements(pool) }) });
}

/** On one connection, in whatever transaction its owner has begun. */
export function databaseOn(client: pg.ClientBase): Database {
  const only: PostgresPoolClient = { query: client.query.bind(client), release: () => {} };
  return new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: { options: {}, connect: async () => only, end: async () => {} } }),
  });
}

/** A statement whose names are made by the program, never by anybody's input. */
export async function queryRows<Row>(db: Database, text: string): Promise<Row[]> {
  return (await db.executeQuery<Row>(CompiledQuery.raw(text))).rows;
}
