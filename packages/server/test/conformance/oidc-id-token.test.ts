import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALLBACK } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';
import {
  type Application,
  claimsOf,
  createApplication,
  headerOf,
  passwordTokens,
  redeem,
  type Tokens,
  tokensOf,
  userinfo,
} from './code-flow.ts';

let world: World;
let tokens: Tokens;
beforeAll(async () => {
  world = await startWorld();
  tokens = await tokensOf(world, { nonce: NONCE });
});
afterAll(() => world.stop());

const NONCE = 'n-0S6_WzA2Mj +%/="é\u{1f511}';
const now = (): number => Math.floor(world.now().getTime() / 1000);
const refresh = async (refresh_token: string, more: Record<string, string> = {}): Promise<Tokens> =>
  (
    await world.token({ grant_type: 'refresh_token', client_id: world.spa_client.client_id, refresh_token, ...more })
  ).json();

async function verified(idToken: string, audience = world.spa_client.client_id) {
  const keys = createLocalJWKSet((await world.request({ path: '/.well-known/jwks.json' })).json());
  return jwtVerify(idToken, keys, { issuer: world.issuer, audience, currentDate: world.now() });
}

describe('an ID token (OpenID Connect Core section 2)', () => {
  it('is signed by a published key, for one client, with all claims that it must have', async () => {
    const { payload, protectedHeader } = await verified(tokens.id_token);
    expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'JWT', kid: expect.stringMatching(/./) });
    expect(payload).toMatchObject({ iss: world.issuer, aud: world.spa_client.client_id });
    expect([typeof payload.iat, typeof payload.exp, typeof payload.auth_time]).toEqual(['number', 'number', 'number']);
    expect(Number(payload.exp)).toBeGreaterThan(now());
  });

  it('has the issuer of discovery: https, with no query and no fragment', async () => {
    const { issuer } = (await world.request({ path: '/.well-known/openid-configuration' })).json();
    expect(claimsOf(tokens.id_token).iss).toBe(issuer);
    expect(issuer).toMatch(/^https:\/\/[^?#]+\/$/);
  });

  it('has a subject of at most 255 ASCII characters that stays the same', async () => {
    const { sub } = claimsOf(tokens.id_token);
    expect(sub).toMatch(/^[\x21-\x7e]{1,255}$/);
    expect(claimsOf((await tokensOf(world)).id_token).sub).toBe(sub);
  });

  it('has no azp while it has one audience, and no claim of a hash that it does not need', () => {
    const claims = claimsOf(tokens.id_token);
    for (const name of ['azp', 'c_hash', 'acr', 'amr']) expect(claims).not.toHaveProperty(name);
  });

  it('repeats the nonce to the letter, and has none where none was sent', async () => {
    expect(claimsOf(tokens.id_token).nonce).toBe(NONCE);
    expect(claimsOf((await tokensOf(world)).id_token)).not.toHaveProperty('nonce');
  });

  it('names no key by URL or value in its header', () => {
    for (const name of ['jku', 'jwk', 'x5u', 'x5c']) expect(headerOf(tokens.id_token)).not.toHaveProperty(name);
  });

  it('comes with the scope openid and without it does not', async () => {
    const plain = await tokensOf(world, { scope: 'profile email' });
    expect([plain.scope, 'id_token' in plain]).toEqual(['profile email', false]);
    const nothing = await tokensOf(world, { scope: '' });
    expect(['scope' in nothing, 'id_token' in nothing]).toEqual([false, false]);
  });

  it.each(['RS256', 'PS256', 'HS256'])('is signed with %s where the client asks for that', async (alg) => {
    const body = { app_type: 'regular_web', callbacks: [CALLBACK], jwt_configuration: { alg } };
    const client = await createApplication(world, body);
    const login = await world.visitor().logIn({ parameters: { client_id: client.client_id } });
    const { id_token } = (await redeem(world, login, { ...client })).json();
    expect(headerOf(id_token).alg).toBe(alg);
    if (alg !== 'HS256') return expect((await verified(id_token, client.client_id)).payload.sub).toBeTruthy();
    const secret = Buffer.from(client.client_secret);
    const options = { issuer: world.issuer, audience: client.client_id, currentDate: world.now() };
    expect((await jwtVerify(id_token, secret, options)).payload.sub).toBeTruthy();
    // RFC 7518 section 3.2: the key is no shorter than the hash.
    expect(secret.length).toBeGreaterThanOrEqual(32);
  });

  it('can not be had unsigned', async () => {
    for (const alg of ['none', 'None', 'RS1']) {
      const response = await world.api().post('/clients', { name: 'Unsigned', jwt_configuration: { alg } });
      expect([alg, response.statusCode]).toEqual([alg, 400]);
    }
  });
});

describe('the algorithm of a published key', () => {
  it('is told while RS256 is the only one, and not beside another API or client', async () => {
    const other = await world.createTenant('algorithms');
    const algorithms = async () => {
      const { keys } = (await world.request({ path: '/.well-known/jwks.json', tenant: other })).json();
      return new Set(keys.map(({ alg }: { alg?: string }) => alg));
    };
    expect(await algorithms()).toEqual(new Set(['RS256']));
    const api = { identifier: 'urn:rs512', name: 'RS512', signing_alg: 'RS512' };
    expect((await world.apiAt(other).post('/resource-servers', api)).statusCode).toBe(201);
    expect(await algorithms()).toEqual(new Set([undefined]));
  });
});

describe('a refreshed ID token (OpenID Connect Core section 12.2)', () => {
  it('is about the same user, client, issuer and login, made now, without a nonce', async () => {
    const first = claimsOf(tokens.id_token);
    world.advance(5_000);
    const second = claimsOf((await refresh(tokens.refresh_token)).id_token);
    const { iss, sub, aud, auth_time, sid } = first;
    expect(second).toMatchObject({ iss, sub, aud, auth_time, sid, iat: now() });
    expect(second).not.toHaveProperty('nonce');
    expect(second).not.toHaveProperty('azp');
  });

  it('does not come where openid is not asked for any more', async () => {
    const first = await tokensOf(world);
    expect(await refresh(first.refresh_token, { scope: 'email' })).not.toHaveProperty('id_token');
  });
});

describe('GET and POST /userinfo (OpenID Connect Core section 5.3)', () => {
  it('answer alike, in JSON, about the subject of the ID token', async () => {
    const { access_token, id_token } = await tokensOf(world);
    const get = await userinfo(world, access_token);
    const headers = { authorization: `Bearer ${access_token}` };
    const post = await world.request({ method: 'POST', path: '/userinfo', headers });
    expect(get.headers['content-type']).toMatch(/^application\/json/);
    expect(get.json()).toEqual(post.json());
    expect(get.json().sub).toBe(claimsOf(id_token).sub);
  });

  it('open claims by scope, always the subject, and never null or empty', async () => {
    const cases: [string, string[]][] = [
      ['openid', ['sub']],
      ['openid email', ['sub', 'email', 'email_verified']],
      ['openid profile', ['sub', 'nickname', 'name', 'picture', 'updated_at']],
    ];
    for (const [scope, names] of cases) {
      const claims = (await userinfo(world, (await tokensOf(world, { scope })).access_token)).json();
      expect(Object.keys(claims)).toEqual(names);
      for (const value of Object.values(claims)) expect(value ?? '').not.toBe('');
    }
  });

  it('open to a JWT of an API as well, where openid was asked for', async () => {
    const { access_token } = await tokensOf(world, { audience: 'https://api.example.com/', scope: 'openid email' });
    expect(claimsOf(access_token).aud).toEqual(['https://api.example.com/', `${world.issuer}userinfo`]);
    expect((await userinfo(world, access_token)).json().email).toBe(world.user.email);
  });

  it('do not open to a token without openid', async () => {
    const { access_token } = await tokensOf(world, { scope: 'profile email' });
    const { statusCode, headers } = await userinfo(world, access_token);
    expect(statusCode).toBe(401);
    expect(headers['www-authenticate']).toMatch(/^Bearer .*error="/);
  });

  it('may be called from any web page', async () => {
    const { access_token } = await tokensOf(world);
    const headers = { origin: 'https://spa.example', authorization: `Bearer ${access_token}` };
    const { headers: answered } = await world.request({ path: '/userinfo', headers });
    expect(answered['access-control-allow-origin']).toBe('*');
  });
});

describe('the token endpoint for OpenID Connect (sections 3.1.3 and 10)', () => {
  let web: Application;
  beforeAll(async () => {
    web = await createApplication(world, { app_type: 'regular_web', callbacks: [CALLBACK] });
  });

  it('gives the same user in the ID token and at /userinfo, whoever else logs in', async () => {
    const [one, other] = await Promise.all([tokensOf(world), passwordTokens(world, { scope: 'openid' })]);
    for (const { access_token, id_token } of [one, other.json()])
      expect((await userinfo(world, access_token)).json().sub).toBe(claimsOf(id_token).sub);
  });

  it('needs the redirect URI that the request had', async () => {
    const login = await world.visitor().logIn({ parameters: { client_id: web.client_id } });
    const response = await redeem(world, login, { ...web, redirect_uri: 'http://localhost:5555/other' });
    expect([response.statusCode, response.json().error]).toEqual([403, 'unauthorized_client']);
  });
});
