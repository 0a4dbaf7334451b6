import type { Response } from 'light-my-request';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CALLBACK } from '../visitor.ts';
import { type ManagementClient, startWorld, type World } from '../world.ts';

const PASSWORD = 'Correct horse 7 battery';
const API = 'https://api.example.com/';

let world: World;
let manage: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(() => {
  manage = world.api();
});
afterAll(() => world.stop());

describe('a change of a client', () => {
  it('counts at the next token request: its secret, grants, lifetime and its end', async () => {
    const machine = await made('/clients', { name: 'Machine', app_type: 'non_interactive' });
    const { client_id } = machine;
    const ask = (client_secret: string) =>
      world.token({ grant_type: 'client_credentials', client_id, client_secret, audience: API });
    expect((await ask(machine.client_secret)).json().error).toBe('access_denied');
    const grant = await made('/client-grants', { client_id, audience: API, scope: ['read:items'] });
    expect((await ask(machine.client_secret)).json().scope).toBe('read:items');
    await manage.patch(`/client-grants/${grant.id}`, { scope: ['write:items'] });
    expect((await ask(machine.client_secret)).json().scope).toBe('write:items');
    const rotated = (await manage.post(`/clients/${client_id}/rotate-secret`)).json().client_secret;
    expect((await ask(machine.client_secret)).statusCode).toBe(401);
    expect((await ask(rotated)).statusCode).toBe(200);
    const api = encodeURIComponent(API);
    await manage.patch(`/resource-servers/${api}`, { token_lifetime: 600 });
    expect((await ask(rotated)).json().expires_in).toBe(600);
    await manage.patch(`/clients/${client_id}`, { grant_types: [] });
    expect((await ask(rotated)).json().error).toBe('unauthorized_client');
    await manage.patch(`/clients/${client_id}`, { grant_types: ['client_credentials'] });
    await manage.delete(`/client-grants/${grant.id}`);
    expect((await ask(rotated)).statusCode).toBe(403);
    await manage.delete(`/clients/${client_id}`);
    expect((await ask(rotated)).statusCode).toBe(401);
  });

  it('ends its tokens with it, and no other client’s', async () => {
    const client = await made('/clients', {
      name: 'Backend',
      app_type: 'regular_web',
      grant_types: ['password', 'refresh_token'],
    });
    await manage.patch(`/connections/${await connectionId()}/clients`, [{ client_id: client.client_id, status: true }]);
    const tokens = await logIn(client);
    const others = await logIn(world.password_client);
    expect((await userinfo(tokens.access_token)).statusCode).toBe(200);
    await manage.delete(`/clients/${client.client_id}`);
    expect((await userinfo(tokens.access_token)).statusCode).toBe(401);
    expect((await refresh(client, tokens.refresh_token)).statusCode).toBe(401);
    expect((await refresh(world.password_client, others.refresh_token)).statusCode).toBe(200);
    expect((await manage.get(`/connections/${await connectionId()}/clients`)).body).not.toContain(client.client_id);
  });
});

describe('a change of a user', () => {
  it.each([
    ['deleted', (path: string) => manage.delete(path)],
    ['blocked', (path: string) => manage.patch(path, { blocked: true })],
    ['given another password', (path: string) => manage.patch(path, { password: 'Correct horse 8 battery' })],
  ])('who is %s ends sessions and refresh tokens', async (name, end) => {
    const email = `${name.replaceAll(' ', '-')}@example.com`;
    const { user_id } = await made('/users', { connection: world.connection, email, password: PASSWORD });
    const visitor = world.visitor();
    await visitor.logIn({ username: email, password: PASSWORD });
    const tokens = await logIn(world.password_client, email);
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('code')).toBeTruthy();
    expect((await end(`/users/${encodeURIComponent(user_id)}`)).statusCode).toBeLessThan(300);
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('error')).toBe('login_required');
    expect((await refresh(world.password_client, tokens.refresh_token)).statusCode).toBe(403);
    expect((await userinfo(tokens.access_token)).statusCode).toBe(401);
    const again = { grant_type: 'password', ...world.password_client, username: email, password: PASSWORD };
    expect((await world.token(again)).statusCode).toBeOneOf([401, 403]);
  });
});

describe('the end of a connection', () => {
  it('ends its users with their sessions, tokens and roles', async () => {
    const connection = await made('/connections', {
      name: 'Short-lived',
      strategy: 'auth0',
      enabled_clients: [world.spa_client.client_id, world.password_client.client_id],
    });
    const email = 'guest@example.com';
    const user = await made('/users', { connection: 'Short-lived', email, password: PASSWORD });
    const role = await made('/roles', { name: 'Guest' });
    await manage.post(`/roles/${role.id}/users`, { users: [user.user_id] });
    const visitor = world.visitor();
    const login = { parameters: { connection: 'Short-lived' }, username: email, password: PASSWORD };
    const { code, verifier } = await visitor.logIn(login);
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: CALLBACK };
    const tokens = (await world.token({ ...form, ...world.spa_client })).json();
    const pending = await visitor.logIn(login);

    expect((await manage.delete(`/connections/${connection.id}`)).statusCode).toBe(202);
    expect((await manage.get(`/users/${encodeURIComponent(user.user_id)}`)).statusCode).toBe(404);
    expect((await manage.get(`/roles/${role.id}/users`)).json()).toEqual([]);
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('error')).toBe('login_required');
    expect((await refresh(world.spa_client, tokens.refresh_token)).statusCode).toBe(403);
    expect((await userinfo(tokens.access_token)).statusCode).toBe(401);
    const late = { ...form, code: pending.code, code_verifier: pending.verifier, ...world.spa_client };
    expect((await world.token(late)).json().error).toBe('invalid_grant');
    const { rows } = await world.database.pool.query('select 1 from sessions where user_id = $1', [user.user_id]);
    expect(rows).toEqual([]);
  });

  it('for a client is at once, for new logins and for refresh tokens', async () => {
    const tokens = await logIn(world.password_client);
    const path = `/connections/${await connectionId()}/clients`;
    await manage.patch(path, [{ client_id: world.password_client.client_id, status: false }]);
    expect((await refresh(world.password_client, tokens.refresh_token)).statusCode).toBe(403);
    const again = { grant_type: 'password', ...world.password_client, username: world.user.email };
    expect((await world.token({ ...again, password: world.user.password })).json().access_token).toBeUndefined();
    await manage.patch(path, [{ client_id: world.password_client.client_id, status: true }]);
  });
});

describe('a role or permission', () => {
  it('that is taken away is in no later token, and ends with its API', async () => {
    const identifier = 'https://short-lived.example/';
    const api = await made('/resource-servers', {
      identifier,
      scopes: [{ value: 'read:all' }],
      enforce_policies: true,
      token_dialect: 'access_token_authz',
    });
    const role = await made('/roles', { name: 'Reader' });
    const permissions = [{ resource_server_identifier: identifier, permission_name: 'read:all' }];
    await manage.post(`/roles/${role.id}/permissions`, { permissions });
    const [{ user_id }] = (await manage.get(`/users-by-email?email=${world.user.email}`)).json();
    const path = `/users/${encodeURIComponent(user_id)}`;
    await manage.post(`${path}/roles`, { roles: [role.id] });
    const permissionsOf = async () => {
      const login = { username: world.user.email, password: world.user.password, audience: identifier };
      const response = await world.token({ grant_type: 'password', ...world.password_client, ...login });
      const [, payload = ''] = String(response.json().access_token).split('.');
      return JSON.parse(Buffer.from(payload, 'base64url').toString()).permissions;
    };
    expect(await permissionsOf()).toEqual(['read:all']);
    await manage.delete(`/roles/${role.id}`);
    expect(await permissionsOf()).toEqual([]);
    expect((await manage.get(`${path}/roles`)).json()).toEqual([]);
    await manage.post(`${path}/permissions`, { permissions });
    expect(await permissionsOf()).toEqual(['read:all']);
    await manage.delete(`/resource-servers/${api.id}`);
    expect((await manage.get(`${path}/permissions`)).json()).toEqual([]);
  });
});

describe('signing keys', () => {
  it('rotate with overlap: old tokens stay good until their key is revoked, and JWKS says which', async () => {
    const old = await world.managementToken(['read:roles']);
    const [before] = keysOf(await manage.get('/keys/signing'), 'current');
    const [next] = keysOf(await manage.get('/keys/signing'), 'next');
    await manage.post('/keys/signing/rotate');
    expect(keysOf(await manage.get('/keys/signing'), 'current')).toEqual([next]);
    expect(keysOf(await manage.get('/keys/signing'), 'previous')).toContain(before);
    expect(await published()).toEqual(expect.arrayContaining([before, next]));
    expect((await roles(old)).statusCode).toBe(200);
    const fresh = await world.managementToken(['read:roles']);
    expect(JSON.parse(Buffer.from(fresh.split('.')[0] ?? '', 'base64url').toString()).kid).toBe(next);
    manage = world.api();
    expect((await manage.put(`/keys/signing/${before}/revoke`)).json()).toMatchObject({ kid: before, revoked: true });
    expect((await roles(old)).statusCode).toBe(401);
    expect((await roles(fresh)).statusCode).toBe(200);
    expect(await published()).not.toContain(before);
  });
});

const roles = (token: string) =>
  world.request({ path: '/api/v2/roles', headers: { authorization: `Bearer ${token}` } });

async function published(): Promise<string[]> {
  const { keys } = (await world.request({ path: '/.well-known/jwks.json' })).json();
  return keys.map(({ kid }: { kid: string }) => kid);
}

function keysOf(response: Response, state: 'current' | 'next' | 'previous'): string[] {
  const keys: (Record<typeof state, boolean> & { kid: string })[] = response.json();
  return keys.filter((key) => key[state]).map(({ kid }) => kid);
}

async function made(path: string, body: unknown) {
  const response = await manage.post(path, body);
  expect(response.statusCode, response.body).toBeLessThan(300);
  return response.json();
}

async function connectionId(): Promise<string> {
  return (await manage.get(`/connections?name=${world.connection}`)).json()[0].id;
}

interface Credentials {
  readonly client_id: string;
  readonly client_secret?: string;
}

function formOf({ client_id, client_secret }: Credentials): Record<string, string> {
  return { client_id, ...(client_secret && { client_secret }) };
}

async function logIn(client: Credentials, username = world.user.email) {
  const password = username === world.user.email ? world.user.password : PASSWORD;
  const form = { grant_type: 'password', username, password, scope: 'openid offline_access', ...formOf(client) };
  const response = await world.token(form);
  expect(response.statusCode, response.body).toBe(200);
  return response.json();
}

function refresh(client: Credentials, refresh_token: string): Promise<Response> {
  return world.token({ grant_type: 'refresh_token', refresh_token, ...formOf(client) });
}

function userinfo(token: string): Promise<Response> {
  return world.request({ path: '/userinfo', headers: { authorization: `Bearer ${token}` } });
}
