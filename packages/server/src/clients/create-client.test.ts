import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acme, createTestStores, dev, type TestStores } from '../../test/test-stores.ts';
import type { Json } from '../kit/json-values.ts';
import { matchRules } from './client.ts';
import { createClient } from './create-client.ts';

const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2_048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const inlineKey = {
  client_authentication_methods: {
    private_key_jwt: { credentials: [{ credential_type: 'public_key', pem: publicKey }] },
  },
};

let db: TestStores;
beforeAll(async () => {
  db = await createTestStores();
});
afterAll(() => db.drop());

const create = (body: Json) => createClient(db.stores, dev, { name: 'App', ...body });

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
    expect((await createClient(db.stores, dev, local)).callbacks).toEqual(['http://localhost:*']);
    await expect(createClient(db.stores, acme, local)).rejects.toMatchObject({
      status: 400,
      message: expect.stringMatching(/refused in a production tenant' on property callbacks\[0\]/),
    });
    expect(matchRules({ appType: 'spa' }, acme).localhostAny).toBe(false);
  });
});
