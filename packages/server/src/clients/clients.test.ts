import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/test-database.ts';
import { createDatabase, type Database } from '../db/database.ts';
import { transactionsOn } from '../db/transact.ts';
import type { Json } from '../kit/json-values.ts';
import { createSealer } from '../kit/seal.ts';
import { createTenantCache } from '../tenants/tenant-cache.ts';
import { createTenantStore } from '../tenants/tenant-store.ts';
import { matchRules } from './client.ts';
import { addCredential, removeCredential } from './client-credentials.ts';
import { createClientDirectory } from './client-directory.ts';
import { createClientStore } from './client-store.ts';
import { toWire } from './client-wire.ts';
import { createClient, ensureGlobalClient } from './create-client.ts';
import { createCredentialStore } from './credential-store.ts';
import { deleteClient, rotateSecret, updateClient } from './update-client.ts';

const sealer = createSealer(new Uint8Array(32));
const storesOn = (db: Database) => ({
  clients: createClientStore(db, sealer),
  credentials: createCredentialStore(db),
});
const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2_048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const dev = { tenantId: 'dev', environment: 'development' } as const;
const acme = { tenantId: 'acme', environment: 'production' } as const;

let database: TestDatabase;
let stores: ReturnType<typeof storesOn>;
let transact: ReturnType<typeof transactionsOn<ReturnType<typeof storesOn>>>;
beforeAll(async () => {
  database = await createTestDatabase();
  const db = createDatabase(database.pool);
  stores = storesOn(db);
  transact = transactionsOn(db, storesOn);
  for (const tenant of [dev, acme]) {
    await createTenantStore(db).insert({ ...tenant, isDefault: false, settings: {} });
  }
});
afterAll(() => database.drop());

const create = (body: Json) => createClient(stores, dev, { name: 'App', ...body });
const patch = (clientId: string, body: Json) => transact((inside) => updateClient(inside, dev, clientId, body));
const inlineKey = {
  client_authentication_methods: {
    private_key_jwt: { credentials: [{ credential_type: 'public_key', pem: publicKey }] },
  },
};

describe('a new client', () => {
  it('has the ids and defaults that Auth0 gives', async () => {
    const client = await create({});
    expect(client).toMatchObject({
      name: 'App',
      isFirstParty: true,
      isGlobal: false,
      oidcConformant: false,
      tokenEndpointAuthMethod: undefined,
      privateKeyCredentials: undefined,
      grantTypes: ['authorization_code', 'implicit', 'refresh_token', 'client_credentials'],
      jwtConfiguration: { lifetimeInSeconds: 36_000, alg: 'RS256', secretEncoded: false },
      refreshToken: { rotationType: 'non-rotating', expirationType: 'non-expiring', leeway: 0 },
    });
    expect(client.clientId).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(client.secret).toMatch(/^[A-Za-z0-9]{64}$/);
  });

  it.each([
    ['spa', ['authorization_code', 'implicit', 'refresh_token'], 'none'],
    ['native', ['authorization_code', 'implicit', 'refresh_token'], 'none'],
    ['regular_web', ['authorization_code', 'implicit', 'refresh_token', 'client_credentials'], undefined],
    ['non_interactive', ['client_credentials'], undefined],
  ])('of type %s may use %j', async (app_type, grantTypes, tokenEndpointAuthMethod) => {
    expect(await create({ app_type })).toMatchObject({ grantTypes, tokenEndpointAuthMethod });
  });

  it('of type spa rotates its refresh tokens, which expire', async () => {
    expect((await create({ app_type: 'spa' })).refreshToken).toMatchObject({
      rotationType: 'rotating',
      expirationType: 'expiring',
      tokenLifetime: 2_592_000,
      infiniteTokenLifetime: false,
      leeway: 0,
    });
  });

  it('brings its public keys along and then authenticates with them only', async () => {
    const client = await create({ app_type: 'spa', ...inlineKey });
    expect(client.tokenEndpointAuthMethod).toBeUndefined();
    expect(client.privateKeyCredentials).toMatchObject([{ algorithm: 'RS256', publicJwk: { kty: 'RSA' } }]);
    expect(client.body.client_authentication_methods).toEqual({
      private_key_jwt: { credentials: [{ id: expect.stringMatching(/^cred_[A-Za-z0-9]{22}$/) }] },
    });
  });

  it.each<[string, Json, RegExp]>([
    [
      'a script as callback',
      { callbacks: ['javascript:alert(1)'] },
      /format callback-url: javascript:alert\(1\)' on property callbacks\[0\]/,
    ],
    ['a path as origin', { web_origins: ['https://a.example.com/x'] }, /web_origins\[0\]/],
    [
      'too many callbacks',
      { callbacks: Array.from({ length: 101 }, (_, n) => `https://a.example.com/${n}`) },
      /too long \(101\)/,
    ],
    ['unknown grant types', { grant_types: ['implicit', 'magic'] }, /^Invalid grant types: magic$/],
    [
      'eleven metadata keys',
      { client_metadata: Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`k${n}`, 'v'])) },
      /Too many properties/,
    ],
    ['a number in metadata', { client_metadata: { a: 1 } }, /client_metadata\.a/],
    ['a long metadata value', { client_metadata: { a: 'x'.repeat(256) } }, /client_metadata\.a/],
    [
      'two ways to authenticate',
      { token_endpoint_auth_method: 'client_secret_post', ...inlineKey },
      /exclude each other/,
    ],
    ['login over http', { initiate_login_uri: 'http://a.example.com' }, /initiate_login_uri/],
    [
      'a private key',
      {
        client_authentication_methods: {
          private_key_jwt: { credentials: [{ credential_type: 'public_key', pem: privateKey }] },
        },
      },
      /private key/,
    ],
    [
      'a broken key',
      {
        client_authentication_methods: {
          private_key_jwt: { credentials: [{ credential_type: 'public_key', pem: 'x' }] },
        },
      },
      /not a public key/,
    ],
  ])('is refused with %s', async (_what, body, message) => {
    await expect(create(body)).rejects.toMatchObject({ status: 400, message: expect.stringMatching(message) });
  });

  it('may allow http://localhost:* outside production only', async () => {
    const local = { name: 'Local', callbacks: ['http://localhost:*'] };
    expect((await createClient(stores, dev, local)).callbacks).toEqual(['http://localhost:*']);
    await expect(createClient(stores, acme, local)).rejects.toMatchObject({
      status: 400,
      message: expect.stringMatching(/refused in a production tenant' on property callbacks\[0\]/),
    });
    expect(matchRules({ appType: 'spa' }, acme).localhostAny).toBe(false);
  });
});

describe('changing a client', () => {
  it('replaces members, removes with null, and merges metadata', async () => {
    const { clientId } = await create({
      description: 'old',
      callbacks: ['https://a.example.com'],
      token_endpoint_auth_method: 'client_secret_post',
      client_metadata: { a: '1', b: '2' },
    });
    const changed = await patch(clientId, {
      name: 'New',
      description: null,
      token_endpoint_auth_method: null,
      callbacks: ['https://b.example.com'],
      client_metadata: { a: null, c: '3' },
      jwt_configuration: { lifetime_in_seconds: 60 },
    });
    expect(changed).toMatchObject({ name: 'New', callbacks: ['https://b.example.com'], metadata: { b: '2', c: '3' } });
    expect(changed.tokenEndpointAuthMethod).toBeUndefined();
    expect(changed.body).not.toHaveProperty('description');
    expect(changed.jwtConfiguration).toEqual({ lifetimeInSeconds: 60, alg: 'RS256', secretEncoded: false });
  });

  it('never counts metadata that is removed and added in parts past ten keys', async () => {
    const ten = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`k${n}`, 'v']));
    const { clientId } = await create({ client_metadata: ten });
    await expect(patch(clientId, { client_metadata: { k10: 'v' } })).rejects.toMatchObject({ status: 400 });
    await expect(patch(clientId, { client_metadata: { k0: null, k10: 'v' } })).resolves.toBeDefined();
  });

  it('loses nothing when many change different fields at once', async () => {
    const { clientId } = await create({});
    const keys = Array.from({ length: 10 }, (_, n) => `k${n}`);
    await Promise.all([
      patch(clientId, { description: 'one' }),
      patch(clientId, { callbacks: ['https://a.example.com'] }),
      patch(clientId, { name: 'Two' }),
      ...keys.map((key) => patch(clientId, { client_metadata: { [key]: 'v' } })),
    ]);
    const client = await stores.clients.find('dev', clientId);
    expect(client).toMatchObject({ name: 'Two', callbacks: ['https://a.example.com'] });
    expect(client?.body.description).toBe('one');
    expect(Object.keys(client?.metadata ?? {}).sort()).toEqual(keys);
  });

  it('keeps the secret until it is rotated or set', async () => {
    const { clientId, secret } = await create({});
    expect((await patch(clientId, { name: 'Other' })).secret).toBe(secret);
    const rotated = await transact((inside) => rotateSecret(inside, 'dev', clientId));
    expect(rotated.secret).toMatch(/^[A-Za-z0-9]{64}$/);
    expect(rotated.secret).not.toBe(secret);
    expect((await patch(clientId, { client_secret: 'my own' })).secret).toBe('my own');
  });

  it('is refused for a system client, another tenant and credentials that it does not have', async () => {
    const system = await createClient(stores, dev, { name: 'Dashboard' }, { isSystem: true });
    const client = await create({});
    const notFound = { status: 404, code: 'inexistent_client' };
    await expect(patch(system.clientId, { name: 'Mine' })).rejects.toMatchObject(notFound);
    await expect(updateClient(stores, acme, client.clientId, { name: 'Mine' })).rejects.toMatchObject(notFound);
    const methods = { private_key_jwt: { credentials: [{ id: 'cred_unknown' }] } };
    await expect(patch(client.clientId, { client_authentication_methods: methods })).rejects.toMatchObject({
      message: expect.stringMatching(/no such credential: cred_unknown/),
    });
  });
});

describe('the credentials of a client', () => {
  const key = { credential_type: 'public_key', pem: publicKey };
  const add = (clientId: string, body: Json) =>
    transact((inside) => addCredential(inside, 'dev', clientId, body, new Date()));

  it('are used once the client names them, and stay while it does', async () => {
    const { clientId } = await create({});
    const credential = await add(clientId, { ...key, kid: 'my-key-0001', alg: 'PS256' });
    expect((await stores.clients.find('dev', clientId))?.privateKeyCredentials).toBeUndefined();
    const methods = { private_key_jwt: { credentials: [{ id: credential.id }] } };
    const client = await patch(clientId, { client_authentication_methods: methods });
    expect(client.privateKeyCredentials).toMatchObject([{ kid: 'my-key-0001', algorithm: 'PS256' }]);
    const remove = () => transact((inside) => removeCredential(inside, 'dev', clientId, credential.id));
    await expect(remove()).rejects.toMatchObject({ status: 400 });
    await patch(clientId, { client_authentication_methods: null });
    await remove();
    expect(await stores.credentials.list('dev', clientId)).toEqual([]);
  });

  it('never share a kid, not even when added at once', async () => {
    const { clientId } = await create({});
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => add(clientId, key)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('the list of clients', () => {
  it('walks by page and by cursor, with the global client and without system clients', async () => {
    const tenant = acme;
    const global = await ensureGlobalClient(stores, tenant);
    expect((await ensureGlobalClient(stores, tenant)).clientId).toBe(global.clientId);
    await createClient(stores, tenant, { name: 'System' }, { isSystem: true });
    for (const app_type of ['spa', 'native', 'spa']) await createClient(stores, tenant, { name: app_type, app_type });
    const names = (found: readonly { client: { name: string } }[]) => found.map(({ client }) => client.name);
    expect(names(await stores.clients.page('acme', {}, 0, 50))).toEqual(['All Applications', 'spa', 'native', 'spa']);
    expect(await stores.clients.count('acme', {})).toBe(4);
    expect(names(await stores.clients.page('acme', { isGlobal: true }, 0, 50))).toEqual(['All Applications']);
    expect(await stores.clients.count('acme', { isGlobal: false, appTypes: ['spa'] })).toBe(2);
    expect(await stores.clients.count('acme', { isFirstParty: false })).toBe(0);
    expect(await stores.clients.count('acme', { allowAnyOrganization: true })).toBe(0);
    const first = await stores.clients.after('acme', {}, undefined, 2);
    expect(names(first)).toEqual(['All Applications', 'spa']);
    expect(names(await stores.clients.after('acme', {}, first[1]?.position, 2))).toEqual(['native', 'spa']);
    await expect(deleteClient(stores, 'acme', global.clientId)).rejects.toMatchObject({ status: 400 });
  });
});

describe('what the Management API shows of a client', () => {
  const view = (scopes: string[]) => ({
    tenantId: 'dev',
    scopes: new Set(scopes),
    signingCertificates: [{ cert: 'PEM', subject: '/CN=dev' }],
  });

  it('has secrets only for read:client_keys', async () => {
    const client = await create({ callbacks: ['https://a.example.com'] });
    const keys = toWire(client, view(['read:client_keys']));
    expect(keys).toMatchObject({
      client_secret: client.secret,
      signing_keys: [{ cert: 'PEM' }],
      tenant: 'dev',
      global: false,
    });
    const plain = toWire(client, view(['read:clients']));
    expect(plain).toMatchObject({ callbacks: ['https://a.example.com'], client_id: client.clientId });
    expect(plain).not.toHaveProperty('client_secret');
    expect(plain).not.toHaveProperty('signing_keys');
    const summary = toWire(client, view(['read:client_summary']));
    expect(summary).toMatchObject({ name: 'App' });
    expect(summary).not.toHaveProperty('callbacks');
  });
});

describe('the client directory', () => {
  it('remembers clients and misses until the tenant changes, and keeps tenants apart', async () => {
    const cache = createTenantCache({ isCurrent: () => true });
    const directory = createClientDirectory({ cache, clients: stores.clients });
    const client = await create({});
    expect((await directory.find('dev', client.clientId))?.clientId).toBe(client.clientId);
    expect(await directory.find('acme', client.clientId)).toBeUndefined();
    expect(await directory.find('dev', 'x\0')).toBeUndefined();
    await transact((inside) => deleteClient(inside, 'dev', client.clientId));
    expect(await directory.find('dev', client.clientId)).toBeDefined();
    cache.forget('dev');
    expect(await directory.find('dev', client.clientId)).toBeUndefined();
  });
});
