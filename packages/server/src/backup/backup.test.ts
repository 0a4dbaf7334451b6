import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, backUp, countRows, createFolders, restoreConfig, takeApart } from '../../test/backup-files.ts';
import { createTestDatabase, type TestDatabase } from '../../test/test-database.ts';
import { CALLBACK, type Visitor } from '../../test/visitor.ts';
import { startWorld, WORLD_SECRET, type World } from '../../test/world.ts';
import { RESET_FILE, resetLostKey, restore } from '../start/offline.ts';

const silent = { info: () => {} };

let folders: Awaited<ReturnType<typeof createFolders>>;
let world: World;
let visitor: Visitor;
let tokens: { access_token: string; refresh_token: string };
let code: string;
let file: Buffer;
let counts: Record<string, number>;

beforeAll(async () => {
  folders = await createFolders();
  world = await startWorld();
  await world.createTenant('acme');
  visitor = world.visitor();
  const login = await visitor.logIn();
  const exchange = { code: login.code, code_verifier: login.verifier, redirect_uri: CALLBACK };
  tokens = (await world.token({ grant_type: 'authorization_code', ...exchange, ...world.spa_client })).json();
  code = (await visitor.authorize({ prompt: 'none' })).answer?.get('code') ?? '';
  const made = await world.api().post('/resource-servers', {
    identifier: 'https://hs.example/',
    signing_alg: 'HS256',
    signing_secret: 'a signing secret of an API',
  });
  expect(made.statusCode).toBe(201);
  await world.database.pool.query(
    `insert into mails (tenant_id, mail_id, template, recipient, sender, subject, language, content, status, status_at, created_at, expires_at)
     values ('acme', 'one', 'some', 'ada@example.com', 'us', 'Hello', 'en', 'sealed with the key', 'stored', now(), now(), now() + interval '1 day')`,
  );
  file = await backUp(world.database.poolOptions);
  counts = await countRows(
    world.database.url,
    takeApart(file).header.tables.map(({ name }) => name),
  );
});
afterAll(async () => {
  await world.stop();
  await folders.remove();
});

async function restored(
  options: { content?: Buffer; secret?: Buffer; withoutKey?: boolean; logEpoch?: number } = {},
): Promise<TestDatabase & { dataDir: string; result: Awaited<ReturnType<typeof restore>> }> {
  const { content = file, secret = WORLD_SECRET, withoutKey = false, logEpoch } = options;
  const database = await createTestDatabase({ migrated: false });
  const dataDir = await folders.newFolder();
  const config = restoreConfig(database.url, dataDir, withoutKey ? undefined : secret);
  const result = await restore(config, silent, { path: await folders.fileOf(content), withoutKey, logEpoch });
  return { ...database, dataDir, result };
}

describe('A backup', () => {
  it('holds the rows of every table', () => {
    const { header, summary } = takeApart(file);
    expect(header.tables.length).toBeGreaterThan(20);
    expect(Object.fromEntries(summary.tables.map(({ name, rows }) => [name, rows]))).toEqual(counts);
    expect(counts).toMatchObject({ tenants: 2, sessions: 1, refresh_tokens: 1, signing_keys: 4 });
  });

  it('holds no secret in clear: keys and secrets as ciphertext, passwords and tokens as hashes', async () => {
    const { body, header } = takeApart(file);
    const text = `${JSON.stringify(header)}${body.toString('latin1')}`;
    const { privateKey } = await world.app.stores.signingKeys.load('dev');
    if (!privateKey) throw new Error('There is no key.');
    const key = privateKey.export({ format: 'der', type: 'pkcs8' });
    const { d = '' } = privateKey.export({ format: 'jwk' });
    const secrets = [
      WORLD_SECRET.toString(),
      WORLD_SECRET.toString('hex'),
      world.management.client_secret,
      world.password_client.client_secret,
      world.admin.password,
      world.user.password,
      tokens.refresh_token,
      tokens.access_token,
      code,
      'a signing secret of an API',
      key.toString('hex'),
      key.toString('base64').slice(40, 200),
      d,
      Buffer.from(d, 'base64url').toString('hex'),
      'PRIVATE KEY',
      ...visitor.cookies.values(),
    ];
    expect(secrets.every((secret) => secret.length > 8)).toBe(true);
    const inHex = (secret: string) => Buffer.from(secret).toString('hex');
    expect(secrets.filter((secret) => text.includes(secret) || text.includes(inHex(secret)))).toEqual([]);
    // The search finds what is there: hashes of passwords are.
    expect(text).toContain('$argon2id$');
    expect(text).toContain(world.user.email);
  });

  it('is taken while others write, of one moment: no event without its change, and no change without its event', async () => {
    let isOver = false;
    const api = world.api();
    const writers = [0, 1, 2].map(async (writer) => {
      for (let n = 0; !isOver; n++) {
        const { statusCode } = await api.post('/roles', { name: `Role ${writer}-${n}` });
        if (statusCode !== 200) throw new Error(`POST /roles answers ${statusCode}`);
      }
    });
    const content = await backUp(world.database.poolOptions);
    isOver = true;
    await Promise.all(writers);
    const database = await restored({ content });
    const [found] = await ask<{ roles: number; events: number }>(
      database.url,
      `select (select count(*)::int from roles where name like 'Role %') as roles,
        (select count(*)::int from log_events where type = 'sapi' and body->>'description' = 'Create a role') as events`,
    );
    expect(found?.roles).toBe(found?.events);
    await database.drop();
  });
});

describe('A restored installation', () => {
  let database: Awaited<ReturnType<typeof restored>>;
  let after: World;
  beforeAll(async () => {
    database = await restored();
    const now = await countRows(database.url, Object.keys(counts));
    expect(now).toEqual(counts);
    after = await startWorld({ database, existing: world.main });
  });
  afterAll(async () => {
    await after.stop();
    await database.drop();
  });

  it('knows the browsers that were logged in', async () => {
    const browser = after.visitor();
    for (const [name, value] of visitor.cookies) browser.cookies.set(name, value);
    const { answer } = await browser.authorize({ prompt: 'none' });
    expect(answer?.get('code')).toBeTruthy();
  });

  it('takes the refresh tokens that it gave, and the tokens that it signed', async () => {
    const refreshed = await after.token({
      grant_type: 'refresh_token',
      refresh_token: tokens.refresh_token,
      ...world.spa_client,
    });
    expect(refreshed.statusCode).toBe(200);
    const token = await world.managementToken();
    const users = await after.request({ path: '/api/v2/users', headers: { authorization: `Bearer ${token}` } });
    expect(users.statusCode).toBe(200);
  });

  it('takes the passwords of its users', async () => {
    const { code: fresh } = await after.visitor().logIn();
    expect(fresh).toBeTruthy();
  });

  it('makes new things beside the old ones', async () => {
    const api = after.api();
    expect((await api.post('/roles', { name: 'After the restore' })).statusCode).toBe(200);
    expect((await api.post('/clients', { name: 'After the restore' })).statusCode).toBe(201);
  });

  it('goes on with its log: every new event comes after every old one, in one epoch more', async () => {
    const before = await ask<{ epoch: number }>(database.url, 'select epoch from log_epoch');
    expect(before).toEqual([{ epoch: 1 }]);
    const ids: string[] = (await after.events()).map(({ log_id }) => String(log_id));
    const ofEpoch = (epoch: string) => ids.filter((id) => id.slice(3, 6) === epoch).sort();
    expect(ofEpoch('000').length).toBeGreaterThan(3);
    expect(ofEpoch('001').length).toBeGreaterThan(3);
    expect(String(ofEpoch('000').at(-1)) < String(ofEpoch('001')[0])).toBe(true);
    // A reader who had seen all of the old log gets all of the new one.
    const from = String(ofEpoch('000').at(-1));
    let next: { log_id: string }[] = [];
    // Other files' transactions hold the horizon back for a moment.
    await expect
      .poll(async () => {
        next = (await after.api().get(`/logs?take=100&from=${from}`)).json();
        return next.map(({ log_id }) => log_id);
      })
      .toEqual(expect.arrayContaining(ofEpoch('001').slice(0, 3)));
    expect(next.every(({ log_id }) => log_id.slice(3, 6) === '001')).toBe(true);
  });

  it('has the days of the log where they were', async () => {
    const days = `select count(*)::int as rows from log_events_default`;
    expect(await ask(database.url, days)).toEqual([{ rows: 0 }]);
  });
});

describe('A lost key', () => {
  it('costs signing keys and secrets, which are made anew and told once; users keep passwords and sessions', async () => {
    const database = await restored({ withoutKey: true });
    const { dataDir, result } = database;
    const kept = JSON.parse(await readFile(join(dataDir, RESET_FILE), 'utf8'));
    expect(kept).toEqual(result.reset);
    expect(kept.map(({ tenant }: { tenant: string }) => tenant)).toEqual(['acme', 'dev']);
    const ofDev = kept[1];
    expect(kept[0].lost).toEqual({ 'mails.content': 1 });
    expect(ofDev.apis).toEqual([
      { identifier: 'https://hs.example/', signing_secret: expect.stringMatching(/^\w{32}$/) },
    ]);
    const secretOf = (id: string) =>
      ofDev.clients.find(({ client_id }: { client_id: string }) => client_id === id)?.client_secret;
    const { management, password_client } = world.main;
    const existing = {
      ...world.main,
      management: { ...management, client_secret: secretOf(management.client_id) },
      password_client: { ...password_client, client_secret: secretOf(password_client.client_id) },
    };
    const secret = Buffer.from((await readFile(join(dataDir, 'secret.key'), 'utf8')).trim());
    const after = await startWorld({ database, existing, secret });

    const former = { grant_type: 'client_credentials', audience: 'https://api.example.com/', ...password_client };
    expect((await after.token(former)).json()).toMatchObject({ error: 'access_denied' });
    expect((await after.api().get('/users')).statusCode).toBe(200);
    const browser = after.visitor();
    for (const [name, value] of visitor.cookies) browser.cookies.set(name, value);
    expect((await browser.authorize({ prompt: 'none' })).answer?.get('code')).toBeTruthy();
    expect((await after.visitor().logIn()).code).toBeTruthy();
    const { refresh_token } = tokens;
    expect((await after.token({ grant_type: 'refresh_token', refresh_token, ...world.spa_client })).statusCode).toBe(
      200,
    );
    // Tokens that the lost key signed live out.
    const token = await world.managementToken();
    const users = await after.request({ path: '/api/v2/users', headers: { authorization: `Bearer ${token}` } });
    expect(users.statusCode).toBe(200);
    expect((await after.events()).map(({ description }) => description)).toContain(
      'Replace keys and secrets whose encryption key is lost',
    );
    await after.stop();
    await database.drop();
  });

  it('is replaced in a database that is still there, but never where the key is', async () => {
    const database = await restored();
    const { dataDir } = database;
    await expect(resetLostKey(restoreConfig(database.url, dataDir, WORLD_SECRET), silent)).rejects.toThrow(
      'The key in GATEWRIGHT_SECRET opens everything in this database: nothing is lost, and nothing was changed.',
    );
    const other = Buffer.from('another secret of 32 characters, or more');
    const reset = await resetLostKey(restoreConfig(database.url, dataDir, other), silent);
    expect(reset.map(({ tenant, lost }) => ({ tenant, lost }))).toEqual([
      { tenant: 'acme', lost: { 'mails.content': 1 } },
      { tenant: 'dev', lost: {} },
    ]);
    const after = await startWorld({ database, existing: world.main, secret: other });
    expect((await after.visitor().logIn()).code).toBeTruthy();
    await after.stop();
    await database.drop();
  });
});
