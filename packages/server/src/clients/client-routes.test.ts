import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureManagementApi } from '../resource-servers/manage-resource-servers.ts';
import { createClient, ensureGlobalClient } from './create-client.ts';
import { createManagementFixture } from './management-fixture.ts';

const ALL =
  'read:clients,create:clients,update:clients,delete:clients,read:client_keys,update:client_keys,read:client_credentials,create:client_credentials,update:client_credentials,delete:client_credentials,read:connections';
const pem = generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey.export({ type: 'spki', format: 'pem' });

let world: Awaited<ReturnType<typeof createManagementFixture>>;
beforeAll(async () => {
  world = await createManagementFixture();
  const dev = { tenantId: 'dev', environment: 'development' } as const;
  await ensureGlobalClient(world.stores, dev);
});
afterAll(() => world.close());

const post = async (body: object, tenant?: string) => (await world.call(ALL, 'POST', '/clients', body, tenant)).body;

describe('POST /clients', () => {
  it('answers 201 with the whole client and its secret', async () => {
    const answer = await world.call('create:clients', 'POST', '/clients', { name: 'Web', app_type: 'regular_web' });
    expect(answer).toMatchObject({
      status: 201,
      body: {
        tenant: 'dev',
        global: false,
        name: 'Web',
        app_type: 'regular_web',
        is_first_party: true,
        oidc_conformant: false,
        sso_disabled: false,
        custom_login_page_on: true,
        jwt_configuration: { alg: 'RS256', lifetime_in_seconds: 36_000, secret_encoded: false },
        refresh_token: { rotation_type: 'non-rotating', leeway: 0, infinite_token_lifetime: true },
        signing_keys: [{ cert: 'PEM' }],
      },
    });
    expect(answer.body.client_secret).toHaveLength(64);
    expect(world.events.at(-1)?.type).toBe('managementChanged');
  });

  it.each<[string, object]>([
    ['no name', {}],
    ['an unknown property', { name: 'x', client_id: 'mine' }],
    ['is_system', { name: 'x', is_system: true }],
    ['global', { name: 'x', global: true }],
    ['markup in its name', { name: '<b>' }],
    ['a NUL', { name: 'x', description: 'a\0' }],
    ['a callback that is no URL', { name: 'x', callbacks: ['app.example.com'] }],
    ['metadata that is no text', { name: 'x', client_metadata: { a: { b: 1 } } }],
  ])('answers 400 to %s', async (_what, body) => {
    const answer = await world.call(ALL, 'POST', '/clients', body);
    expect(answer).toMatchObject({
      status: 400,
      body: { statusCode: 400, error: 'Bad Request', errorCode: 'invalid_body' },
    });
  });

  it('answers 400 to http://localhost:* in a production tenant', async () => {
    const body = { name: 'x', web_origins: ['http://localhost:*'] };
    expect((await world.call(ALL, 'POST', '/clients', body)).status).toBe(201);
    const refused = await world.call(ALL, 'POST', '/clients', body, 'acme');
    expect(refused).toMatchObject({ status: 400, body: { message: expect.stringMatching(/production tenant/) } });
  });
});

describe('GET /clients', () => {
  it('answers in each of its styles, and finds the global client', async () => {
    const paged = (await world.call(ALL, 'GET', '/clients?page=0&per_page=100&include_totals=true&is_global=true'))
      .body;
    expect(paged).toMatchObject({
      start: 0,
      limit: 100,
      total: 1,
      clients: [{ name: 'All Applications', global: true }],
    });
    expect(Array.isArray((await world.call(ALL, 'GET', '/clients')).body)).toBe(true);
    const first = (await world.call(ALL, 'GET', '/clients?take=1')).body;
    expect(first.clients).toHaveLength(1);
    const second = (await world.call(ALL, 'GET', `/clients?take=1&from=${first.next}`)).body;
    expect(second.clients[0].client_id).not.toBe(first.clients[0].client_id);
    expect((await world.call(ALL, 'GET', '/clients?page=99&include_totals=true')).body.clients).toEqual([]);
  });

  it('keeps secrets from who lacks read:client_keys, and writes down who reads them', async () => {
    const { client_id } = await post({ name: 'Secret' });
    const before = world.events.length;
    const plain = await world.call('read:clients', 'GET', `/clients/${client_id}`);
    expect(plain.body).not.toHaveProperty('client_secret');
    expect(plain.body).not.toHaveProperty('signing_keys');
    const named = await world.call(ALL, 'GET', `/clients/${client_id}?fields=name,client_id`);
    expect(named.body).toEqual({ name: 'Secret', client_id });
    expect(world.events).toHaveLength(before);
    expect((await world.call(ALL, 'GET', `/clients/${client_id}`)).body.client_secret).toHaveLength(64);
    expect(world.events.at(-1)).toMatchObject({
      type: 'managementSecretRead',
      details: { accessedSecrets: ['client_secret'] },
    });
  });

  it.each(['q=name:x', 'from=not-a-cursor', 'page=-1', 'per_page=101', 'is_global=perhaps', 'unknown=1'])(
    'answers 400 to %s',
    async (query) => {
      expect((await world.call(ALL, 'GET', `/clients?${query}`)).status).toBe(400);
    },
  );

  it('shows nothing of another tenant, and no system client', async () => {
    const { client_id } = await post({ name: 'Mine' });
    const system = await createClient(
      world.stores,
      { tenantId: 'dev', environment: 'development' },
      { name: 'Dashboard' },
      { isSystem: true },
    );
    const missing = {
      status: 404,
      body: {
        statusCode: 404,
        error: 'Not Found',
        message: 'The client does not exist',
        errorCode: 'inexistent_client',
      },
    };
    for (const path of ['', '/connections']) {
      expect(await world.call(ALL, 'GET', `/clients/${client_id}${path}`, undefined, 'acme')).toEqual(missing);
      expect(await world.call(ALL, 'GET', `/clients/${system.clientId}${path}`)).toEqual(missing);
    }
    for (const id of [client_id, system.clientId]) {
      const tenant = id === client_id ? 'acme' : 'dev';
      expect(await world.call(ALL, 'GET', `/clients/${id}/credentials`, undefined, tenant)).toEqual(missing);
      expect(await world.call(ALL, 'PATCH', `/clients/${id}`, { name: 'x' }, tenant)).toEqual(missing);
      expect(await world.call(ALL, 'POST', `/clients/${id}/rotate-secret`, undefined, tenant)).toEqual(missing);
      expect((await world.call(ALL, 'DELETE', `/clients/${id}`, undefined, tenant)).status).toBe(204);
    }
    expect(await world.stores.clients.find('dev', client_id)).toBeDefined();
    expect(await world.stores.clients.find('dev', system.clientId)).toBeDefined();
  });
});

describe('PATCH /clients/{id}', () => {
  it('lets each scope change only what is its own', async () => {
    const { client_id } = await post({ name: 'Scoped' });
    const patch = (scopes: string, body: object) => world.call(scopes, 'PATCH', `/clients/${client_id}`, body);
    expect((await patch('update:clients', { name: 'Renamed' })).status).toBe(200);
    const secret = { client_secret: 'a new secret' };
    expect((await patch('update:clients', secret)).body).toMatchObject({
      statusCode: 403,
      errorCode: 'insufficient_scope',
      message: 'Insufficient scope, expected any of: update:client_keys',
    });
    const rotated = await patch('update:client_keys', secret);
    expect(rotated.status).toBe(200);
    expect(rotated.body).not.toHaveProperty('client_secret');
    expect((await patch('update:client_keys', { name: 'Mine' })).status).toBe(403);
    expect((await patch('update:client_credentials', { callbacks: [] })).status).toBe(403);
  });

  it('rotates the secret', async () => {
    const { client_id, client_secret } = await post({ name: 'Rotate' });
    const answer = await world.call('update:client_keys', 'POST', `/clients/${client_id}/rotate-secret`);
    expect(answer.status).toBe(200);
    expect(answer.body.client_secret).toHaveLength(64);
    expect(answer.body.client_secret).not.toBe(client_secret);
  });
});

describe('/clients/{client_id}/credentials', () => {
  it('adds, reads, changes and deletes public keys', async () => {
    const { client_id } = await post({ name: 'Keys' });
    const path = `/clients/${client_id}/credentials`;
    const added = await world.call(ALL, 'POST', path, {
      credential_type: 'public_key',
      name: 'mine',
      pem,
      alg: 'RS256',
    });
    expect(added).toMatchObject({ status: 201, body: { name: 'mine', credential_type: 'public_key', alg: 'RS256' } });
    expect(added.body.id).toMatch(/^cred_[A-Za-z0-9]{22}$/);
    expect(added.body).not.toHaveProperty('pem');
    expect((await world.call(ALL, 'GET', path)).body).toEqual([added.body]);
    const expires_at = '2030-01-01T00:00:00.000Z';
    const changed = await world.call(ALL, 'PATCH', `${path}/${added.body.id}`, { expires_at });
    expect(changed).toMatchObject({ status: 200, body: { expires_at } });
    expect((await world.call(ALL, 'GET', `${path}/${added.body.id}`)).body).toMatchObject({ expires_at });
    expect((await world.call(ALL, 'POST', path, { credential_type: 'public_key', pem })).status).toBe(409);
    expect((await world.call(ALL, 'DELETE', `${path}/${added.body.id}`)).status).toBe(204);
    expect((await world.call(ALL, 'GET', `${path}/${added.body.id}`)).status).toBe(404);
  });
});

describe('/resource-servers and /client-grants', () => {
  const scopes =
    'read:resource_servers,create:resource_servers,update:resource_servers,delete:resource_servers,read:client_grants,create:client_grants,update:client_grants,delete:client_grants,read:organization_client_grants';

  it('take an API by its id or by its encoded identifier', async () => {
    const identifier = 'https://orders.example.com/v1';
    const made = await world.call(scopes, 'POST', '/resource-servers', { identifier, signing_alg: 'HS256' });
    expect(made).toMatchObject({ status: 201, body: { identifier, token_lifetime: 86_400, scopes: [] } });
    const byName = await world.call(scopes, 'GET', `/resource-servers/${encodeURIComponent(identifier)}`);
    expect(byName.body).toEqual(made.body);
    expect(world.events.at(-1)).toMatchObject({
      type: 'managementSecretRead',
      details: { accessedSecrets: ['signing_secret'] },
    });
    expect((await world.call(scopes, 'GET', `/resource-servers/${made.body.id}`)).body).toEqual(made.body);
    const list = await world.call(
      scopes,
      'GET',
      `/resource-servers?include_totals=true&identifiers=${encodeURIComponent(identifier)}`,
    );
    expect(list.body).toMatchObject({ total: 1, resource_servers: [{ identifier }] });
    expect((await world.call(scopes, 'GET', `/resource-servers/${made.body.id}`, undefined, 'acme')).status).toBe(404);
    expect((await world.call(scopes, 'PATCH', `/resource-servers/${made.body.id}`, { identifier: 'x' })).status).toBe(
      400,
    );
    expect((await world.call(scopes, 'DELETE', `/resource-servers/${made.body.id}`)).status).toBe(204);
  });

  it('show the Management API under the origin that was asked, and keep it', async () => {
    await ensureManagementApi(world.stores, 'dev');
    const audience = 'https://dev.example/api/v2/';
    const path = `/resource-servers/${encodeURIComponent(audience)}`;
    const found = await world.call(scopes, 'GET', path);
    expect(found.body).toMatchObject({ identifier: audience, name: 'Auth0 Management API', is_system: true });
    expect(found.body.scopes).toContainEqual({ value: 'read:users', description: 'Read users' });
    expect((await world.call(scopes, 'DELETE', path)).status).toBe(400);
    expect((await world.call(scopes, 'POST', '/resource-servers', { identifier: audience })).status).toBe(409);
    const stored = encodeURIComponent('urn:gatewright:management');
    expect((await world.call(scopes, 'GET', `/resource-servers/${stored}`)).status).toBe(404);

    const { client_id } = await post({ name: 'Backend', app_type: 'non_interactive' });
    const grant = await world.call(scopes, 'POST', '/client-grants', { client_id, audience, scope: ['read:users'] });
    expect(grant).toMatchObject({
      status: 201,
      body: { client_id, audience, scope: ['read:users'], subject_type: 'client' },
    });
    const listed = await world.call(scopes, 'GET', `/client-grants?audience=${encodeURIComponent(audience)}&take=10`);
    expect(listed.body).toEqual({ client_grants: [grant.body] });
    expect((await world.call(scopes, 'GET', '/client-grants?default_for=third_party_clients')).body).toEqual([]);
    const organizations = `/client-grants/${grant.body.id}/organizations?take=50`;
    expect((await world.call(scopes, 'GET', organizations)).body).toEqual({ organizations: [] });
    expect((await world.call(scopes, 'GET', `/client-grants/${grant.body.id}`, undefined, 'acme')).body).toMatchObject({
      errorCode: 'inexistent_client_grant',
      message: 'The grant does not exist.',
    });
    expect((await world.call(scopes, 'DELETE', `/client-grants/${grant.body.id}`)).status).toBe(204);
    expect((await world.call(scopes, 'GET', `/client-grants/${grant.body.id}`)).status).toBe(404);
  });

  it.each(['page=-1', 'per_page=-1', 'per_page=1000000', 'take=0', 'from=x'])(
    'answer 400 to /client-grants?%s',
    async (query) => {
      expect((await world.call(scopes, 'GET', `/client-grants?${query}`)).status).toBe(400);
    },
  );
});

describe('a page far past the end', () => {
  it('is empty', async () => {
    expect((await world.call('read:client_grants', 'GET', '/client-grants?page=99999999999999')).body).toEqual([]);
  });
});

describe('/tenants/settings', () => {
  const scopes = 'read:tenant_settings,update:tenant_settings';

  it('merges flags and shows lifetimes in hours', async () => {
    const changed = await world.call(scopes, 'PATCH', '/tenants/settings', {
      friendly_name: 'Acme',
      idle_session_lifetime_in_minutes: 90,
      flags: { revoke_refresh_token_grant: true },
    });
    expect(changed).toMatchObject({ status: 200, body: { friendly_name: 'Acme', idle_session_lifetime: 1.5 } });
    await Promise.all(
      ['enable_sso', 'genai_trial', 'enable_legacy_profile'].map((flag) =>
        world.call(scopes, 'PATCH', '/tenants/settings', { flags: { [flag]: true } }),
      ),
    );
    const read = await world.call(scopes, 'GET', '/tenants/settings');
    expect(read.body.flags).toMatchObject({
      revoke_refresh_token_grant: true,
      enable_sso: true,
      genai_trial: true,
      enable_legacy_profile: true,
    });
    expect(read.body).toMatchObject({ session_lifetime: 168, idle_session_lifetime: 1.5 });
    expect((await world.call(scopes, 'GET', '/tenants/settings?fields=friendly_name')).body).toEqual({
      friendly_name: 'Acme',
    });
    expect((await world.call(scopes, 'GET', '/tenants/settings', undefined, 'acme')).body.friendly_name).toBe('acme');
    expect((await world.call(scopes, 'PATCH', '/tenants/settings', { flags: { made_up: true } })).status).toBe(400);
  });
});
