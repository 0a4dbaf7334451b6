import { createPublicKey, X509Certificate } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../world.ts';
import { headerOf, passwordTokens, tokensOf, userinfo } from './code-flow.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

type Published = { keys: { kty: string; kid: string; n: string; e: string; x5t: string; x5c: string[] }[] };
const published = async (): Promise<Published> => (await world.request({ path: '/.well-known/jwks.json' })).json();
const kids = async (): Promise<string[]> => (await published()).keys.map(({ kid }) => kid);
const verify = async (token: string) =>
  jwtVerify(token, createLocalJWKSet(await published()), { issuer: world.issuer, currentDate: world.now() });

describe('the published keys', () => {
  it('have public members only, and two at least: the current and the next one', async () => {
    const { keys } = await published();
    expect(keys.length).toBeGreaterThanOrEqual(2);
    for (const key of keys)
      expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use', 'x5c', 'x5t']);
  });

  it('carry a certificate of the very same key, and its thumbprint', async () => {
    for (const { n, e, x5c, x5t } of (await published()).keys) {
      const certificate = new X509Certificate(Buffer.from(x5c[0] ?? '', 'base64'));
      expect(certificate.publicKey.export({ format: 'jwk' })).toMatchObject({ n, e });
      expect(Buffer.from(x5t, 'base64url').toString('hex').toUpperCase()).toBe(
        certificate.fingerprint.replaceAll(':', ''),
      );
      expect(createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' }).asymmetricKeyDetails?.modulusLength).toBe(
        2048,
      );
    }
  });

  it('are those of no other tenant', async () => {
    const other = await world.createTenant('other');
    const theirs: Published = (await world.request({ path: '/.well-known/jwks.json', tenant: other })).json();
    const own = await kids();
    expect(theirs.keys.filter(({ kid }) => own.includes(kid))).toEqual([]);
  });
});

describe('a rotation (OpenID Connect Core section 10.1.1)', () => {
  it('signs with a key that was published before, keeps old tokens valid, and ends them with a revocation', async () => {
    const before = await kids();
    const form = { audience: 'https://api.example.com/', scope: 'openid' };
    const old = (await passwordTokens(world, form)).json();
    const oldKid = String(headerOf(old.id_token).kid);

    expect((await world.api().post('/keys/signing/rotate')).statusCode).toBe(201);
    const fresh = await tokensOf(world);
    const newKid = String(headerOf(fresh.id_token).kid);
    expect(newKid).not.toBe(oldKid);
    expect(before).toContain(newKid);
    const after = await kids();
    expect(after).toEqual(expect.arrayContaining([oldKid, newKid]));
    expect(after).toHaveLength(3);
    await verify(old.id_token);
    await verify(fresh.id_token);
    expect((await userinfo(world, old.access_token)).statusCode).toBe(200);

    expect((await world.api().put(`/keys/signing/${oldKid}/revoke`)).statusCode).toBe(200);
    expect(await kids()).not.toContain(oldKid);
    await expect(verify(old.id_token)).rejects.toThrow();
    expect((await userinfo(world, old.access_token)).statusCode).toBe(401);
    await verify(fresh.id_token);
  });

  it('may be followed at once by the next: what is signed is always published', async () => {
    for (let round = 0; round < 3; round++) {
      await world.api().post('/keys/signing/rotate');
      await verify((await passwordTokens(world, { scope: 'openid' })).json().id_token);
    }
  });
});

describe('/.well-known/security.txt (RFC 9116)', () => {
  it('names a contact, an end that is not past, and its own address', async () => {
    const response = await world.request({ path: '/.well-known/security.txt' });
    expect(response.headers['content-type']).toBe('text/plain; charset=utf-8');
    const fields = response.body
      .trimEnd()
      .split('\n')
      .map((line) => line.split(': '));
    const listOf = (name: string) => fields.filter(([field]) => field === name).map(([, value]) => value);
    expect(listOf('Contact')[0]).toMatch(/^(https:\/\/|mailto:)/);
    expect(listOf('Canonical')).toEqual([`${world.origin}/.well-known/security.txt`]);
    const [expires] = listOf('Expires');
    expect(listOf('Expires')).toHaveLength(1);
    expect(Date.parse(expires ?? '')).toBeGreaterThan(world.now().getTime());
  });
});
