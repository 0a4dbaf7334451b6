import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, created } from '../../test/protocol.ts';
import { type ManagementClient, startWorld, type World } from '../../test/world.ts';
import { createClient } from './create-client.ts';

const pem = generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey.export({ type: 'spki', format: 'pem' });

let world: World;
let manage: ManagementClient;
let stranger: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
  stranger = world.apiAt(await world.createTenant('acme', { environment: 'production' }));
});
afterAll(() => world.stop());

const create = (body: object) => created(manage.post('/clients', body));
const secretReads = async () => (await world.events()).filter(({ type }) => type === 'mgmt_api_read');

describe('POST /clients', () => {
  it('answers 201 with the whole client and its secret', async () => {
    const made = await world.api('create:clients').post('/clients', { name: 'Web', app_type: 'regular_web' });
    expect(made.statusCode).toBe(201);
    expect(made.json()).toMatchObject({
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
      signing_keys: [{ cert: expect.stringMatching(/^-----BEGIN CERTIFICATE-----/) }],
    });
    expect(made.json().client_secret).toHaveLength(64);
    expect(await world.events()).toContainEqual(
      expect.objectContaining({ type: 'sapi', description: 'Create a client' }),
    );
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
    expect(await answer(manage.post('/clients', body))).toMatchObject({
      status: 400,
      body: { statusCode: 400, error: 'Bad Request', errorCode: 'invalid_body' },
    });
  });

  it('answers 400 to http://localhost:* in a production tenant', async () => {
    const body = { name: 'x', web_origins: ['http://localhost:*'] };
    expect((await manage.post('/clients', body)).statusCode).toBe(201);
    expect(await answer(stranger.post('/clients', body))).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/production tenant/) },
    });
  });
});

describe('GET /clients', () => {
  it('answers in each of its styles, and finds the global client', async () => {
    const paged = await manage.get('/clients?page=0&per_page=100&include_totals=true&is_global=true');
    expect(paged.json()).toMatchObject({
      start: 0,
      limit: 100,
      total: 1,
      clients: [{ name: 'All Applications', global: true }],
    });
    expect(Array.isArray((await manage.get('/clients')).json())).toBe(true);
    const first = (await manage.get('/clients?take=1')).json();
    expect(first.clients).toHaveLength(1);
    const second = (await manage.get(`/clients?take=1&from=${first.next}`)).json();
    expect(second.clients[0].client_id).not.toBe(first.clients[0].client_id);
    expect((await manage.get('/clients?page=99&include_totals=true')).json().clients).toEqual([]);
  });

  it('keeps secrets from who lacks read:client_keys, and writes down who reads them', async () => {
    const { client_id } = await create({ name: 'Secret' });
    const before = (await secretReads()).length;
    const plain = (await world.api('read:clients').get(`/clients/${client_id}`)).json();
    expect(plain).toMatchObject({ name: 'Secret', client_id });
    expect(plain).not.toHaveProperty('client_secret');
    expect(plain).not.toHaveProperty('signing_keys');
    const named = await manage.get(`/clients/${client_id}?fields=name,client_id`);
    expect(named.json()).toEqual({ name: 'Secret', client_id });
    expect(await secretReads()).toHaveLength(before);
    expect((await manage.get(`/clients/${client_id}`)).json().client_secret).toHaveLength(64);
    const [read, ...earlier] = await secretReads();
    expect(read).toMatchObject({ details: { accessedSecrets: ['client_secret'] } });
    expect(earlier).toHaveLength(before);
  });

  it.each(['q=name:x', 'from=not-a-cursor', 'page=-1', 'per_page=101', 'is_global=perhaps', 'unknown=1'])(
    'answers 400 to %s',
    async (query) => {
      expect((await manage.get(`/clients?${query}`)).statusCode).toBe(400);
    },
  );

  it('shows nothing of another tenant, and no system client', async () => {
    const mine = String((await create({ name: 'Mine' })).client_id);
    const { stores } = world.app;
    const dev = { tenantId: 'dev', environment: 'development' } as const;
    const system = (await createClient(stores, dev, { name: 'Dashboard' }, { isSystem: true })).clientId;
    const missing = {
      status: 404,
      body: {
        statusCode: 404,
        error: 'Not Found',
        message: 'The client does not exist',
        errorCode: 'inexistent_client',
      },
    };
    for (const [id, api] of [
      [mine, stranger],
      [system, manage],
    ] as const) {
      for (const path of ['', '/connections', '/credentials']) {
        expect(await answer(api.get(`/clients/${id}${path}`))).toEqual(missing);
      }
      expect(await answer(api.patch(`/clients/${id}`, { name: 'x' }))).toEqual(missing);
      expect(await answer(api.post(`/clients/${id}/rotate-secret`))).toEqual(missing);
      expect((await api.delete(`/clients/${id}`)).statusCode).toBe(204);
      expect(await stores.clients.find('dev', id)).toBeDefined();
    }
  });
});

describe('PATCH /clients/{id}', () => {
  it('lets each scope change only what is its own', async () => {
    const { client_id } = await create({ name: 'Scoped' });
    const patch = (scope: string, body: object) => world.api(scope).patch(`/clients/${client_id}`, body);
    expect((await patch('update:clients', { name: 'Renamed' })).statusCode).toBe(200);
    const secret = { client_secret: 'a new secret' };
    expect((await patch('update:clients', secret)).json()).toMatchObject({
      statusCode: 403,
      errorCode: 'insufficient_scope',
      message: 'Insufficient scope, expected any of: update:client_keys',
    });
    const rotated = await patch('update:client_keys', secret);
    expect(rotated.statusCode).toBe(200);
    expect(rotated.json()).not.toHaveProperty('client_secret');
    expect((await patch('update:client_keys', { name: 'Mine' })).statusCode).toBe(403);
    expect((await patch('update:client_credentials', { callbacks: [] })).statusCode).toBe(403);
  });

  it('rotates the secret', async () => {
    const { client_id, client_secret } = await create({ name: 'Rotate' });
    const rotated = await world.api('update:client_keys').post(`/clients/${client_id}/rotate-secret`);
    expect(rotated.statusCode).toBe(200);
    expect(rotated.json().client_secret).toHaveLength(64);
    expect(rotated.json().client_secret).not.toBe(client_secret);
  });
});

describe('/clients/{client_id}/credentials', () => {
  it('adds, reads, changes and deletes public keys', async () => {
    const { client_id } = await create({ name: 'Keys' });
    const path = `/clients/${client_id}/credentials`;
    const key = { credential_type: 'public_key', pem };
    const added = await created(manage.post(path, { ...key, name: 'mine', alg: 'RS256' }));
    expect(added).toMatchObject({ name: 'mine', credential_type: 'public_key', alg: 'RS256' });
    expect(added.id).toMatch(/^cred_[A-Za-z0-9]{22}$/);
    expect(added).not.toHaveProperty('pem');
    expect((await manage.get(path)).json()).toEqual([added]);
    const expires_at = '2030-01-01T00:00:00.000Z';
    expect(await answer(manage.patch(`${path}/${added.id}`, { expires_at }))).toMatchObject({
      status: 200,
      body: { expires_at },
    });
    expect((await manage.get(`${path}/${added.id}`)).json()).toMatchObject({ expires_at });
    expect((await manage.post(path, key)).statusCode).toBe(409);
    expect((await manage.delete(`${path}/${added.id}`)).statusCode).toBe(204);
    expect((await manage.get(`${path}/${added.id}`)).statusCode).toBe(404);
  });
});
