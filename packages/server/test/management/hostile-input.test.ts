import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../world.ts';
import { examplesFor } from './examples.ts';
import { type Home, inhabit } from './inhabited-tenant.ts';

const INJECTIONS = [
  "'; drop table users; --",
  '" or ""="',
  "x' or '1'='1",
  '%',
  '_',
  '\\',
  '*',
  '(((((',
  'a:b:c',
  '{"$ne":null}',
  '$1',
  'name:1; select pg_sleep(10)',
  '../../etc/passwd',
  '\u202e\uffff',
  `${'a OR '.repeat(200)}a`,
];

let world: World;
let home: Home;
beforeAll(async () => {
  world = await startWorld();
  home = await inhabit(world, world.main);
});
afterAll(() => world.stop());

describe('a hostile value', () => {
  it.each([
    ...['/users?q', '/users?sort', '/users?connection', '/users-by-email?email', '/roles?name_filter'],
    ...['/clients?q', '/clients?from', '/clients?app_type', '/clients?external_client_id', '/clients?fields'],
    ...['/connections?name', '/connections?from', '/connections?fields', '/client-grants?audience'],
    ...['/client-grants?client_id', '/client-grants?from', '/resource-servers?identifiers'],
    ...['/resource-servers/search?q', '/resource-servers/search?parser=scim&q', '/resource-servers/search?from'],
    ...['/resource-servers/search?parser', '/resource-servers/search?sort', '/resource-servers/search?fields'],
    ...[
      '/actions/actions?actionName',
      '/actions/actions?triggerId',
      '/hooks?triggerId',
      '/rules?fields',
      '/rules?enabled',
    ],
    ...['/logs?q', '/logs?sort', '/logs?from', '/logs?search'],
  ])('of %s finds nothing or is a 400, and never an error of ours', async (parameter) => {
    const everything = (await home.manage.get(parameter.split('?', 1)[0] ?? '')).body;
    for (const injection of INJECTIONS) {
      const response = await home.manage.get(`${parameter}=${encodeURIComponent(injection)}`);
      expect([injection, response.statusCode]).toEqual([injection, expect.toBeOneOf([200, 400])]);
      // `*` is a search for all of it, and `fields` chooses no rows.
      const isSearch = /\?(q|search|fields|sort)$/.test(parameter);
      if (response.statusCode === 200 && !isSearch)
        expect([injection, response.body]).not.toEqual([injection, everything]);
    }
    expect(world.log).toEqual([]);
  });

  it('in a path is an id that nothing has', async () => {
    const ids = [...INJECTIONS, 'auth0|', '__proto__', 'constructor', 'é', 'a/b', 'x'.repeat(1_000)].map(
      encodeURIComponent,
    );
    for (const id of ids) {
      for (const path of [
        'users',
        'clients',
        'roles',
        'connections',
        'client-grants',
        'resource-servers',
        'logs',
        'rules',
        'hooks',
        'actions/actions',
        'actions/modules',
        'actions/executions',
        'keys/signing',
      ]) {
        const response = await home.manage.get(`/${path}/${id}`);
        expect([path, id, response.statusCode]).toEqual([path, id, expect.toBeOneOf([400, 404])]);
      }
    }
    for (const broken of ['%', '%zz', '%ff', '%00']) {
      const response = await home.manage.get(`/users/${broken}`);
      expect([broken, response.statusCode, response.json().error]).toEqual([broken, 400, 'Bad Request']);
    }
    expect(world.log).toEqual([]);
  });

  it('in a path takes its encoded form, once', async () => {
    const { identifier, api, user } = home;
    expect((await home.manage.get(`/resource-servers/${encodeURIComponent(identifier)}`)).json().id).toBe(api);
    expect(
      (await home.manage.get(`/resource-servers/${encodeURIComponent(encodeURIComponent(identifier))}`)).statusCode,
    ).toBe(404);
    expect((await home.manage.get(`/users/${encodeURIComponent(user)}`)).json().user_id).toBe(user);
    expect((await home.manage.get(`/users/${user.replace('|', '%257C')}`)).statusCode).toBe(404);
  });

  it('is kept as it was said in names and metadata', async () => {
    const name = `<script>alert(1)</script> "'\\ \u0001 🦊 ${'é'.repeat(10)}`;
    const role = (await home.manage.post('/roles', { name })).json();
    expect((await home.manage.get(`/roles/${role.id}`)).json().name).toBe(name);
    const user_metadata = { [name]: { [name]: [name, null, 1e300, true] }, constructor: 1, toString: 2 };
    const path = `/users/${encodeURIComponent(home.user)}`;
    expect((await home.manage.patch(path, { user_metadata })).json().user_metadata).toEqual(user_metadata);
    expect((await home.manage.get(path)).json().user_metadata).toEqual(user_metadata);
    expect((await home.manage.patch(path, { user_metadata: {} })).json()).not.toHaveProperty('user_metadata');
  });
});

describe('mass assignment', () => {
  it.each([
    ['POST', '/clients', ['client_id', 'tenant', 'global', 'is_system', 'owners', 'signing_keys']],
    ['PATCH', 'PATCH /clients/{id}', ['client_id', 'tenant', 'global', 'is_system', 'is_global']],
    ['POST', '/resource-servers', ['id', 'is_system', 'tenant_id']],
    ['PATCH', 'PATCH /resource-servers/{id}', ['id', 'identifier', 'is_system']],
    ['PATCH', 'PATCH /client-grants/{id}', ['id', 'client_id', 'audience', 'subject_type']],
    ['POST', '/connections', ['id', 'is_system', 'tenant_id']],
    ['PATCH', 'PATCH /connections/{id}', ['id', 'name', 'strategy', 'is_system']],
    ['POST', '/users', ['identities', 'created_at', 'logins_count', 'last_ip', 'password_hash', 'is_system']],
    ['PATCH', 'PATCH /users/{id}', ['user_id', 'identities', 'created_at', 'logins_count', 'password_hash']],
    ['POST', '/roles', ['id', 'tenant_id']],
    ['POST', '/rules', ['id', 'tenant_id']],
    ['PATCH', 'PATCH /rules/{id}', ['id', 'stage']],
    ['PATCH', 'PATCH /hooks/{id}', ['id', 'triggerId', 'secrets']],
    ['PATCH', 'PATCH /actions/actions/{id}', ['id', 'status', 'deployed_version', 'all_changes_deployed', 'deploy']],
    ['PATCH', 'PATCH /actions/modules/{id}', ['id', 'name', 'publish', 'latest_version']],
    ['PATCH', 'PATCH /roles/{id}', ['id', 'type']],
    ['PATCH', '/tenants/settings', ['tenant_id', 'environment', 'is_default', 'sandbox_versions_available']],
  ] as const)('%s %s refuses what is not the caller’s to say', async (method, where, members) => {
    const examples = examplesFor(home);
    const example = examples[where] ?? examples[`${method} ${where}`];
    if (!example) throw new Error(`${where} has no example.`);
    const verb = method === 'POST' ? 'post' : 'patch';
    for (const member of members) {
      const response = await home.manage[verb](example.path, { ...Object(example.body), [member]: 'forged' });
      expect([member, response.json()]).toEqual([member, expect.objectContaining({ statusCode: 400 })]);
      expect(response.json().message).toContain(`Additional properties not allowed: ${member}`);
    }
  });

  it('by the token of a person reaches the own user_metadata and nothing else', async () => {
    const { password_client, user, managementAudience } = world;
    const scope = 'read:current_user update:current_user_metadata update:users read:users openid';
    const login = { username: user.email, password: user.password, audience: managementAudience, scope };
    const tokens = (await world.token({ grant_type: 'password', ...password_client, ...login })).json();
    expect(tokens.scope?.split(' ') ?? []).not.toContain('update:users');
    const [{ user_id }] = (await home.manage.get(`/users-by-email?email=${user.email}`)).json();
    const own = `/api/v2/users/${encodeURIComponent(user_id)}`;
    const headers = { authorization: `Bearer ${tokens.access_token}` };
    const patch = (path: string, json: unknown) => world.request({ method: 'PATCH', path, headers, json });
    expect((await world.request({ path: own, headers })).json().user_id).toBe(user_id);
    expect((await patch(own, { user_metadata: { colour: 'blue' } })).json().user_metadata).toEqual({ colour: 'blue' });
    for (const change of [
      { app_metadata: { admin: true } },
      { email_verified: true },
      { blocked: false },
      { user_id: 'x' },
    ]) {
      const response = await patch(own, { user_metadata: { colour: 'red' }, ...change });
      expect([change, response.statusCode]).toEqual([change, expect.toBeOneOf([400, 403])]);
    }
    const other = `/api/v2/users/${encodeURIComponent(home.user)}`;
    expect((await patch(other, { user_metadata: { colour: 'red' } })).statusCode).toBe(403);
    expect((await world.request({ path: other, headers })).statusCode).toBe(403);
    expect((await world.request({ path: '/api/v2/users', headers })).statusCode).toBe(403);
    expect((await home.manage.get(`/users/${encodeURIComponent(user_id)}`)).json().user_metadata).toEqual({
      colour: 'blue',
    });
  });
});

describe('fifty requests at once for one name', () => {
  it.each([
    ['/roles', { name: 'Raced' }],
    ['/rules', { name: 'Raced', script: 'x' }],
    ['/actions/actions', { name: 'Raced', supported_triggers: [{ id: 'post-login' }] }],
    ['/connections', { name: 'raced', strategy: 'auth0' }],
    ['/resource-servers', { identifier: 'https://raced.example/' }],
    ['/users', { email: 'raced@example.com', password: 'Correct horse 9 battery', user_id: 'raced' }],
    ['/client-grants', { scope: [], subject_type: 'user' }],
  ])('%s: one is made and the others are told of the conflict', async (path, body) => {
    const { client, identifier, connectionName } = home;
    const missing = path === '/client-grants' ? { client_id: client, audience: identifier } : {};
    const json = { ...body, ...missing, ...(path === '/users' && { connection: connectionName }) };
    const responses = await Promise.all(Array.from({ length: 50 }, () => home.manage.post(path, json)));
    const made = responses.filter(({ statusCode }) => statusCode < 300);
    expect(made).toHaveLength(1);
    for (const response of responses.filter((one) => !made.includes(one)))
      expect(response.json()).toMatchObject({
        statusCode: 409,
        error: 'Conflict',
        message: expect.stringContaining('already exists'),
      });
  });
});

describe('a form in place of JSON', () => {
  it('is read with the types of the schema', async () => {
    const form = { name: 'From a form', app_type: 'spa', sso_disabled: 'true', callbacks: 'https://a.example/cb' };
    const headers = { authorization: `Bearer ${await world.managementToken()}` };
    const response = await world.request({ path: '/api/v2/clients', form, headers });
    expect(response.json()).toMatchObject({
      name: 'From a form',
      sso_disabled: true,
      callbacks: ['https://a.example/cb'],
    });
  });
});
