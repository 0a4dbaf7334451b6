import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, countRows, createFolders, restoreConfig, takeApart } from '../../test/backup-files.ts';
import { createTestDatabase, type TestDatabase } from '../../test/test-database.ts';
import { startWorld, type World } from '../../test/world.ts';
import { readMigrations } from '../db/migrate.ts';
import { restore } from '../start/offline.ts';

/** Taken by the first version, at migration 15, with rows in every table; nothing in it ends before 2099. */
const FIXTURE = join(import.meta.dirname, '../../test/upgrade/schema-0015');

let folders: Awaited<ReturnType<typeof createFolders>>;
let database: TestDatabase;
let world: World;
let known: Awaited<ReturnType<typeof readFixture>>;

async function readFixture() {
  return JSON.parse(await readFile(`${FIXTURE}.json`, 'utf8'));
}

beforeAll(async () => {
  folders = await createFolders();
  known = await readFixture();
  const secret = Buffer.from(known.secret);
  database = await createTestDatabase({ migrated: false });
  const config = restoreConfig(database.url, await folders.newFolder(), secret);
  await restore(config, { info: () => {} }, { path: `${FIXTURE}.backup`, withoutKey: false, logEpoch: undefined });
  world = await startWorld({ database, existing: known.tenant, secret });
});
afterAll(async () => {
  await world.stop();
  await database.drop();
  await folders.remove();
});

describe('A database of the first version, migrated to this one', () => {
  it('has its rows of every table', async () => {
    const { header, summary } = takeApart(await readFile(`${FIXTURE}.backup`));
    expect(header.migrations.at(-1)?.number).toBe(15);
    expect(summary.tables.filter(({ rows }) => rows === 0).map(({ name }) => name)).toEqual([]);
    const names = summary.tables.map(({ name }) => name).filter((name) => name !== 'log_events');
    const expected = summary.tables.filter(({ name }) => names.includes(name));
    expect(await countRows(database.url, names)).toEqual(
      Object.fromEntries(expected.map(({ name, rows }) => [name, rows])),
    );
    const applied = await ask<{ number: number }>(database.url, 'select number from schema_migrations order by 1');
    expect(applied.map(({ number }) => number)).toEqual((await readMigrations()).map(({ number }) => number));
  });

  it('knows the browser that was logged in', async () => {
    const browser = world.visitor();
    for (const [name, value] of Object.entries(known.cookies)) browser.cookies.set(name, String(value));
    expect((await browser.authorize({ prompt: 'none' })).answer?.get('code')).toBeTruthy();
  });

  it('takes its refresh tokens, passwords, client secrets and opaque access tokens', async () => {
    const { refresh_token, access_token } = known;
    const refreshed = await world.token({ grant_type: 'refresh_token', refresh_token, ...world.spa_client });
    expect(refreshed.json()).toMatchObject({ access_token: expect.any(String) });
    expect((await world.visitor().logIn()).code).toBeTruthy();
    expect((await world.api('read:users').get('/users')).statusCode).toBe(200);
    const userinfo = await world.request({
      path: '/userinfo',
      headers: { authorization: `Bearer ${access_token}` },
    });
    expect(userinfo.json()).toMatchObject({ sub: expect.stringMatching(/^auth0\|/) });
  });

  it('lists all that was in it', async () => {
    const api = world.api();
    for (const path of ['/clients', '/connections', '/resource-servers', '/client-grants', '/roles', '/users', '/logs'])
      expect({ path, status: (await api.get(path)).statusCode }).toEqual({ path, status: 200 });
  });
});
