import { createHmac, createPublicKey, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestKeys, type TestKeys } from '../../test/test-keys.ts';
import type { SignOptions } from './token-signer.ts';
import { createVerifyJwt } from './verify-jwt.ts';

const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;
const jwt = { typ: 'JWT' };
let keys: TestKeys;
let tenant: string;

beforeAll(async () => {
  keys = await createTestKeys();
  tenant = await keys.createTenant();
});
afterAll(() => keys.drop());

describe('a signed token', () => {
  it.each(['RS256', 'RS512', 'PS256'] as const)(
    'verifies with jose from the published keys (%s)',
    async (algorithm) => {
      const token = await sign({ sub: 'a', exp: inAnHour() }, { typ: 'at+jwt', algorithm });
      const published = await keys.rings.jwks(tenant);
      // `alg` is RS256 on every published key, as Auth0 publishes them; a verifier of another algorithm goes by kid.
      const jwks = createLocalJWKSet({
        keys: published.keys.map(({ alg: _, ...key }) => ({ ...key, x5c: [...key.x5c] })),
      });
      expect((await jwtVerify(token, jwks, { algorithms: [algorithm], typ: 'at+jwt' })).payload.sub).toBe('a');
      expect(await check(token)).toMatchObject({ valid: true, claims: { sub: 'a' } });
    },
  );

  it('has the header alg, typ, kid', async () => {
    const [current] = await keys.store.list(tenant);
    expect(decodeProtectedHeader(await sign({}))).toEqual({ alg: 'RS256', typ: 'JWT', kid: current?.kid });
  });

  it('takes the secret of a client with HS256, and never passes as one of the tenant', async () => {
    const token = await sign(
      { sub: 'a', exp: inAnHour() },
      { typ: 'JWT', algorithm: 'HS256', secret: 'client-secret' },
    );
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'JWT' });
    await jwtVerify(token, Buffer.from('client-secret'), { algorithms: ['HS256'] });
    expect(await check(token)).toEqual({ valid: false, reason: 'algorithm' });
  });
});

describe('a token is refused', () => {
  const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: 'auth0|admin', exp: inAnHour() };

  function forge(header: object): string {
    const input = `${encode(header)}.${encode(claims)}`;
    return `${input}.${signBytes('sha256', Buffer.from(input), attacker.privateKey).toString('base64url')}`;
  }
  const kidOf = async () => (await keys.store.list(tenant))[0]?.kid;

  it.each(['none', 'None', 'NONE', 'HS256', 'toString', '__proto__', 'ES256', null, 7, ['RS256']])(
    'with alg %j',
    async (alg) => {
      expect(await check(forge({ alg, kid: await kidOf() }))).toEqual({ valid: false, reason: 'algorithm' });
      const unsigned = `${encode({ alg, kid: await kidOf() })}.${encode(claims)}.`;
      expect(await check(unsigned)).toEqual({ valid: false, reason: 'malformed' });
    },
  );

  it('when it is an HMAC over the public key', async () => {
    const [key] = await keys.store.list(tenant);
    const publicPem = createPublicKey(key?.certificate ?? '').export({ type: 'spki', format: 'pem' });
    for (const secret of [publicPem, key?.certificate ?? '']) {
      const input = `${encode({ alg: 'HS256', typ: 'JWT', kid: key?.kid })}.${encode(claims)}`;
      const token = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
      expect(await check(token)).toEqual({ valid: false, reason: 'algorithm' });
    }
  });

  it.each(['../../dev/null', '/dev/null', '', "' or 1=1 --", '__proto__', 'constructor', { kid: 1 }, 0, undefined])(
    'with the kid %j',
    async (kid) => {
      expect(await check(forge({ alg: 'RS256', kid }))).toEqual({ valid: false, reason: 'unknown_key' });
    },
  );

  it.each([
    ['jku', 'https://attacker.example/jwks.json'],
    ['x5u', 'https://attacker.example/cert.pem'],
    ['jwk', attacker.publicKey.export({ format: 'jwk' })],
    ['x5c', ['MIIB']],
  ])('when its header brings a key along as %s', async (member, value) => {
    expect(await check(forge({ alg: 'RS256', [member]: value }))).toEqual({ valid: false, reason: 'unknown_key' });
    expect(await check(forge({ alg: 'RS256', kid: await kidOf(), [member]: value }))).toEqual({
      valid: false,
      reason: 'signature',
    });
  });

  it('when another tenant signed it', async () => {
    const other = await keys.createTenant();
    const token = await keys.signer.sign(other, claims, jwt);
    expect(await check(token)).toEqual({ valid: false, reason: 'unknown_key' });
    const [header = '', ...rest] = token.split('.');
    const renamed = { ...JSON.parse(Buffer.from(header, 'base64url').toString()), kid: await kidOf() };
    expect(await check([encode(renamed), ...rest].join('.'))).toEqual({ valid: false, reason: 'signature' });
  });

  it('when a claim was changed, when it is expired, early or endless, and when it is of another type', async () => {
    const [header, , signature] = (await sign(claims)).split('.');
    expect(await check(`${header}.${encode({ ...claims, sub: 'x' })}.${signature}`)).toMatchObject({
      reason: 'signature',
    });
    expect(await check(await sign({ exp: inAnHour() - 3600 }))).toMatchObject({ reason: 'expired' });
    expect(await check(await sign({ sub: 'a' }))).toMatchObject({ reason: 'expired' });
    expect(await check(await sign({ exp: inAnHour(), nbf: inAnHour() }))).toMatchObject({ reason: 'early' });
    expect(await check(await sign({ exp: inAnHour(), nbf: 'soon' }))).toMatchObject({ reason: 'early' });
    expect(await check(await sign(claims), 'at+jwt')).toMatchObject({ reason: 'type' });
    expect(await check(await sign(claims, { typ: 'at+JWT' }), 'at+jwt')).toMatchObject({ valid: true });
  });

  it.each(['', 'a.b', 'a.b.c', 'a.b.c.d', '..', 'é.é.é', `${'a'.repeat(200_000)}.a.a`, `${encode([])}.e30.aa`])(
    'when it is no token (case %#)',
    async (token) => {
      expect(await check(token)).toEqual({ valid: false, reason: 'malformed' });
    },
  );

  it('when it names an extension that must be understood', async () => {
    expect(await check(forge({ alg: 'RS256', kid: await kidOf(), crit: ['b64'], b64: false }))).toMatchObject({
      reason: 'algorithm',
    });
  });
});

describe('a token that was accepted before', () => {
  it('is accepted again, and checked again: its type, its tenant, each character of it, and its key', async () => {
    const own = await keys.createTenant();
    const other = await keys.createTenant();
    const token = await keys.signer.sign(own, { sub: 'a', exp: inAnHour() }, jwt);
    for (let time = 0; time < 2; time++)
      expect(await keys.verify(own, token)).toMatchObject({ valid: true, claims: { sub: 'a' } });
    expect(await keys.verify(own, token, { typ: 'at+jwt' })).toEqual({ valid: false, reason: 'type' });
    expect(await keys.verify(other, token)).toEqual({ valid: false, reason: 'unknown_key' });
    const forged = `${token.slice(0, -3)}${token.endsWith('AAA') ? 'BBB' : 'AAA'}`;
    expect(await keys.verify(own, forged)).toEqual({ valid: false, reason: 'signature' });

    const kid = decodeProtectedHeader(token).kid ?? '';
    await keys.rotate(own);
    expect(await keys.verify(own, token)).toMatchObject({ valid: true });
    await keys.revoke(own, kid);
    expect(await keys.verify(own, token)).toEqual({ valid: false, reason: 'unknown_key' });
  });

  it('is refused once it has expired', async () => {
    let time = new Date();
    const verify = createVerifyJwt(keys.rings, () => time);
    const token = await sign({ sub: 'a', exp: inAnHour() });
    expect(await verify(tenant, token)).toMatchObject({ valid: true });
    time = new Date(time.getTime() + 3_601_000);
    expect(await verify(tenant, token)).toEqual({ valid: false, reason: 'expired' });
  });
});

const sign = (payload: object, options: SignOptions = jwt) => keys.signer.sign(tenant, payload, options);
const check = (token: string, typ?: string) => keys.verify(tenant, token, typ === undefined ? {} : { typ });
