import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { created, decodeJwt, eventsOf } from '../protocol.ts';
import { createTestDatabase, type TestDatabase } from '../test-database.ts';
import { type ManagementClient, startWorld, type World } from '../world.ts';
import { action, setActions } from './actions.ts';

const HANDLER = 'onExecuteCredentialsExchange';

let database: TestDatabase;
let world: World;
const statements: string[] = [];
let manage: ManagementClient;
let audience: string;
beforeAll(async () => {
  database = await createTestDatabase();
  database.pool.on('connect', listenTo);
  world = await startWorld({ database, worksByItself: false });
  manage = world.api();
  audience = world.main.api.identifier;
});
afterAll(async () => {
  await world.stop();
  await database.drop();
});

const setForAll = (...bodies: string[]) =>
  setActions(
    world,
    'credentials-exchange',
    bodies.map((body) => action(HANDLER, body)),
  );

/** Tokens for the Management API are left alone: the test needs some. */
const set = (...bodies: string[]) =>
  setForAll(...bodies.map((body) => `if (event.resource_server.identifier !== '${audience}') return;\n${body}`));

/** A token of the first run's password client, which may use the client-credentials grant. */
const exchange = (changes: Record<string, string> = {}) =>
  world.token({
    grant_type: 'client_credentials',
    ...world.password_client,
    audience: audience,
    ...changes,
  });

const claimsOf = async (changes: Record<string, string> = {}) => {
  const response = await exchange(changes);
  expect(response.statusCode, response.body).toBe(200);
  return decodeJwt(response.json().access_token).claims;
};

describe('actions at credentials-exchange', () => {
  it('cost a tenant that has none nothing: for a token no table is read', async () => {
    await exchange();
    statements.length = 0;
    expect((await exchange()).statusCode).toBe(200);
    expect(statements.filter((text) => /\b(?:actions|action_\w+|hooks)\b/.test(text))).toEqual([]);
    expect(statements.filter((text) => /\bselect\b.*\bfrom\b/is.test(text) && !/insert into/i.test(text))).toEqual([]);
  });

  it('RUL.3: add claims to the token, one action after the other, and each sees what those before it did', async () => {
    await set(
      `api.accessToken.setCustomClaim('https://example.com/plan', event.client.name);`,
      `api.accessToken.setCustomClaim('seen', event.accessToken.customClaims);`,
    );
    const { name } = (await manage.get(`/clients/${world.password_client.client_id}`)).json();
    expect(await claimsOf()).toMatchObject({
      'https://example.com/plan': name,
      seen: { 'https://example.com/plan': name },
    });
  });

  it.each(['invalid_scope', 'invalid_request', 'server_error'])('deny with %s and a reason', async (code) => {
    await set(`api.access.deny('${code}', 'Not today.');`, `throw new Error('never runs');`);
    const events = await eventsOf(world, async () => {
      const response = await exchange();
      expect([response.statusCode, response.json()]).toEqual([
        code === 'server_error' ? 500 : 400,
        { error: code, error_description: 'Not today.' },
      ]);
    });
    expect(events.map(({ type }) => type)).toEqual(['feccft']);
  });

  it('have their reasons told without control characters', async () => {
    await set(`api.access.deny('invalid_request', '\\n Not\\u0000today.\\r');`);
    expect((await exchange()).json().error_description).toBe('Not today.');
  });

  it('choose the scopes of the token', async () => {
    await set(
      `api.transaction.clearTargetScopes(); api.transaction.addTargetScope('read:messages');`,
      `api.accessToken.setCustomClaim('targets', event.transaction.target_scopes); api.transaction.addTargetScope('not a scope');`,
    );
    const response = (await exchange()).json();
    expect(response.scope).toBe('read:messages');
    expect(decodeJwt(response.access_token).claims).toMatchObject({
      scope: 'read:messages',
      targets: ['read:messages'],
    });
  });

  it('neither see the secret of the client nor widen what it may do at the Management API', async () => {
    await setForAll(
      `api.accessToken.setCustomClaim('https://example.com/event', event);
       api.accessToken.setCustomClaim('private', 1); api.accessToken.setCustomClaim('sub', 'root@clients');
       api.transaction.addTargetScope('create:users');`,
    );
    const { client_id, client_secret } = world.management;
    const claims = await claimsOf({
      client_id,
      client_secret,
      audience: world.managementAudience,
      scope: 'read:logs',
    });
    expect(claims).toMatchObject({ scope: 'read:logs', sub: `${client_id}@clients` });
    expect(claims).not.toHaveProperty('private');
    expect(JSON.stringify(claims)).not.toContain(client_secret);
  });

  it('give a token for the Management API without their claims where those are too large, and a warning says so', async () => {
    await setForAll(`api.accessToken.setCustomClaim('https://example.com/a', 'x'.repeat(2_000));`);
    const token = await world.managementToken(['read:users']);
    await setForAll();
    expect(decodeJwt(token).claims).not.toHaveProperty(['https://example.com/a']);
    const headers = { authorization: `Bearer ${token}` };
    expect((await world.request({ path: '/api/v2/users?per_page=1', headers })).statusCode).toBe(200);
    const { client_id } = world.management;
    const warnings = (await world.events()).filter(({ type }) => type === 'w');
    expect(warnings[0]).toMatchObject({ client_id, description: expect.stringContaining('2000 bytes') });
  });

  it('deny without their secrets in the log: the application is told all of it', async () => {
    const body = `api.access.deny('invalid_request', 'Ask with ' + event.secrets.KEY);`;
    const code = action(HANDLER, `if (event.resource_server.identifier !== '${audience}') return;\n${body}`);
    await setActions(world, 'credentials-exchange', [{ code, secrets: [{ name: 'KEY', value: 'key-of-a-partner' }] }]);
    const events = await eventsOf(world, async () => {
      expect((await exchange()).json().error_description).toBe('Ask with key-of-a-partner');
    });
    expect(events).toMatchObject([{ type: 'feccft', description: 'Ask with *****' }]);
    expect(JSON.stringify(events)).not.toContain('key-of-a-partner');
  });

  it('fail closed: a token is not given where one of them throws, and the words are for the log', async () => {
    await set(`throw new Error('what went wrong');`);
    const events = await eventsOf(world, async () => {
      const response = await exchange();
      expect([response.statusCode, response.json()]).toEqual([
        500,
        { error: 'server_error', error_description: 'Internal error.' },
      ]);
    });
    expect(events).toMatchObject([
      { type: 'actions_execution_failed', description: expect.stringContaining('what went wrong') },
      { type: 'feccft' },
    ]);
  });

  it('that fail do not close the Management API, where they could be mended', async () => {
    await setForAll(`throw new Error('for everybody');`);
    const { client_id, client_secret } = world.management;
    const events = await eventsOf(world, async () => {
      await claimsOf({ client_id, client_secret, audience: world.managementAudience });
      expect((await exchange()).statusCode).toBe(500);
    });
    expect(events.map(({ type }) => type)).toEqual(['actions_execution_failed', 'feccft']);
    await set();
  });

  it('that deny a token for the Management API are not passed by ending containers', async () => {
    const ended = await world.createTenant('ended');
    const { api, management, password_client, managementAudience } = ended;
    const ask = ({ client_id, client_secret }: typeof management, audience: string) =>
      world.token({ grant_type: 'client_credentials', client_id, client_secret, audience }, ended);
    await setActions(
      world,
      'credentials-exchange',
      [
        action(
          HANDLER,
          `if (event.resource_server.identifier === '${api.identifier}') process.exit(1);
           api.access.deny('invalid_request', 'Not you.');`,
        ),
      ],
      ended,
    );
    expect((await ask(management, managementAudience)).json().error_description).toBe('Not you.');
    for (let time = 0; time < 5; time++) expect((await ask(password_client, api.identifier)).statusCode).toBe(500);
    const response = await ask(management, managementAudience);
    expect([response.statusCode, response.json()]).toEqual([
      500,
      { error: 'server_error', error_description: 'Internal error.' },
    ]);
  });

  it('are not asked of another tenant', async () => {
    await set(`api.access.deny('invalid_request', 'mine');`);
    const other = await world.createTenant('other');
    const response = await world.token(
      { grant_type: 'client_credentials', ...other.password_client, audience: other.api.identifier },
      other,
    );
    expect(response.statusCode, response.body).toBe(200);
    await set();
  });
});

describe('a hook at credentials-exchange', () => {
  const hook = async (script: string, secrets: Record<string, string> = {}) => {
    const made = await created(
      manage.post('/hooks', { name: 'machine', script, triggerId: 'credentials-exchange', enabled: true }),
    );
    if (Object.keys(secrets).length > 0) await manage.post(`/hooks/${made.id}/secrets`, secrets);
    return String(made.id);
  };

  it('adds claims and scopes, reads its secrets, and runs before the actions', async () => {
    await set(`api.accessToken.setCustomClaim('seen', event.accessToken.customClaims);`);
    const id = await hook(
      `module.exports = function (client, scope, audience, context, cb) {
        if (audience !== '${audience}') return cb(null, {});
        cb(null, { scope: scope.concat('extra'), 'https://example.com/key': context.webtask.secrets.KEY, 'https://example.com/id': client.id });
      };`,
      { KEY: 'opens' },
    );
    const claims = await claimsOf();
    expect(claims).toMatchObject({
      'https://example.com/key': 'opens',
      'https://example.com/id': world.password_client.client_id,
      seen: { 'https://example.com/key': 'opens' },
    });
    expect(String(claims.scope).split(' ')).toContain('extra');
    await manage.delete(`/hooks/${id}`);
    await set();
  });

  it('refuses with its errors', async () => {
    const id = await hook(
      `module.exports = (client, scope, audience, context, cb) =>
        audience === '${audience}' ? cb(new InvalidScopeError('no such scope')) : cb(null, {});`,
    );
    const response = await exchange();
    expect([response.statusCode, response.json()]).toEqual([
      400,
      { error: 'invalid_scope', error_description: 'no such scope' },
    ]);
    await manage.delete(`/hooks/${id}`);
  });
});

function listenTo(client: pg.PoolClient): void {
  const query: (...given: unknown[]) => unknown = client.query.bind(client);
  Object.assign(client, {
    query(...given: unknown[]) {
      const [first] = given;
      statements.push(typeof first === 'string' ? first : String(Object(first).text));
      return query(...given);
    },
  });
}
