import { SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCertificate } from '../../../test/client-certificates.ts';
import { createDpopKey, tokenWithProof } from '../../../test/dpop.ts';
import {
  created,
  createTestClient,
  createTestUser,
  passwordGrant,
  refresh,
  type TestClient,
} from '../../../test/protocol.ts';
import { startWorld, type World } from '../../../test/world.ts';

const API = 'https://api.example.com/';
const SIGNED_WITH_A_SECRET = 'https://hs.example.com/';
const INACTIVE = { active: false };

let world: World;
/** A token service: the API's own client, which has no other right. */
let service: TestClient;
let user: { id: string; email: string; password: string };
beforeAll(async () => {
  world = await startWorld();
  service = await machine({ app_type: 'resource_server', resource_server_identifier: API });
  await created(
    world.api().post('/resource-servers', {
      identifier: SIGNED_WITH_A_SECRET,
      name: 'HS256',
      signing_alg: 'HS256',
      signing_secret: 'a-secret-of-32-characters-or-more',
      scopes: [{ value: 'read:items' }],
      proof_of_possession: { mechanism: 'dpop', required: false },
    }),
  );
});
afterAll(() => world.stop());
let serial = 0;
beforeEach(async () => {
  user = await createTestUser(world, `person-${++serial}`);
});

const machine = (body: Record<string, unknown> = {}) =>
  createTestClient(
    world,
    { app_type: 'non_interactive', grant_types: ['client_credentials'], ...body },
    { mayLogIn: false },
  );

async function introspect(token: string, client: TestClient = service, form: Record<string, string> = {}) {
  const response = await world.request({ path: '/oauth/introspect', form: { ...client, token, ...form } });
  expect([response.statusCode, response.headers['cache-control']]).toEqual([200, 'no-store']);
  return response.json();
}

async function tokensOf(
  changes: Record<string, string> = {},
): Promise<{ access_token: string; refresh_token: string }> {
  const response = await passwordGrant(world, {
    username: user.email,
    password: user.password,
    scope: 'openid offline_access read:items',
    audience: API,
    ...changes,
  });
  return response.json();
}

describe('POST /oauth/introspect', () => {
  it('tells the API of a JWT whose it is and what it is good for', async () => {
    const { access_token } = await tokensOf();
    const now = Math.floor(world.now().getTime() / 1000);
    expect(await introspect(access_token)).toEqual({
      active: true,
      iss: world.issuer,
      sub: user.id,
      username: user.email,
      aud: [API, `${world.issuer}userinfo`],
      client_id: world.password_client.client_id,
      scope: expect.stringContaining('openid'),
      iat: now,
      exp: now + 86_400,
      jti: expect.any(String),
      token_type: 'Bearer',
    });
  });

  it('tells a client what it got itself: JWTs, opaque tokens and refresh tokens', async () => {
    const { access_token, refresh_token } = await tokensOf();
    const opaque = (await passwordGrant(world, { scope: 'openid' })).json().access_token;
    const own = world.password_client;
    expect(await introspect(access_token, own)).toMatchObject({ active: true, sub: user.id });
    expect(await introspect(opaque, own)).toMatchObject({
      active: true,
      aud: `${world.issuer}userinfo`,
      scope: 'openid',
    });
    expect(await introspect(refresh_token, own)).toMatchObject({ active: true, sub: user.id, aud: API });
  });

  it('tells a client that is granted to the API of its tokens, and nobody else', async () => {
    const { access_token, refresh_token } = await tokensOf();
    const granted = await machine();
    await created(world.api().post('/client-grants', { client_id: granted.client_id, audience: API, scope: [] }));
    expect(await introspect(access_token, granted)).toMatchObject({ active: true });
    expect(await introspect(access_token, await machine())).toEqual(INACTIVE);
    expect(await introspect(access_token, world.management)).toEqual(INACTIVE);
    // What was never meant for the API is none of its business.
    expect(await introspect(refresh_token, granted)).toEqual(INACTIVE);
    expect(await introspect(refresh_token)).toEqual(INACTIVE);
  });

  it('tells of tokens for the Management API only the client that has them', async () => {
    const token = await world.managementToken(['read:clients']);
    expect(await introspect(token, world.management)).toMatchObject({
      active: true,
      sub: `${world.management.client_id}@clients`,
      scope: 'read:clients',
    });
    const other = await machine();
    const grant = { client_id: other.client_id, audience: world.managementAudience, scope: ['read:users'] };
    await created(world.api().post('/client-grants', grant));
    expect(await introspect(token, other)).toEqual(INACTIVE);
  });

  it('reads tokens that are signed with the API’s secret, and believes no other secret', async () => {
    const { access_token } = await tokensOf({ audience: SIGNED_WITH_A_SECRET });
    expect(await introspect(access_token, world.password_client)).toMatchObject({ active: true, sub: user.id });
    const claims = JSON.parse(Buffer.from(access_token.split('.')[1] ?? '', 'base64url').toString());
    const forged = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from(world.password_client.client_secret));
    expect(await introspect(forged, world.password_client)).toEqual(INACTIVE);
  });

  it('names the key that a token is bound to', async () => {
    const key = createDpopKey();
    const form = { grant_type: 'password', ...world.password_client, username: user.email, password: user.password };
    const bound = await tokenWithProof(world, key, { ...form, scope: 'openid' });
    expect(await introspect(bound.json().access_token, world.password_client)).toMatchObject({
      token_type: 'DPoP',
      cnf: { jkt: key.jkt },
    });
    const certificate = createCertificate({ CN: 'client' });
    const headers = { 'client-certificate': certificate.escaped };
    const tokens = await world.request({ path: '/oauth/token', form: { ...form, scope: 'openid' }, headers });
    expect(await introspect(tokens.json().access_token, world.password_client)).toMatchObject({
      token_type: 'Bearer',
      cnf: { 'x5t#S256': certificate.thumbprint },
    });
  });
});

describe('a token is inactive, and nothing else is said of it,', () => {
  it.each([['unknown'], ['v1.unknown'], ['a.b.c'], ['e30.e30.'], ['\u00e9']])('that is %j', async (token) => {
    expect(await introspect(token)).toEqual(INACTIVE);
  });

  it('that is as long as /userinfo takes one', async () => {
    expect(await introspect('x'.repeat(16_384))).toEqual(INACTIVE);
    const form = { ...service, token: 'x'.repeat(16_385) };
    const longer = await world.request({ path: '/oauth/introspect', form });
    expect([longer.statusCode, longer.json().error_description]).toEqual([400, 'Parameter is too long: token']);
  });

  it('when it has expired', async () => {
    const { access_token } = await tokensOf();
    const opaque = (await passwordGrant(world, { scope: 'openid' })).json().access_token;
    world.advance(86_401_000);
    expect(await introspect(access_token)).toEqual(INACTIVE);
    expect(await introspect(opaque, world.password_client)).toEqual(INACTIVE);
  });

  it('when its user is blocked, deleted, or lost what was granted', async () => {
    const kinds = async () => [
      { token: (await tokensOf()).access_token, by: service },
      { token: (await tokensOf({ scope: 'read:items' })).access_token, by: service },
      { token: (await tokensOf()).refresh_token, by: world.password_client },
      {
        token: (await passwordGrant(world, { username: user.email, password: user.password, scope: 'openid' })).json()
          .access_token,
        by: world.password_client,
      },
    ];
    const api = world.api();
    const path = `/users/${encodeURIComponent(user.id)}`;
    const ends: (() => Promise<unknown>)[] = [
      () => created(api.patch(path, { blocked: true })),
      () => created(api.patch(path, { password: `Another-horse-${serial}-9` })),
      () => api.delete(path),
    ];
    for (const end of ends) {
      await api.patch(path, { blocked: false });
      await api.patch(path, { password: user.password });
      const all = await kinds();
      for (const { token, by } of all) expect(await introspect(token, by)).toMatchObject({ active: true });
      await end();
      for (const { token, by } of all) expect(await introspect(token, by)).toEqual(INACTIVE);
    }
  });

  it('when it was revoked, or rotated', async () => {
    const first = await tokensOf();
    const { refresh_token } = (await refresh(world, first.refresh_token)).json();
    expect(await introspect(first.refresh_token, world.password_client)).toEqual(INACTIVE);
    expect(await introspect(refresh_token, world.password_client)).toMatchObject({ active: true });
    await world.request({ path: '/oauth/revoke', form: { ...world.password_client, token: refresh_token } });
    expect(await introspect(refresh_token, world.password_client)).toEqual(INACTIVE);
    expect(await introspect(first.access_token)).toEqual(INACTIVE);
  });

  it('when the client lost its grant to the API, or is gone', async () => {
    const client = await machine();
    const grant = await created(
      world.api().post('/client-grants', { client_id: client.client_id, audience: API, scope: [] }),
    );
    const token = (await world.token({ grant_type: 'client_credentials', ...client, audience: API })).json()
      .access_token;
    expect(await introspect(token)).toMatchObject({ active: true, sub: `${client.client_id}@clients` });
    await world.api().delete(`/client-grants/${grant.id}`);
    expect(await introspect(token)).toEqual(INACTIVE);
    await created(world.api().post('/client-grants', { client_id: client.client_id, audience: API, scope: [] }));
    expect(await introspect(token)).toMatchObject({ active: true });
    await world.api().delete(`/clients/${client.client_id}`);
    expect(await introspect(token)).toEqual(INACTIVE);
  });

  it('when it is an ID token', async () => {
    const { id_token } = (await passwordGrant(world, { scope: 'openid' })).json();
    expect(await introspect(id_token, world.password_client)).toEqual(INACTIVE);
    expect(await introspect(id_token)).toEqual(INACTIVE);
  });
});

describe('whoever asks', () => {
  const ask = (form: Record<string, string>, headers: Record<string, string> = {}) =>
    world.request({ path: '/oauth/introspect', form, headers });

  it('is a client that can prove itself', async () => {
    const { access_token: token } = await tokensOf();
    expect((await ask({ client_id: world.spa_client.client_id, token })).json()).toMatchObject({
      error: 'invalid_client',
    });
    expect((await ask({ ...service, client_secret: 'wrong', token })).statusCode).toBe(401);
    expect((await ask({ token })).json()).toMatchObject({ error: 'invalid_request' });
    expect((await ask({ token }, { authorization: `Bearer ${token}` })).statusCode).toBe(400);
  });

  it('names one token, in the body', async () => {
    expect((await ask({ ...service })).json()).toEqual({
      error: 'invalid_request',
      error_description: 'Missing required parameter: token',
    });
    const query = new URLSearchParams({ ...service, token: 'x' });
    expect((await world.request({ path: `/oauth/introspect?${query}` })).statusCode).toBe(404);
    const body = new URLSearchParams([...Object.entries(service), ['token', 'x'], ['token', 'y']]).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await world.request({ path: '/oauth/introspect', body, headers })).statusCode).toBe(400);
  });

  it.each(['access_token', 'refresh_token', 'unheard_of'])('is answered whatever the hint %j says', async (hint) => {
    const { access_token } = await tokensOf();
    expect(await introspect(access_token, service, { token_type_hint: hint })).toMatchObject({ active: true });
  });
});
