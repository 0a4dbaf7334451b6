import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test-database.ts';
import { place, run, runToEnd } from './command.ts';
import { startOldPostgres } from './old-postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** Starts on the file's database, or another one, and expects that it does not come up. */
async function refusal(env: Readonly<Record<string, string>>): Promise<string> {
  const here = await place();
  const { code, printed } = await runToEnd(['start'], { env: { ...here.env, DATABASE_URL: database.url, ...env } });
  expect({ code, printed }).toEqual({ code: 1, printed: expect.stringMatching(/^gatewright: /m) });
  expect(printed).not.toMatch(/^\s+at .*:\d+:\d+/m);
  // Each of these messages tells its cause already.
  expect(printed).not.toContain('because:');
  return printed;
}

describe('A start that can not succeed', () => {
  it('lists every wrong variable in one message', async () => {
    const printed = await refusal({
      PORT: '65536',
      HTTPS_PORT: '-1',
      HOST: 'local host',
      TLS_CERT_FILE: '/tmp/cert.pem',
      DATABASE_URL: 'mysql://localhost/x',
      GATEWRIGHT_ORIGIN: 'https://login.example.com:99999',
      GATEWRIGHT_BASE_DOMAIN: 'Example.COM',
      GATEWRIGHT_SECRET: 'short',
      GATEWRIGHT_BOOTSTRAP: 'yes',
      TRUSTED_PROXIES: '10.0.0.0/8, 300.1.1.1, fe80::/129',
      GATEWRIGHT_WORKERS: '0',
      LOG_FORMAT: 'xml',
    });
    expect(printed).toContain('The configuration has 12 faults:\n');
    const named = [...printed.matchAll(/^ {2}- (\w+) must be /gm)].map(([, name]) => name);
    expect(named.sort()).toEqual([
      'DATABASE_URL',
      'GATEWRIGHT_BASE_DOMAIN',
      'GATEWRIGHT_BOOTSTRAP',
      'GATEWRIGHT_ORIGIN',
      'GATEWRIGHT_SECRET',
      'GATEWRIGHT_WORKERS',
      'HOST',
      'HTTPS_PORT',
      'LOG_FORMAT',
      'PORT',
      'TLS_KEY_FILE',
      'TRUSTED_PROXIES',
    ]);
  });

  it.each([
    ['one port for both protocols', { PORT: '34567', HTTPS_PORT: '34567' }, 'HTTPS_PORT must be'],
    ['a secret that is no secret', { GATEWRIGHT_SECRET: 'x'.repeat(40) }, 'GATEWRIGHT_SECRET must be'],
    ['a password that breaks the URL', { DATABASE_URL: 'postgres://me:p%zzss@localhost/db' }, 'DATABASE_URL must be'],
    ['an origin with a path', { GATEWRIGHT_ORIGIN: 'https://login.example.com/auth' }, 'GATEWRIGHT_ORIGIN must be'],
  ])('refuses %s', async (_what, env, words) => {
    const printed = await refusal(env);
    expect(printed).toContain(words);
    expect(printed).not.toContain('p%zzss');
  });

  it.each([
    [
      'nobody listens',
      () => 'postgres://me:topsecret@127.0.0.1:1/db',
      /the PostgreSQL at 127\.0\.0\.1:1 can't be reached/,
    ],
    [
      'the password is wrong',
      () => {
        const url = new URL(database.url);
        url.password = 'topsecret';
        return url.href;
      },
      /refuses the user '.+' \(password authentication failed/,
    ],
    [
      'the database does not exist',
      () => {
        const url = new URL(database.url);
        url.pathname = '/no_such_database';
        return url.href;
      },
      /has no database 'no_such_database'\. Create it: createdb -E UTF8 -T template0 -O /,
    ],
    [
      'it is older than 15',
      () => startOldPostgres({ version: '14.19', number: '140019', encoding: 'UTF8' }),
      /has version 14\.19, and Gatewright needs 15 or newer/,
    ],
    [
      'it does not keep Unicode',
      () => startOldPostgres({ version: '18.0', number: '180000', encoding: 'SQL_ASCII' }),
      /'somewhere' has the encoding SQL_ASCII, and Gatewright needs UTF8/,
    ],
  ])('says of DATABASE_URL that %s, without the password', async (_what, url, words) => {
    const printed = await refusal({ DATABASE_URL: await url() });
    expect(printed).toMatch(words);
    expect(printed).not.toContain('topsecret');
  });

  it('says that a newer version wrote the database', async () => {
    const { pool } = database;
    await pool.query(`insert into schema_migrations (number, name) values (9999, '9999_tomorrow.sql')`);
    onTestFinished(async () => void (await pool.query('delete from schema_migrations where number = 9999')));
    expect(await refusal({})).toContain('was written by a newer Gatewright: it has 9999_tomorrow.sql');
  });

  it('says that a port is in use, and that an address or a certificate is missing', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = typeof address === 'object' && address ? String(address.port) : '';
    const message = `Port ${port} on 127.0.0.1 is in use. Stop the program that uses it`;
    expect(await refusal({ PORT: port })).toContain(message);
    // Before anything is made: a first start leaves no cluster and no secrets behind.
    const { dataDir } = await place();
    const embedded = { DATABASE_URL: '', GATEWRIGHT_DATA_DIR: dataDir, HTTPS_PORT: port };
    expect(await refusal(embedded)).toContain(message);
    expect(await readdir(dataDir)).toEqual([]);
    expect(await refusal({ HOST: '192.0.2.1' })).toContain('None of the addresses 192.0.2.1 exists on this machine.');
    expect(await refusal({ TLS_CERT_FILE: '/no/cert.pem', TLS_KEY_FILE: '/no/key.pem' })).toContain(
      "TLS_CERT_FILE can't be read: /no/cert.pem (ENOENT)",
    );
  });

  it('says that the data folder can not be made', async () => {
    const { folder } = await place();
    await writeFile(join(folder, 'file'), '');
    expect(await refusal({ GATEWRIGHT_DATA_DIR: join(folder, 'file/data') })).toMatch(
      /The data folder .*file\/data can't be made \(ENOTDIR\)\./,
    );
  });
});

describe('A database that was sealed with a secret', () => {
  it('is opened by that one alone, and gets its first tenant only when asked for', async () => {
    const { env, dataDir } = await place();
    const shared = { ...env, DATABASE_URL: database.url, GATEWRIGHT_SECRET: 'MfS2bV0ua3R4c5sQpWc1hT7nXz8yKd9E' };
    const empty = run(['start'], { env: shared });
    await empty.says('Ready after');
    // No tenant yet: nobody answers, nothing was written, and the operator is told what to do.
    expect(empty.printed()).toMatch(/There is no tenant yet, .* npx gatewright tenant create <name>\n/);
    expect((await fetch(`http://localhost:${env.PORT}/.well-known/jwks.json`)).status).toBe(404);
    expect(empty.printed()).not.toContain('Made the tenant');
    await empty.end();

    const bootstrapped = run(['start'], { env: { ...shared, GATEWRIGHT_BOOTSTRAP: '1' } });
    await bootstrapped.says('Ready after');
    expect(bootstrapped.printed()).toContain("Made the tenant 'dev'");
    expect((await fetch(`http://localhost:${env.PORT}/.well-known/jwks.json`)).status).toBe(200);
    await bootstrapped.end();

    const wrong = await refusal({ GATEWRIGHT_SECRET: '0123456789abcdefghijklmnopqrstuvwxyz' });
    expect(wrong).toMatch(
      /sealed with another key than the one in GATEWRIGHT_SECRET\. Set GATEWRIGHT_SECRET to the value/,
    );
    await mkdir(join(dataDir, '..', 'second'), { recursive: true });
    expect(await refusal({ GATEWRIGHT_DATA_DIR: join(dataDir, '..', 'second') })).toMatch(
      /second\/secret\.key is missing, and this database holds keys and secrets that were sealed with another/,
    );
  });
});

describe('A start in a folder that others may write', () => {
  it.each([
    [0o777, true],
    [0o755, false],
  ])('warns, by its mode: %s, %s', async (mode, warns) => {
    const { folder, env } = await place();
    const own = await createTestDatabase();
    onTestFinished(() => own.drop());
    const dataDir = join(folder, 'open');
    await mkdir(dataDir);
    await chmod(dataDir, mode);
    const server = run(['start'], { env: { ...env, DATABASE_URL: own.url, GATEWRIGHT_DATA_DIR: dataDir } });
    await server.says('Ready after');
    expect(await server.end('SIGTERM')).toMatchObject({ code: 0 });
    expect(server.printed().includes(`close it: chmod 700 ${dataDir}`)).toBe(warns);
  });
});
