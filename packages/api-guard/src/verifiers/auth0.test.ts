import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { bySignature } from './by-signature.ts';
import { byUserinfo } from './by-userinfo.ts';

const AUDIENCE = 'https://venues';
const NEVER = new AbortController().signal;

describe('Auth0, which has no introspection', () => {
  const issuer = 'https://acme-dev.eu.auth0.com/';
  const now = () => 1_800_000_000_000;
  const claims = {
    iss: issuer,
    sub: 'auth0|ada',
    aud: [AUDIENCE, `${issuer}userinfo`],
    azp: 'client',
    scope: 'openid',
  };

  async function auth0({ userinfo = { sub: 'auth0|ada', email: 'ada@example.org' }, status = 200 } = {}) {
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    const asked: string[] = [];
    const fetch: typeof globalThis.fetch = async (input) => {
      asked.push(String(input));
      if (String(input) === `${issuer}userinfo`) return new Response(JSON.stringify(userinfo), { status });
      return String(input) === `${issuer}.well-known/jwks.json`
        ? Response.json({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }] })
        : Response.json({ issuer, userinfo_endpoint: `${issuer}userinfo`, jwks_uri: `${issuer}.well-known/jwks.json` });
    };
    const sign = (changes: object = {}, header: Partial<JWTHeaderParameters> = {}) =>
      new SignJWT({ ...claims, iat: 1_799_999_000, exp: 1_800_000_100, ...changes })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'one', ...header })
        .sign(privateKey);
    const api = { issuer, audience: AUDIENCE, fetch };
    return { sign, asked, byUserinfo: byUserinfo(api), api };
  }

  it('is asked at /userinfo, which says who it is; what they may stands in the token', async () => {
    const { sign, byUserinfo: verify } = await auth0();
    expect(await verify(await sign({ permissions: ['read:venues'] }), NEVER)).toEqual({
      active: true,
      expiresAt: 1_800_000_100,
      user: { sub: 'auth0|ada', email: 'ada@example.org', azp: 'client' },
      permissions: ['read:venues'],
    });
  });

  it('is shown no token of another issuer or API', async () => {
    const { sign, asked, byUserinfo: verify } = await auth0();
    expect(await verify(await sign({ aud: 'https://users' }), NEVER)).toEqual({ active: false, reason: 'audience' });
    expect(await verify(await sign({ iss: 'https://acme-int.eu.auth0.com/' }), NEVER)).toMatchObject({
      reason: 'issuer',
    });
    expect(asked).toEqual([]);
  });

  it('answering for somebody else, or 401, refuses', async () => {
    const other = await auth0({ userinfo: { sub: 'auth0|bob', email: '' } });
    expect(await other.byUserinfo(await other.sign(), NEVER)).toMatchObject({ active: false });
    const revoked = await auth0({ status: 401 });
    expect(await revoked.byUserinfo(await revoked.sign(), NEVER)).toMatchObject({ active: false });
  });

  it('out of requests (429) refuses nobody', async () => {
    const limited = await auth0({ status: 429 });
    await expect(limited.byUserinfo(await limited.sign(), NEVER)).rejects.toMatchObject({ code: 'service_away' });
  });

  it('is checked by its keys, and asked only about tokens that are well signed', async () => {
    const { sign, asked, api, byUserinfo: alsoAsk } = await auth0();
    const verify = bySignature({ ...api, alsoAsk, now });
    const unsigned = new UnsecuredJWT({ ...claims, exp: 1_800_000_100 }).encode();
    expect(await verify(unsigned, NEVER)).toMatchObject({ active: false });
    expect(await verify(await sign({ exp: 1_799_999_999 }), NEVER)).toEqual({ active: false, reason: 'expired' });
    expect(asked).not.toContain(`${issuer}userinfo`);
    expect(await verify(await sign(), NEVER)).toMatchObject({ active: true, user: { email: 'ada@example.org' } });
  });

  it.each([
    ['for another API', { aud: 'https://users' }, {}, 'audience'],
    ['of another issuer', { iss: 'https://acme-int.eu.auth0.com/' }, {}, 'issuer'],
    ['without an end', { exp: undefined }, {}, 'unknown'],
    ['that is not valid yet', { nbf: 1_800_000_050 }, {}, 'unknown'],
    ['that is a logout token', {}, { typ: 'logout+jwt' }, 'unknown'],
    ['that is bound to a key', { cnf: { jkt: 'abc' } }, {}, 'bound'],
  ])('has a token %s refused by its signature', async (_what, changes, header, reason) => {
    const { sign, api } = await auth0();
    const token = await sign(changes, header);
    expect(await bySignature({ ...api, alsoAsk: 'nobody', now })(token, NEVER)).toEqual({ active: false, reason });
  });

  it('is asked for its keys again when one is new, once for all, and once in five seconds however many are invented', async () => {
    const [old, fresh] = [await generateKeyPair('RS256'), await generateKeyPair('RS256')];
    const published = new Map([['old', old]]);
    let asked = 0;
    const fetch: typeof globalThis.fetch = async () => {
      asked++;
      const keys = [...published].map(async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid }));
      return Response.json({ keys: await Promise.all(keys) });
    };
    const jwksUri = `${issuer}.well-known/jwks.json`;
    const verify = bySignature({ issuer, audience: AUDIENCE, alsoAsk: 'nobody', jwksUri, fetch, now });
    const isGood = async (kid: string, { privateKey } = fresh) => {
      const jwt = new SignJWT({ ...claims, exp: 1_800_000_100 }).setProtectedHeader({ alg: 'RS256', kid });
      return (await verify(await jwt.sign(privateKey), NEVER)).active;
    };
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      expect(await isGood('old', old)).toBe(true);
      published.set('fresh', fresh);
      vi.setSystemTime(Date.now() + 4_999);
      expect(await Promise.all([isGood('fresh'), isGood('invented')])).toEqual([false, false]);
      expect(asked).toBe(1);
      vi.setSystemTime(Date.now() + 1);
      const invented = Array.from({ length: 20 }, (_, index) => isGood(`invented-${index}`));
      expect(await Promise.all([isGood('fresh'), isGood('old', old), isGood('fresh')])).toEqual([true, true, true]);
      expect(await Promise.all(invented)).toEqual(Array(20).fill(false));
      expect(asked).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is not read without end when it is asked for its keys', async () => {
    const { sign, api } = await auth0();
    const endless: typeof fetch = async () =>
      new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) }));
    const verify = bySignature({ ...api, fetch: endless, jwksUri: `${issuer}jwks`, alsoAsk: 'nobody', now });
    await expect(verify(await sign(), NEVER)).rejects.toMatchObject({ code: 'service_away' });
  });

  it.each([
    '{"alg":"RS256","kid":1}',
    '{"alg":"RS256","kid":null}',
    '{"alg":"RS256","kid":{"a":1}}',
    '{"alg":"RS256","crit":["b64"],"b64":false}',
    '{"alg":"RS256","crit":[]}',
    '{"alg":["RS256"]}',
    '{"alg":"ES256","kid":"one"}',
    '{"alg":"dir","enc":"A256GCM"}',
    '{"__proto__":{"alg":"none"},"kid":"one"}',
    '{"alg":"EdDSA","kid":"one","jku":"https://mallory.example/"}',
    '[]',
    'null',
    '"RS256"',
  ])('has a token with the header %s refused, not taken for a fault of its own', async (header) => {
    const { sign, api } = await auth0();
    const [, payload = '', signature = ''] = (await sign()).split('.');
    const token = `${Buffer.from(header).toString('base64url')}.${payload}.${signature}`;
    expect(await bySignature({ ...api, alsoAsk: 'nobody', now })(token, NEVER)).toMatchObject({ active: false });
  });

  it('two minutes ahead is within a tolerance of two minutes', async () => {
    const { sign, api } = await auth0();
    const token = await sign({ nbf: 1_800_000_119, exp: 1_800_009_000 });
    const verify = bySignature({ ...api, alsoAsk: 'nobody', now, clockToleranceSeconds: 120 });
    expect(await verify(token, NEVER)).toMatchObject({ active: true });
  });
});
