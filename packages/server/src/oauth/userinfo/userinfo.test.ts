import { createHmac, generateKeyPairSync, randomUUID, sign as signBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestUser, decodeJwt, passwordGrant, userinfo } from '../../../test/protocol.ts';
import { startWorld, type World, type WorldTenant } from '../../../test/world.ts';

const API = 'https://api.example.com/';

let world: World;
let genuine: string;
let other: WorldTenant;
beforeAll(async () => {
  world = await startWorld();
  other = await world.createTenant('other');
  genuine = (await passwordGrant(world, { audience: API, scope: 'openid email' })).json().access_token;
});
afterAll(() => world.stop());

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const attacker = generateKeyPairSync('rsa', { modulusLength: 2_048 });
/** A token with the genuine one's claims under a header of the attacker's, signed with the attacker's key. */
function forge(header: object, claims: object = {}): string {
  const input = `${encode({ ...decodeJwt(genuine).header, ...header })}.${encode({ ...decodeJwt(genuine).claims, ...claims })}`;
  return `${input}.${signBytes('sha256', Buffer.from(input), attacker.privateKey).toString('base64url')}`;
}

async function expectRefused(token: string, tenant: WorldTenant = world.main): Promise<void> {
  const response = await userinfo(world, token, tenant);
  expect(response.statusCode).toBe(401);
  expect(response.body).toBe('Unauthorized');
  expect(response.headers['www-authenticate']).toMatch(/^Bearer realm="Users", error="invalid_token"/);
}

describe('GET /userinfo', () => {
  it('tells who the user is, by the scopes of the token', async () => {
    const response = await userinfo(world, genuine);
    expect(response.json()).toEqual({
      sub: decodeJwt(genuine).claims.sub,
      email: world.user.email,
      email_verified: true,
    });
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-credentials': 'false',
      'cache-control': 'no-store',
    });
    const profile = (await passwordGrant(world, { scope: 'openid profile' })).json();
    const told = (await userinfo(world, profile.access_token)).json();
    expect(told).toMatchObject({ nickname: 'user', updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) });
    expect(told).not.toHaveProperty('email');
  });

  it('takes the token from the form of a POST, and from the query of a GET, as passport-auth0 sends it', async () => {
    expect((await world.request({ path: '/userinfo', form: { access_token: genuine } })).statusCode).toBe(200);
    const response = await world.request({ path: `/userinfo?access_token=${genuine}` });
    expect(response.statusCode).toBe(200);
    expect(response.headers['cache-control']).toBe('no-store');
    const posted = await world.request({ method: 'POST', path: `/userinfo?access_token=${genuine}`, form: {} });
    expect(posted.statusCode).toBe(401);
  });

  it('needs the scope openid', async () => {
    const { access_token } = (await passwordGrant(world, { scope: 'email' })).json();
    await expectRefused(access_token);
  });

  it.each([
    ['alg none', () => `${encode({ alg: 'none', typ: 'JWT' })}.${genuine.split('.')[1]}.`],
    ['alg none with the old signature', () => `${encode({ alg: 'none' })}.${genuine.split('.').slice(1).join('.')}`],
    ['a signature of another key', () => forge({})],
    ['an unknown kid', () => forge({ kid: randomUUID() })],
    ['a kid that is a path', () => forge({ kid: '../../../../dev/null' })],
    ['a kid that is SQL', () => forge({ kid: "x' or '1'='1" })],
    ['no kid', () => forge({ kid: undefined })],
    ['its own key in jwk', () => forge({ jwk: attacker.publicKey.export({ format: 'jwk' }) })],
    ['its own key in jwk alone', () => forge({ kid: undefined, jwk: attacker.publicKey.export({ format: 'jwk' }) })],
    ['jku', () => forge({ jku: 'https://attacker.example.com/jwks.json' })],
    ['x5u', () => forge({ x5u: 'https://attacker.example.com/cert.pem' })],
    ['crit', () => forge({ crit: ['exp'] })],
    ['no signature', () => `${genuine.split('.').slice(0, 2).join('.')}.`],
    [
      'changed claims',
      () => {
        const [header, , signature] = genuine.split('.');
        return `${header}.${encode({ ...decodeJwt(genuine).claims, sub: 'auth0|other' })}.${signature}`;
      },
    ],
    ['20,000 characters', () => 'a'.repeat(20_000)],
  ])('refuses a token with %s', async (_what, make) => {
    const token = make();
    const response = await userinfo(world, token);
    expect(response.statusCode).toBe(401);
    expect(response.body).toBe('Unauthorized');
  });

  it('refuses HS256 with the public key as the secret, in each form of it', async () => {
    const { keys } = (await world.request({ path: '/.well-known/jwks.json' })).json();
    const { header, claims } = decodeJwt(genuine);
    const key = keys.find(({ kid }: { kid: string }) => kid === header.kid);
    const pem = (await world.request({ path: '/pem' })).body;
    for (const secret of [key.n, JSON.stringify(key), key.x5c[0], pem, pem.trim(), Buffer.from(key.n, 'base64url')]) {
      const input = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`;
      await expectRefused(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`);
    }
  });

  it('refuses tokens that are for something else', async () => {
    const withoutOpenid = (await passwordGrant(world, { audience: API, scope: 'read:items' })).json().access_token;
    const { id_token, refresh_token } = (await passwordGrant(world, { scope: 'openid offline_access' })).json();
    const machine = (
      await world.token({ grant_type: 'client_credentials', ...world.password_client, audience: API })
    ).json().access_token;
    for (const token of [withoutOpenid, id_token, refresh_token, machine, await world.managementToken()])
      await expectRefused(token);
  });

  it('refuses what another tenant issued, JWT or opaque', async () => {
    for (const audience of [API, undefined]) {
      const foreign = (await passwordGrant(world, { audience, scope: 'openid', ...foreignUser() }, other)).json();
      expect((await userinfo(world, foreign.access_token, other)).statusCode).toBe(200);
      await expectRefused(foreign.access_token);
    }
    await expectRefused(genuine, other);
  });

  it('says that a token has expired, to the second', async () => {
    const jwt = (await passwordGrant(world, { audience: API, scope: 'openid' })).json().access_token;
    const opaque = (await passwordGrant(world, { scope: 'openid' })).json().access_token;
    world.advance(86_399_000 - (world.now().getTime() % 1000));
    for (const token of [jwt, opaque]) expect((await userinfo(world, token)).statusCode).toBe(200);
    world.advance(1_000);
    const response = await userinfo(world, jwt);
    expect(response.headers['www-authenticate']).toBe(
      'Bearer realm="Users", error="invalid_token", error_description="The token has expired"',
    );
    world.advance(1_000);
    await expectRefused(opaque);
    genuine = (await passwordGrant(world, { audience: API, scope: 'openid email' })).json().access_token;
  });

  it('refuses the tokens of a user who is blocked or gone', async () => {
    const user = await createTestUser(world, 'gone');
    const login = { username: user.email, password: user.password, scope: 'openid' };
    const tokens = [
      (await passwordGrant(world, login)).json().access_token,
      (await passwordGrant(world, { ...login, audience: API })).json().access_token,
    ];
    await world.api().patch(`/users/${user.id}`, { blocked: true });
    for (const token of tokens) await expectRefused(token);
    await world.api().delete(`/users/${user.id}`);
    for (const token of tokens) await expectRefused(token);
  });

  const foreignUser = () => ({ username: other.user.email, password: other.user.password });
});
