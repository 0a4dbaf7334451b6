import { generateKeyPairSync } from 'node:crypto';
import { Management, ManagementClient, ManagementError } from 'auth0';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { trustAuthority } from './trust-authority.ts';

const PASSWORD = 'Correct horse 1';

let server: ServerProcess;
let domain: string;
let auth0: ManagementClient;
beforeAll(async () => {
  server = await startServerProcess();
  trustAuthority(server.caFile);
  domain = new URL(server.origin).host;
  const { client_id: clientId, client_secret: clientSecret } = server.firstRun.management;
  auth0 = new ManagementClient({ domain, clientId, clientSecret });
});
afterAll(() => server?.stop());

describe('the ManagementClient of auth0 7', () => {
  it('creates, reads, changes and deletes a client, and rotates its secret', async () => {
    const { client_id: id = '', client_secret: secret } = await auth0.clients.create({
      name: 'Shop',
      callbacks: ['https://shop.test/callback'],
      client_metadata: { team: 'sales', tier: 'gold' },
    });
    const changed = await auth0.clients.update(id, { name: 'Shop 2', client_metadata: { tier: 'silver' } });
    expect(changed).toMatchObject({ name: 'Shop 2', client_metadata: { team: 'sales', tier: 'silver' } });
    expect(await auth0.clients.get(id)).toEqual(changed);
    expect(await auth0.clients.get(id, { fields: 'name', include_fields: true })).toEqual({ name: 'Shop 2' });
    expect((await auth0.clients.rotateSecret(id)).client_secret).not.toBe(secret);
    await auth0.clients.delete(id);
    await expect(auth0.clients.get(id)).rejects.toBeInstanceOf(Management.NotFoundError);
  });

  it('logs in with a private key that is a credential of its client', async () => {
    const pair = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const created = await auth0.clients.create({
      name: 'Signer',
      app_type: 'non_interactive',
      grant_types: ['client_credentials'],
      client_authentication_methods: {
        private_key_jwt: { credentials: [{ credential_type: 'public_key', name: 'key', pem: pair.publicKey }] },
      },
    });
    const clientId = created.client_id ?? '';
    expect(await auth0.clients.credentials.list(clientId)).toMatchObject([{ name: 'key', alg: 'RS256' }]);
    await auth0.clientGrants.create({
      client_id: clientId,
      audience: server.firstRun.management.audience,
      scope: ['read:roles'],
    });
    const signer = new ManagementClient({ domain, clientId, clientAssertionSigningKey: pair.privateKey });
    expect((await signer.roles.list()).data).toEqual([]);
    await expect(signer.clients.create({ name: 'No' })).rejects.toMatchObject({
      statusCode: 403,
      body: { errorCode: 'insufficient_scope', message: 'Insufficient scope, expected any of: create:clients' },
    });
    await auth0.clients.delete(clientId);
  });

  it('creates, changes and deletes an API and a grant on it', async () => {
    const audience = 'https://orders.test/';
    const { id = '' } = await auth0.resourceServers.create({
      identifier: audience,
      scopes: [{ value: 'read:orders' }],
    });
    const scopes = [{ value: 'read:orders', description: 'Read' }, { value: 'write:orders' }];
    expect(await auth0.resourceServers.update(id, { scopes, token_lifetime: 600 })).toMatchObject({
      scopes,
      token_lifetime: 600,
    });
    const { client_id: clientId } = server.firstRun.management;
    const grant = await auth0.clientGrants.create({ client_id: clientId, audience, scope: ['read:orders'] });
    const change = await auth0.clientGrants.update(grant.id ?? '', { scope: ['write:orders'] });
    expect(change.scope).toEqual(['write:orders']);
    expect((await auth0.clientGrants.list({ audience })).data).toMatchObject([{ client_id: clientId }]);
    await auth0.clientGrants.delete(grant.id ?? '');
    await auth0.resourceServers.delete(id);
    await expect(auth0.resourceServers.get(id)).rejects.toBeInstanceOf(Management.NotFoundError);
  });

  it('creates, changes, finds by e-mail and deletes a user, whose metadata are merged', async () => {
    const email = 'Grace@Example.com';
    const { user_id: id = '' } = await auth0.users.create({
      connection: server.firstRun.connection,
      email,
      password: PASSWORD,
      user_metadata: { colour: 'red', size: 'm' },
    });
    const changed = await auth0.users.update(id, { user_metadata: { colour: 'blue' }, blocked: true });
    expect(changed).toMatchObject({ blocked: true, user_metadata: { colour: 'blue', size: 'm' } });
    expect(await auth0.users.listUsersByEmail({ email: 'grace@example.com' })).toMatchObject([{ user_id: id }]);
    expect((await auth0.users.list({ q: 'email:"grace@example.com"' })).data).toMatchObject([{ user_id: id }]);
    await auth0.users.delete(id);
    expect(await auth0.users.listUsersByEmail({ email: 'grace@example.com' })).toEqual([]);
  });

  it('gives a user roles and permissions, and takes them away', async () => {
    const { api, connection } = server.firstRun;
    const permissions = [{ permission_name: 'read:items', resource_server_identifier: api.identifier }];
    const { user_id: userId = '' } = await auth0.users.create({
      connection,
      email: 'joan@example.com',
      password: PASSWORD,
    });
    const { id: roleId = '' } = await auth0.roles.create({ name: 'Reader' });
    expect(await auth0.roles.update(roleId, { description: 'Reads' })).toMatchObject({ description: 'Reads' });
    await auth0.roles.permissions.add(roleId, { permissions });
    await auth0.roles.users.assign(roleId, { users: [userId] });
    expect((await auth0.users.roles.list(userId)).data).toMatchObject([{ id: roleId, name: 'Reader' }]);
    expect((await auth0.users.permissions.list(userId)).data).toMatchObject([
      { permission_name: 'read:items', sources: [{ source_type: 'ROLE', source_name: 'Reader' }] },
    ]);
    await auth0.users.roles.delete(userId, { roles: [roleId] });
    await auth0.users.permissions.create(userId, { permissions });
    expect((await auth0.users.permissions.list(userId)).data).toMatchObject([{ permission_name: 'read:items' }]);
    await auth0.users.permissions.delete(userId, { permissions });
    await auth0.roles.permissions.delete(roleId, { permissions });
    expect((await auth0.users.permissions.list(userId)).data).toEqual([]);
    expect((await auth0.roles.permissions.list(roleId)).data).toEqual([]);
    await auth0.roles.delete(roleId);
    await expect(auth0.roles.get(roleId)).rejects.toBeInstanceOf(Management.NotFoundError);
  });

  it('makes a connection, enables clients for it, and removes a user of it by e-mail', async () => {
    const { id = '' } = await auth0.connections.create({ name: 'staff', strategy: 'auth0' });
    const { client_id: clientId } = server.firstRun.spa_client;
    await auth0.connections.clients.update(id, [{ client_id: clientId, status: true }]);
    expect((await auth0.connections.clients.get(id)).data).toEqual([{ client_id: clientId }]);
    expect((await auth0.clients.connections.get(clientId)).data.map(({ name }) => name)).toContain('staff');
    const email = 'temp@staff.test';
    await auth0.users.create({ connection: 'staff', email, password: PASSWORD });
    await auth0.connections.users.deleteByEmail(id, { email });
    expect(await auth0.users.listUsersByEmail({ email })).toEqual([]);
    const options = { disable_signup: true };
    expect(await auth0.connections.update(id, { options })).toMatchObject({ options });
    expect((await auth0.connections.list({ name: 'staff' })).data).toMatchObject([{ id, strategy: 'auth0' }]);
    await auth0.connections.delete(id);
    await expect(auth0.connections.get(id)).rejects.toBeInstanceOf(Management.NotFoundError);
  });

  it('reads and changes the settings of the tenant', async () => {
    const changed = await auth0.tenants.settings.update({ friendly_name: 'Northwind', session_lifetime: 24 });
    expect(changed).toMatchObject({ friendly_name: 'Northwind', session_lifetime: 24 });
    expect(await auth0.tenants.settings.get()).toMatchObject({ friendly_name: 'Northwind', session_lifetime: 24 });
  });

  it('rotates the signing key, and goes on with the token that the key before has signed', async () => {
    const before = await auth0.keys.signing.list();
    // It answers with the key that comes next; the one that came next before is in use now.
    const { kid } = await auth0.keys.signing.rotate();
    const after = await auth0.keys.signing.list();
    expect(after.find(({ next }) => next)?.kid).toBe(kid);
    expect(after.find(({ current }) => current)?.kid).toBe(before.find(({ next }) => next)?.kid);
    expect(after.find(({ previous }) => previous)?.kid).toBe(before.find(({ current }) => current)?.kid);
    expect(await auth0.keys.signing.get(kid)).toMatchObject({ next: true });
  });

  it('reads the log by search and from a checkpoint, and one record by its id', async () => {
    await auth0.roles.create({ name: 'Logged' });
    const [newest] = (await auth0.logs.list({ search: 'type:sapi', sort: 'date:-1' })).data;
    expect(newest).toMatchObject({ type: 'sapi', description: 'Create a role' });
    const id = newest?.log_id ?? '';
    expect(await auth0.logs.get(id)).toMatchObject({ log_id: id, type: 'sapi' });
    await auth0.roles.create({ name: 'Logged later' });
    // Auth0 answers a checkpoint with a bare array, which this SDK hands out as `response` only. A record shows up when all
    // transactions that were open at its commit have ended, those of other databases included.
    await vi.waitFor(async () => {
      const checkpoint = await auth0.logs.list({}, { queryParams: { from: id, take: 10 } });
      expect(checkpoint.response).toMatchObject([{ type: 'sapi', description: 'Create a role' }]);
    }, 60_000);
  });
});

describe('the log of one user', () => {
  it('has the login of this user', async () => {
    const { user, password_client } = server.firstRun;
    const [found] = await auth0.users.listUsersByEmail({ email: user.email });
    const { email: username, password } = user;
    await requestToken({ grant_type: 'password', ...password_client, username, password });
    const { data } = await auth0.users.logs.list(found?.user_id ?? '');
    expect(data).toMatchObject([{ type: 'sepft', user_id: found?.user_id, client_id: password_client.client_id }]);
  });
});

describe('a typed error of auth0 7', () => {
  it.each([
    ['an id that nobody has', 404, 'inexistent_client', () => auth0.clients.get('nobody')],
    ['a name that is taken', 409, 'connection_conflict', () => takeTwice()],
    ['an unknown property', 400, 'invalid_body', () => auth0.roles.create(JSON.parse('{"name":"a","colour":"red"}'))],
    ['a token of another scope', 403, 'insufficient_scope', () => withoutScope()],
    ['a forged token', 401, undefined, () => new ManagementClient({ domain, token: 'a.b.c' }).roles.list()],
  ])('names %s with %i %s', async (_case, statusCode, errorCode, act) => {
    const error = await Promise.resolve(act()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ManagementError);
    expect(error).toBeInstanceOf(CLASSES[statusCode]);
    expect(error).toMatchObject({ statusCode, body: { statusCode, ...(errorCode && { errorCode }) } });
  });

  it('comes from the token endpoint where the secret is wrong', async () => {
    const { client_id: clientId } = server.firstRun.management;
    const wrong = new ManagementClient({ domain, clientId, clientSecret: 'wrong' });
    await expect(wrong.roles.list()).rejects.toMatchObject({ statusCode: 401, body: { error: 'access_denied' } });
  });
});

const CLASSES: Record<number, new (...parts: never[]) => Error> = {
  400: Management.BadRequestError,
  401: Management.UnauthorizedError,
  403: Management.ForbiddenError,
  404: Management.NotFoundError,
  409: Management.ConflictError,
};

async function takeTwice(): Promise<unknown> {
  const connection = { name: 'taken', strategy: 'auth0' } as const;
  await auth0.connections.create(connection);
  return auth0.connections.create(connection);
}

async function withoutScope(): Promise<unknown> {
  const { client_id, client_secret, audience } = server.firstRun.management;
  const token = await requestToken({
    grant_type: 'client_credentials',
    client_id,
    client_secret,
    audience,
    scope: 'read:roles',
  });
  return new ManagementClient({ domain, token }).roles.create({ name: 'Never' });
}

async function requestToken(form: Readonly<Record<string, string>>): Promise<string> {
  const body = new URLSearchParams(form);
  const response = await fetch(`${server.origin}/oauth/token`, { method: 'POST', body });
  const { access_token: token }: { access_token: string } = JSON.parse(await response.text());
  return token;
}
