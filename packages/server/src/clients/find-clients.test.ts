import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acme, createTestStores, dev, type TestStores } from '../../test/test-stores.ts';
import type { Json } from '../kit/json-values.ts';
import { createTenantCache } from '../tenants/tenant-cache.ts';
import { createClientDirectory } from './client-directory.ts';
import { toWire } from './client-wire.ts';
import { createClient, ensureGlobalClient } from './create-client.ts';
import { deleteClient } from './update-client.ts';

let db: TestStores;
beforeAll(async () => {
  db = await createTestStores();
});
afterAll(() => db.drop());

const create = (body: Json) => createClient(db.stores, dev, { name: 'App', ...body });

describe('the list of clients', () => {
  it('walks by page and by cursor, with the global client and without system clients', async () => {
    const tenant = acme;
    const global = await ensureGlobalClient(db.stores, tenant);
    expect((await ensureGlobalClient(db.stores, tenant)).clientId).toBe(global.clientId);
    await createClient(db.stores, tenant, { name: 'System' }, { isSystem: true });
    for (const app_type of ['spa', 'native', 'spa'])
      await createClient(db.stores, tenant, { name: app_type, app_type });
    const names = (found: readonly { client: { name: string } }[]) => found.map(({ client }) => client.name);
    expect(names(await db.stores.clients.page('acme', {}, 0, 50))).toEqual([
      'All Applications',
      'spa',
      'native',
      'spa',
    ]);
    expect(await db.stores.clients.count('acme', {})).toBe(4);
    expect(names(await db.stores.clients.page('acme', { isGlobal: true }, 0, 50))).toEqual(['All Applications']);
    expect(await db.stores.clients.count('acme', { isGlobal: false, appTypes: ['spa'] })).toBe(2);
    expect(await db.stores.clients.count('acme', { isFirstParty: false })).toBe(0);
    expect(await db.stores.clients.count('acme', { allowAnyOrganization: true })).toBe(0);
    const first = await db.stores.clients.after('acme', {}, undefined, 2);
    expect(names(first)).toEqual(['All Applications', 'spa']);
    expect(names(await db.stores.clients.after('acme', {}, first[1]?.position, 2))).toEqual(['native', 'spa']);
    await expect(deleteClient(db.stores, 'acme', global.clientId)).rejects.toMatchObject({ status: 400 });
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
    const directory = createClientDirectory({ cache, clients: db.stores.clients });
    const client = await create({});
    expect((await directory.find('dev', client.clientId))?.clientId).toBe(client.clientId);
    expect(await directory.find('acme', client.clientId)).toBeUndefined();
    expect(await directory.find('dev', 'x\0')).toBeUndefined();
    await db.transact((inside) => deleteClient(inside, 'dev', client.clientId));
    expect(await directory.find('dev', client.clientId)).toBeDefined();
    cache.forget('dev');
    expect(await directory.find('dev', client.clientId)).toBeUndefined();
  });
});
