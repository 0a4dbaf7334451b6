import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestStores, dev, type TestStores } from '../../test/test-stores.ts';
import type { Json } from '../kit/json-values.ts';
import { addCredential, removeCredential } from './client-credentials.ts';
import { createClient } from './create-client.ts';
import { updateClient } from './update-client.ts';

const { publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2_048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

let db: TestStores;
beforeAll(async () => {
  db = await createTestStores();
});
afterAll(() => db.drop());

const create = (body: Json) => createClient(db.stores, dev, { name: 'App', ...body });
const patch = (clientId: string, body: Json) => db.transact((stores) => updateClient(stores, dev, clientId, body));

describe('the credentials of a client', () => {
  const key = { credential_type: 'public_key', pem: publicKey };
  const add = (clientId: string, body: Json) =>
    db.transact((inside) => addCredential(inside, 'dev', clientId, body, new Date()));

  it('are used once the client names them, and stay while it does', async () => {
    const { clientId } = await create({});
    const credential = await add(clientId, { ...key, kid: 'my-key-0001', alg: 'PS256' });
    expect((await db.stores.clients.find('dev', clientId))?.privateKeyCredentials).toBeUndefined();
    const methods = { private_key_jwt: { credentials: [{ id: credential.id }] } };
    const client = await patch(clientId, { client_authentication_methods: methods });
    expect(client.privateKeyCredentials).toMatchObject([{ kid: 'my-key-0001', algorithm: 'PS256' }]);
    const remove = () => db.transact((inside) => removeCredential(inside, 'dev', clientId, credential.id));
    await expect(remove()).rejects.toMatchObject({ status: 400 });
    await patch(clientId, { client_authentication_methods: null });
    await remove();
    expect(await db.stores.credentials.list('dev', clientId)).toEqual([]);
  });

  it('never share a kid, not even when added at once', async () => {
    const { clientId } = await create({});
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => add(clientId, key)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});
