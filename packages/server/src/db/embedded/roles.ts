import pg from 'pg';
import type { Passwords } from './cluster.ts';

const APPLICATION = 'gatewright';

export interface Access {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** The server connects as an ordinary role that owns one database, as it would on someone else's PostgreSQL. */
export async function ensureApplicationRole(socketFolder: string, passwords: Passwords): Promise<Access> {
  const place = { host: socketFolder, port: 5432 };
  const client = new pg.Client({ ...place, user: 'postgres', password: passwords.superuser, database: 'postgres' });
  await client.connect();
  try {
    const found = await client.query<{ role: boolean; database: boolean }>(
      `select exists (select from pg_roles where rolname = $1) as role,
              exists (select from pg_database where datname = $1) as database`,
      [APPLICATION],
    );
    if (!found.rows[0]?.role) {
      await client.query(
        `create role ${APPLICATION} login createdb password ${client.escapeLiteral(passwords.application)}`,
      );
    }
    if (!found.rows[0]?.database) await client.query(`create database ${APPLICATION} owner ${APPLICATION}`);
  } finally {
    await client.end();
  }
  return { ...place, user: APPLICATION, password: passwords.application, database: APPLICATION };
}
