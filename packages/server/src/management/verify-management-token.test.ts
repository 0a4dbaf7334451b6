import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  acme,
  createMachinery,
  KID,
  type Machinery,
  NOW,
  ORIGIN,
  publicJwk,
  send,
  signingKey,
} from '../../test/management-machinery.ts';
import { createManagementTokenVerifier } from './verify-management-token.ts';

type Claims = Readonly<Record<string, unknown>>;

let world: Machinery;

beforeAll(async () => {
  world = await createMachinery((management) => {
    management.route('GET /roles/{id}', async (call) => ({
      clientId: call.actor.clientId,
      userId: call.actor.userId,
      scopes: [...call.actor.scopes],
    }));
  });
});
afterAll(() => world.app.close());

const SECONDS = NOW.getTime() / 1000;
const SCOPE = 'read:roles';
const read = (token: string) =>
  send(world.app, { method: 'GET', url: '/api/v2/roles/rol_1', headers: { authorization: `Bearer ${token}` } });

describe('an access token for the Management API', () => {
  it('tells which client calls, and for whom', async () => {
    expect((await read(await world.token(SCOPE))).body).toEqual({ clientId: 'client1', scopes: [SCOPE] });
    const ofUser = await world.token(SCOPE, { sub: 'auth0|ada', azp: 'spa' });
    expect((await read(ofUser)).body).toEqual({ clientId: 'spa', userId: 'auth0|ada', scopes: [SCOPE] });
  });

  it('may come from any origin of the tenant, be for any of them, and have several audiences', async () => {
    const local = { iss: 'http://localhost:3000/', aud: ['urn:other', 'http://localhost:3000/api/v2/'] };
    expect((await read(await world.token(SCOPE, local))).status).toBe(200);
  });

  it('may be of the type at+jwt, with client_id in place of azp', async () => {
    const token = await world.token(SCOPE, { azp: undefined, client_id: 'c2' }, { typ: 'at+jwt' });
    expect((await read(token)).body).toMatchObject({ clientId: 'c2' });
  });

  it('is told to be expired', async () => {
    const answer = await read(await world.token(SCOPE, { exp: SECONDS - 1 }));
    expect(answer.status).toBe(401);
    expect(answer.body).toEqual({
      statusCode: 401,
      error: 'Unauthorized',
      message: 'Expired token received for JSON Web Token validation',
      attributes: { error: 'Expired token received for JSON Web Token validation' },
    });
  });

  it('is refused as soon as its key is revoked or its time is over, though it was good a moment ago', async () => {
    const token = await world.token(SCOPE);
    const key = (await signingKey).publicKey;
    let isRevoked = false;
    let time = NOW;
    const verify = createManagementTokenVerifier({
      keys: { verificationKey: async () => (isRevoked ? undefined : key) },
      isTenantOrigin: () => true,
      isManagementAudience: () => true,
      now: () => time,
    });
    await expect(verify(acme, token)).resolves.toMatchObject({ clientId: 'client1' });
    await expect(verify(acme, token)).resolves.toMatchObject({ clientId: 'client1' });
    time = new Date(NOW.getTime() + 3_600_000);
    await expect(verify(acme, token)).rejects.toThrow('Expired token');
    time = NOW;
    isRevoked = true;
    await expect(verify(acme, token)).rejects.toThrow('Invalid token');
  });

  it('is told whose audience it has', async () => {
    const answer = await read(await world.token(SCOPE, { aud: 'https://evil.example/api/v2/' }));
    expect(answer).toMatchObject({ status: 401, body: { message: 'Bad audience: https://evil.example/api/v2/' } });
  });

  it('can not write into a header by its audience', async () => {
    const answer = await read(await world.token(SCOPE, { aud: 'x"\r\nset-cookie: a=b' }));
    expect(answer.status).toBe(401);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it.each<[string, Claims, Claims]>([
    ['an issuer of another tenant', { iss: 'https://other.example/' }, {}],
    ['an issuer without its slash', { iss: ORIGIN }, {}],
    ['no issuer', { iss: undefined }, {}],
    ['a time that has not come', { nbf: SECONDS + 60 }, {}],
    ['no end', { exp: undefined }, {}],
    ['no subject', { sub: undefined }, {}],
    ['no client', { azp: undefined, sub: 'auth0|ada' }, {}],
    ['an unknown key', {}, { kid: 'other' }],
    ['a path as its key', {}, { kid: '../../acme' }],
    ['no key', {}, { kid: undefined }],
    ['the type of another token', {}, { typ: 'logout+jwt' }],
    ['no type', {}, { typ: undefined }],
  ])('is invalid with %s', async (_name, claims, header) => {
    const answer = await read(await world.token(SCOPE, claims, header));
    expect(answer).toMatchObject({
      status: 401,
      body: { message: 'Invalid token', attributes: { error: 'Invalid token' } },
    });
    expect(answer.headers['www-authenticate']).toBe('Bearer error="Invalid token"');
  });

  it('is invalid when a key that it brought along signed it', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    for (const header of [
      { jwk: await exportJWK(publicKey) },
      { jku: 'https://evil.example/jwks' },
      { x5u: 'https://evil.example/x' },
    ]) {
      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: KID, ...header })
        .sign(privateKey);
      expect((await read(token)).status).toBe(401);
    }
  });

  it('is invalid without a signature, and with a public key as its shared secret', async () => {
    expect((await read(new UnsecuredJWT(claims).encode())).status).toBe(401);
    const spki = new TextEncoder().encode(await exportSPKI((await signingKey).publicKey));
    const confused = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: KID }).sign(spki);
    expect((await read(confused)).status).toBe(401);
    expect((await publicJwk()).kty).toBe('RSA');
  });

  it('is invalid when a byte of it was changed', async () => {
    const [header = '', payload = '', signature = ''] = (await world.token(SCOPE)).split('.');
    const forged = Buffer.from(payload, 'base64url').toString().replace(SCOPE, 'delete:users');
    expect((await read(`${header}.${Buffer.from(forged).toString('base64url')}.${signature}`)).status).toBe(401);
    expect((await read(`${header}.${payload}.${signature.slice(0, -8)}AAAAAAAA`)).status).toBe(401);
    expect((await read(`${header}.${payload}.`)).status).toBe(401);
  });
});

const claims = {
  iss: `${ORIGIN}/`,
  aud: `${ORIGIN}/api/v2/`,
  sub: 'c@clients',
  azp: 'c',
  scope: SCOPE,
  exp: SECONDS + 60,
};
