import pg from 'pg';
import type { Passwords } from './passwords.ts';

const NAME = 'gatewright';
const PORT = 5432;

export interface Access {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** The server connects as an ordinary role that owns one database, as it would on someone else's PostgreSQL. */
export async function ensureApplicationRole(socketFolder: string, passwords: Passwords): Promise<Access> {
  const client = superuser(socketFolder, passwords);
  await client.connect();
  try {
    const found = await client.query<{ role: boolean; database: boolean }>(
      `select exists (select from pg_roles where rolname = $1) as role,
              exists (select from pg_database where datname = $1) as database`,
      [NAME],
    );
    if (!found.rows[0]?.role) {
      await client.query(`create role ${NAME} login createdb password ${client.escapeLiteral(passwords.application)}`);
    }
    if (!found.rows[0]?.database) await client.query(`create database ${NAME} owner ${NAME}`);
  } finally {
    await client.end();
  }
  return { host: socketFolder, port: PORT, user: NAME, password: passwords.application, database: NAME };
}

export async function answers(socketFolder: string, passwords: Passwords): Promise<boolean> {
  const client = superuser(socketFolder, passwords);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

function superuser(socketFolder: string, passwords: Passwords): pg.Client {
  const client = new pg.Client({
    host: socketFolder,
    port: PORT,
    user: 'postgres',
    password: passwords.superuser,
    database: 'postgres',
    connectionTimeoutMillis: 5_000,
    query_timeout: 60_000,
  });
  client.on('error', () => {});
  return client;
}
