import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acme, createTestStores, dev, type TestStores } from '../../test/test-stores.ts';
import type { Json } from '../kit/json-values.ts';
import { createClient } from './create-client.ts';
import { rotateSecret, updateClient } from './update-client.ts';

let db: TestStores;
beforeAll(async () => {
  db = await createTestStores();
});
afterAll(() => db.drop());

const create = (body: Json) => createClient(db.stores, dev, { name: 'App', ...body });
const patch = (clientId: string, body: Json) => db.transact((stores) => updateClient(stores, dev, clientId, body));

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
    const client = await db.stores.clients.find('dev', clientId);
    expect(client).toMatchObject({ name: 'Two', callbacks: ['https://a.example.com'] });
    expect(client?.body.description).toBe('one');
    expect(Object.keys(client?.metadata ?? {}).sort()).toEqual(keys);
  });

  it('keeps the secret until it is rotated or set', async () => {
    const { clientId, secret } = await create({});
    expect((await patch(clientId, { name: 'Other' })).secret).toBe(secret);
    const rotated = await db.transact((inside) => rotateSecret(inside, 'dev', clientId));
    expect(rotated.secret).toMatch(/^[A-Za-z0-9]{64}$/);
    expect(rotated.secret).not.toBe(secret);
    expect((await patch(clientId, { client_secret: 'my own' })).secret).toBe('my own');
  });

  it('is refused for a system client, another tenant and credentials that it does not have', async () => {
    const system = await createClient(db.stores, dev, { name: 'Dashboard' }, { isSystem: true });
    const client = await create({});
    const notFound = { status: 404, code: 'inexistent_client' };
    await expect(patch(system.clientId, { name: 'Mine' })).rejects.toMatchObject(notFound);
    await expect(updateClient(db.stores, acme, client.clientId, { name: 'Mine' })).rejects.toMatchObject(notFound);
    const methods = { private_key_jwt: { credentials: [{ id: 'cred_unknown' }] } };
    await expect(patch(client.clientId, { client_authentication_methods: methods })).rejects.toMatchObject({
      message: expect.stringMatching(/no such credential: cred_unknown/),
    });
  });
});
