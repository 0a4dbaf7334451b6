import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createTestClient,
  decodeJwt,
  defined,
  eventTypesOf,
  redeem,
  refresh,
  type TestClient,
  userinfo,
} from '../../../test/protocol.ts';
import { CALLBACK } from '../../../test/visitor.ts';
import { startWorld, type World } from '../../../test/world.ts';

const API = 'https://api.example.com/';
const REFUSED = { error: 'invalid_grant', error_description: 'Invalid authorization code' };
const WRONG_VERIFIER = { error: 'invalid_grant', error_description: 'Failed to verify code verifier' };

let world: World;
let web: TestClient;
beforeAll(async () => {
  world = await startWorld();
  web = await createTestClient(world, {
    app_type: 'regular_web',
    callbacks: [CALLBACK, 'http://localhost:5555/other'],
    grant_types: ['authorization_code', 'refresh_token'],
  });
});
afterAll(() => world.stop());

const logIn = (parameters: Record<string, string> = {}) => world.visitor().logIn({ parameters });
/** A code of the confidential application, without PKCE unless the parameters say so. */
const webCode = (parameters: Record<string, string> = {}) =>
  logIn({ client_id: web.client_id, code_challenge: '', code_challenge_method: '', ...parameters });
const redeemWeb = (code: string, changes: Record<string, string | undefined> = {}) =>
  world.token(defined({ grant_type: 'authorization_code', ...web, code, redirect_uri: CALLBACK, ...changes }));

describe('a code', () => {
  it('is redeemed once: a replay is refused and ends all that it gave', async () => {
    const login = await logIn();
    const tokens = (await redeem(world, login)).json();
    const withApi = await logIn({ audience: API });
    const apiTokens = (await redeem(world, withApi)).json();
    for (const { access_token } of [tokens, apiTokens])
      expect((await userinfo(world, access_token)).statusCode).toBe(200);

    const types = await eventTypesOf(world, async () => {
      for (const again of [login, withApi]) {
        const replay = await redeem(world, again);
        expect(replay.statusCode).toBe(403);
        expect(replay.json()).toEqual(REFUSED);
      }
    });
    expect(types).toEqual(['feacft', 'feacft']);
    for (const { access_token, refresh_token } of [tokens, apiTokens]) {
      expect((await userinfo(world, access_token)).statusCode).toBe(401);
      const refreshed = await refresh(world, refresh_token, { ...world.spa_client, client_secret: undefined });
      expect(refreshed.json()).toMatchObject({ error_description: 'Unknown or invalid refresh token.' });
    }
  });

  it('is redeemed by one of 50 that come at once, and what that one got is revoked by the others', async () => {
    const login = await logIn();
    const types = await eventTypesOf(world, async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => redeem(world, login)));
      const winners = answers.filter(({ statusCode }) => statusCode === 200);
      const losers = answers.filter(({ statusCode }) => statusCode !== 200);
      expect(winners).toHaveLength(1);
      expect(losers.map((answer) => [answer.statusCode, answer.json()])).toEqual(Array(49).fill([403, REFUSED]));
      const { access_token, refresh_token } = winners[0]?.json() ?? {};
      expect((await userinfo(world, access_token)).statusCode).toBe(401);
      const refreshed = await refresh(world, refresh_token, { ...world.spa_client, client_secret: undefined });
      expect(refreshed.statusCode).toBe(403);
    });
    expect(types.filter((type) => type === 'seacft')).toHaveLength(1);
    expect(types.filter((type) => type === 'feacft')).toHaveLength(49);
  });

  it('is redeemed once by two servers on one database', async () => {
    const second = await world.secondServer();
    try {
      const { code, verifier } = await logIn();
      const form = {
        grant_type: 'authorization_code',
        client_id: world.spa_client.client_id,
        code,
        code_verifier: verifier,
        redirect_uri: CALLBACK,
      };
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          (index % 2 === 0 ? world : second).request({ path: '/oauth/token', form }),
        ),
      );
      const statuses = answers.map(({ statusCode }) => statusCode).sort();
      expect(statuses).toEqual([200, ...Array(49).fill(403)]);
    } finally {
      await second.stop();
    }
  });

  it('of another client is unknown, and stays good for its own', async () => {
    const login = await logIn();
    const foreign = await redeemWeb(login.code);
    expect(foreign.statusCode).toBe(403);
    expect(foreign.json()).toEqual(REFUSED);
    expect((await redeem(world, login)).statusCode).toBe(200);
  });

  it('of another tenant is unknown', async () => {
    const other = await world.createTenant('other');
    const { code, verifier } = await logIn();
    const response = await world.token(
      {
        grant_type: 'authorization_code',
        client_id: other.spa_client.client_id,
        code,
        code_verifier: verifier,
        redirect_uri: CALLBACK,
      },
      other,
    );
    expect(response.json()).toEqual(REFUSED);
  });

  it('needs the redirect_uri of its request', async () => {
    const login = await logIn();
    const response = await redeem(world, login, { redirect_uri: 'http://localhost:6666/callback' });
    expect(response.statusCode).toBe(403);
    expect(response.json()).toEqual({
      error: 'unauthorized_client',
      error_description:
        'The redirect URI is wrong. You sent http://localhost:6666, and we expected http://localhost:5555',
    });
    expect((await redeem(world, login, { redirect_uri: undefined })).statusCode).toBe(403);
    expect((await redeem(world, login)).statusCode).toBe(200);
  });

  it('needs none where the request named none', async () => {
    const first = await webCode({ redirect_uri: '' });
    expect((await redeemWeb(first.code, { redirect_uri: undefined })).statusCode).toBe(200);
    const second = await webCode({ redirect_uri: '' });
    expect((await redeemWeb(second.code, { redirect_uri: 'http://localhost:5555/other' })).statusCode).toBe(403);
    expect((await redeemWeb(second.code)).statusCode).toBe(200);
  });

  it('expires after two minutes', async () => {
    const early = await logIn();
    const late = await logIn();
    world.advance(119_000);
    expect((await redeem(world, early)).statusCode).toBe(200);
    world.advance(1_000);
    const response = await redeem(world, late);
    expect(response.statusCode).toBe(403);
    expect(response.json()).toEqual(REFUSED);
  });

  it.each([
    ['left out', undefined],
    ['of another login', 'b'.repeat(43)],
    ['too short', 'b'.repeat(42)],
    ['too long', 'b'.repeat(129)],
    ['with characters that no verifier has', `${'b'.repeat(42)}+`],
  ])('with PKCE is refused where the verifier is %s', async (_what, code_verifier) => {
    const login = await logIn();
    const response = await redeem(world, login, { code_verifier });
    expect(response.statusCode).toBe(403);
    expect(response.json()).toEqual(WRONG_VERIFIER);
    expect((await redeem(world, login)).statusCode).toBe(200);
  });

  it('without PKCE is refused where a verifier comes: somebody removed the challenge', async () => {
    const { code, verifier } = await webCode();
    const response = await redeemWeb(code, { code_verifier: verifier });
    expect(response.statusCode).toBe(403);
    expect(response.json()).toEqual(WRONG_VERIFIER);
    expect((await redeemWeb(code)).statusCode).toBe(200);
  });

  it('gives an ID token with nonce, sid and auth_time, and access tokens by audience', async () => {
    const opaque = (await redeem(world, await logIn({ nonce: 'n-1', max_age: '600' }))).json();
    const { header, claims } = decodeJwt(opaque.id_token);
    expect(header).toMatchObject({ alg: 'RS256', typ: 'JWT', kid: expect.any(String) });
    const now = Math.floor(world.now().getTime() / 1000);
    expect(claims).toMatchObject({
      iss: world.issuer,
      aud: world.spa_client.client_id,
      sub: expect.stringMatching(/^auth0\|[0-9a-f]{24}$/),
      nonce: 'n-1',
      sid: expect.stringMatching(/^[A-Za-z0-9_-]{32}$/),
      auth_time: now,
      iat: now,
      exp: now + 36_000,
      email: world.user.email,
      email_verified: true,
    });
    expect(opaque.access_token.split('.')).toHaveLength(1);
    const api = (await redeem(world, await logIn({ audience: API, scope: 'openid read:items unknown:scope' }))).json();
    expect(api).toMatchObject({ scope: 'openid read:items', expires_in: 86_400 });
    expect(api.refresh_token).toBeUndefined();
    expect(decodeJwt(api.access_token).claims).toMatchObject({
      aud: [API, `${world.issuer}userinfo`],
      azp: world.spa_client.client_id,
      scope: 'openid read:items',
    });
    expect(decodeJwt(api.access_token).claims).not.toHaveProperty('gty');
  });

  it('of a user who was blocked since, or deleted, gives nothing', async () => {
    const api = world.api();
    const user = (
      await api.post('/users', {
        connection: world.connection,
        email: 'code@example.org',
        password: 'Correct-horse-77',
      })
    ).json();
    const login = () => world.visitor().logIn({ username: 'code@example.org', password: 'Correct-horse-77' });
    const blocked = await login();
    const deleted = await login();
    await api.patch(`/users/${user.user_id}`, { blocked: true });
    expect((await redeem(world, blocked)).json()).toEqual(REFUSED);
    await api.delete(`/users/${user.user_id}`);
    expect((await redeem(world, deleted)).json()).toEqual(REFUSED);
  });
});
