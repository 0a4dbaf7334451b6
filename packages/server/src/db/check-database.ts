import pg from 'pg';

const OLDEST = 15;
const PATIENCE_MILLISECONDS = 10_000;

/** Says in words what DATABASE_URL lacks, before migrations fail in their own way. Never repeats the password. */
export async function checkDatabase(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: PATIENCE_MILLISECONDS });
  client.on('error', () => {});
  const place = `${client.host}:${client.port}`;
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string; number: string; encoding: string }>(
      `select current_setting('server_version') as version, current_setting('server_version_num') as number,
        current_setting('server_encoding') as encoding`,
    );
    const [found] = rows;
    if (found) checkServer(found, place, client.database ?? '');
  } catch (cause) {
    if (cause instanceof DatabaseUnfit) throw cause;
    const [why, remedy] = explain(cause, client);
    throw new Error(`DATABASE_URL: the PostgreSQL at ${place} ${why}. ${remedy}`);
  } finally {
    await client.end().catch(() => {});
  }
}

class DatabaseUnfit extends Error {}

function checkServer(found: { version: string; number: string; encoding: string }, place: string, database: string) {
  if (Number(found.number) < OLDEST * 10_000)
    throw new DatabaseUnfit(
      `DATABASE_URL: the PostgreSQL at ${place} has version ${found.version}, and Gatewright needs ${OLDEST} or newer.`,
    );
  if (found.encoding !== 'UTF8')
    throw new DatabaseUnfit(
      `DATABASE_URL: the database '${database}' has the encoding ${found.encoding}, and Gatewright needs UTF8. Create one with "create database … encoding 'UTF8' template template0".`,
    );
}

function explain(cause: unknown, { user, database }: pg.Client): readonly [why: string, remedy: string] {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const said = cause instanceof Error ? cause.message : String(cause);
  if (code === '28P01' || code === '28000')
    return [
      `refuses the user '${user}' (${said})`,
      'Check the user and the password in DATABASE_URL, and pg_hba.conf.',
    ];
  if (code === '3D000')
    return [`has no database '${database}'`, `Create it: createdb -E UTF8 -T template0 -O ${user} ${database}.`];
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return ['is not found', 'Check the host name in DATABASE_URL.'];
  if (code === '57P03') return [`is not ready (${said})`, 'Start again in a moment.'];
  return [`can't be reached (${said || code})`, 'Is it running, and do host and port in DATABASE_URL name it?'];
}
