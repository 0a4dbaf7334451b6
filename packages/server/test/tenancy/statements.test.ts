import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operationNamed } from '../../src/management/catalogue.ts';
import { examplesFor, FOR_END_USERS } from '../management/examples.ts';
import { type Home, inhabit } from '../management/inhabited-tenant.ts';
import { createTestDatabase, type TestDatabase } from '../test-database.ts';
import { CALLBACK } from '../visitor.ts';
import { startWorld, type World, type WorldTenant } from '../world.ts';
import { tablesOf } from './tenant-rows.ts';

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

let database: TestDatabase;
let world: World;
let home: Home;
const statements: Statement[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  database.pool.on('connect', listenTo);
  world = await startWorld({ database, worksByItself: false });
  home = await inhabit(world, await world.createTenant('acme'));
  statements.length = 0;
  await everyOperation();
  await everyLogin(home.tenant);
});
afterAll(async () => {
  await world.stop();
  await database.drop();
});

describe('every SQL statement of a request', () => {
  it('that touches a table of tenants compares or writes the tenant', async () => {
    const names = (await tablesOf(database.pool)).join('|');
    const tables = new RegExp(`\\b(from|join|into|update|using)\\s+"?(${names})\\b`);
    const touching = statements.filter(({ text }) => tables.test(text));
    expect(touching.length).toBeGreaterThan(200);
    expect([...new Set(touching.filter(({ text }) => !/\btenant_id\b/.test(text)).map(({ text }) => text))]).toEqual(
      [],
    );
  });

  it('that changes rows names the tenant that was asked, and no statement names another', () => {
    const writing = statements.filter(({ text }) => /^\s*(\/\*.*?\*\/\s*)?(with|insert|update|delete)\b/i.test(text));
    expect(writing.length).toBeGreaterThan(100);
    expect([...new Set(writing.filter((one) => !names('acme', one)).map(({ text }) => text))]).toEqual([]);
    expect(statements.filter((one) => names('dev', one)).map(({ text }) => text)).toEqual([]);
  });
});

/** As a value of its own, or in the JSON of events that are written together. */
function names(tenantId: string, { values }: Statement): boolean {
  return values.flat().some((value) => value === tenantId || String(value).includes(`"tenant_id":"${tenantId}"`));
}

async function everyOperation(): Promise<void> {
  for (const [name, { path, body }] of Object.entries(examplesFor(home))) {
    const { method, status } = operationNamed(name);
    const verb = method.toLowerCase() as Lowercase<typeof method>;
    const response = await home.manage[verb](path, body);
    if (response.statusCode !== (FOR_END_USERS.has(name) ? 403 : status))
      throw new Error(`${name} answers ${response.body}`);
  }
}

async function everyLogin(tenant: WorldTenant): Promise<void> {
  const visitor = world.visitor(tenant);
  const { code, verifier } = await visitor.logIn();
  const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: CALLBACK };
  const { access_token } = (await world.token({ ...form, ...tenant.spa_client }, tenant)).json();
  await world.request({ path: '/userinfo', headers: { authorization: `Bearer ${access_token}` }, tenant });
  await world.token({ ...form, ...tenant.spa_client }, tenant);
  await visitor.authorize({ prompt: 'none' });
  await visitor.get('/v2/logout');
  const login = { grant_type: 'password', username: tenant.user.email, password: tenant.user.password };
  const tokens = await world.token({ ...login, ...tenant.password_client, scope: 'openid offline_access' }, tenant);
  const { refresh_token } = tokens.json();
  await world.token({ grant_type: 'refresh_token', refresh_token, ...tenant.password_client }, tenant);
  const revocation = { ...tenant.password_client, token: refresh_token };
  await world.request({ path: '/oauth/revoke', form: revocation, tenant });
  const begun = await world.visitor(tenant).authorize({ screen_hint: 'signup' });
  await world.visitor(tenant).submit(begun.response, { email: 'new@example.com', password: 'Correct horse 5 battery' });
}

/** Writes down what a connection is asked, and asks it. */
function listenTo(client: pg.PoolClient): void {
  const query: (...given: unknown[]) => unknown = client.query.bind(client);
  Object.assign(client, {
    query(...given: unknown[]) {
      const [first, second] = given;
      const { text, values } = Object(first);
      statements.push({
        text: typeof first === 'string' ? first : String(text),
        values: Array.isArray(second) ? second : Array.isArray(values) ? values : [],
      });
      return query(...given);
    },
  });
}
