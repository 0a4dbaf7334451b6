import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALLBACK } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';
import { type Application, basic, createApplication, passwordTokens, redeem, tokensOf, userinfo } from './code-flow.ts';

let world: World;
let web: Application;
beforeAll(async () => {
  world = await startWorld();
  const { client_id } = await createApplication(world, { app_type: 'regular_web', callbacks: [CALLBACK] });
  const changed = await world.api().patch(`/clients/${client_id}`, { client_secret: SECRET });
  expect(changed.statusCode).toBe(200);
  web = { client_id, client_secret: SECRET };
});
afterAll(() => world.stop());

// Characters that Basic carries only form-encoded.
const SECRET = 'a+b c%20:d/é&=?~-a+b c%20:d/é&=?~-a+b c%20:d';
const OFFLINE = { audience: 'https://api.example.com/', scope: 'openid offline_access read:items' };

describe('the token endpoint (RFC 6749 section 3.2)', () => {
  it('takes POST and no other method', async () => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH'] as const)
      expect((await world.request({ method, path: '/oauth/token?grant_type=password' })).statusCode).toBe(404);
  });

  it('reads no parameter of the request URI, credentials least of all', async () => {
    const query = new URLSearchParams({ grant_type: 'client_credentials', ...world.management });
    const response = await world.request({ method: 'POST', path: `/oauth/token?${query}` });
    expect(response.json()).toMatchObject({ error: 'invalid_request' });
    const { client_id, client_secret } = world.management;
    const form = { grant_type: 'client_credentials', client_id, audience: world.managementAudience };
    const withQuery = await world.request({ path: `/oauth/token?client_secret=${client_secret}`, form });
    expect(withQuery.statusCode).toBe(401);
  });

  it('ignores parameters that it does not know', async () => {
    expect((await passwordTokens(world, { never_heard_of: 'x' })).statusCode).toBe(200);
  });

  it('takes a parameter without a value for one that was left out', async () => {
    expect((await passwordTokens(world, { audience: '', realm: '' })).statusCode).toBe(200);
    expect((await passwordTokens(world, { grant_type: '' })).json()).toEqual({
      error: 'invalid_request',
      error_description: 'Missing required parameter: grant_type',
    });
  });

  it('refuses a parameter that comes twice', async () => {
    const form = new URLSearchParams({ grant_type: 'password', ...world.password_client }).toString();
    const response = await world.request({
      path: '/oauth/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `${form}&scope=openid&scope=email`,
    });
    expect([response.statusCode, response.json().error]).toEqual([400, 'invalid_request']);
  });
});

describe('client authentication (RFC 6749 section 2.3)', () => {
  const clientCredentials = (more: Record<string, string>, headers: Record<string, string> = {}) =>
    world.request({ path: '/oauth/token', headers, form: { grant_type: 'client_credentials', ...more } });

  it('takes Basic with form-encoded id and secret, and the same in the body', async () => {
    const code = () => world.visitor().logIn({ parameters: { client_id: web.client_id } });
    const inHeader = await code();
    const byBasic = await world.request({
      path: '/oauth/token',
      headers: basic(web),
      form: {
        grant_type: 'authorization_code',
        code: inHeader.code,
        code_verifier: inHeader.verifier,
        redirect_uri: CALLBACK,
      },
    });
    expect(byBasic.statusCode).toBe(200);
    const byPost = await redeem(world, await code(), { ...web });
    expect(byPost.statusCode).toBe(200);
  });

  it('refuses two methods in one request', async () => {
    const response = await clientCredentials({ client_secret: SECRET }, basic(web));
    expect([response.statusCode, response.json().error]).toEqual([400, 'invalid_request']);
  });

  it.each([
    ['a wrong secret', () => basic({ ...web, client_secret: 'wrong' })],
    ['an unknown client', () => basic({ client_id: 'nobody', client_secret: 'x' })],
    ['no colon', () => ({ authorization: `Basic ${Buffer.from('x').toString('base64')}` })],
    ['another method than the registered one', () => basic(world.management)],
  ])('answers Basic with %s by 401 and a Basic challenge', async (_what, headers) => {
    for (const path of ['/oauth/token', '/oauth/revoke']) {
      const form = { grant_type: 'client_credentials', token: 'x' };
      const response = await world.request({ path, headers: headers(), form });
      expect(response.statusCode).toBe(401);
      expect(response.headers['www-authenticate']).toMatch(/^Basic realm="/);
      expect(['access_denied', 'invalid_client']).toContain(response.json().error);
    }
  });

  it('never lets a client with a secret pass without it', async () => {
    for (const client_secret of ['', 'wrong', SECRET.toUpperCase()]) {
      const begun = await world.visitor().logIn({ parameters: { client_id: web.client_id } });
      const response = await redeem(world, begun, { client_id: web.client_id, client_secret });
      expect([response.statusCode, response.json().access_token]).toEqual([401, undefined]);
    }
  });
});

describe('a code at the token endpoint (RFC 6749 section 4.1.3)', () => {
  it('is worth something to its client only', async () => {
    const begun = await world.visitor().logIn();
    const foreign = await redeem(world, begun, { ...web });
    expect([foreign.statusCode, foreign.json().error]).toEqual([403, 'invalid_grant']);
    expect((await redeem(world, begun)).statusCode).toBe(200);
  });

  it('needs the redirect URI of the request, to the letter', async () => {
    for (const redirect_uri of ['', `${CALLBACK}/`, `${CALLBACK}?x=1`, 'http://localhost:5556/callback']) {
      const response = await redeem(world, await world.visitor().logIn(), { redirect_uri });
      expect([redirect_uri, response.statusCode]).toEqual([redirect_uri, 403]);
      expect(response.json()).not.toHaveProperty('access_token');
    }
  });

  it('is good for two minutes', async () => {
    const [early, late] = [await world.visitor().logIn(), await world.visitor().logIn()];
    world.advance(119_000);
    expect((await redeem(world, early)).statusCode).toBe(200);
    world.advance(2_000);
    expect((await redeem(world, late)).json().error).toBe('invalid_grant');
  });

  it('is good once, and a second use ends what the first one gave', async () => {
    const begun = await world.visitor().logIn();
    const tokens = (await redeem(world, begun)).json();
    expect((await userinfo(world, tokens.access_token)).statusCode).toBe(200);
    const again = await redeem(world, begun);
    expect([again.statusCode, again.json()]).toEqual([
      403,
      { error: 'invalid_grant', error_description: 'Invalid authorization code' },
    ]);
    expect((await userinfo(world, tokens.access_token)).statusCode).toBe(401);
    const { client_id } = world.spa_client;
    const refreshed = await world.token({
      grant_type: 'refresh_token',
      client_id,
      refresh_token: tokens.refresh_token,
    });
    expect(refreshed.json().error).toBe('invalid_grant');
  });
});

describe('a token response (RFC 6749 section 5.1)', () => {
  it('is JSON that nobody may store, with token type, lifetime and scope', async () => {
    const response = await passwordTokens(world, { scope: 'openid email never:heard' });
    expect(response.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      pragma: 'no-cache',
    });
    const { access_token, token_type, expires_in, scope } = response.json();
    expect([typeof access_token, token_type, expires_in, scope]).toEqual(['string', 'Bearer', 86_400, 'openid email']);
  });

  it('names the scope where it differs from what was asked', async () => {
    const tokens = (await passwordTokens(world, { ...OFFLINE, scope: 'read:items delete:everything' })).json();
    expect(tokens.scope).toBe('read:items');
    const everything = (await passwordTokens(world, { audience: OFFLINE.audience })).json();
    expect(everything.scope).toBe('read:items write:items');
  });

  it('has tokens that nobody can guess: 256 random bits each, never the same twice', async () => {
    const both = await Promise.all([passwordTokens(world), passwordTokens(world, { scope: 'offline_access' })]);
    const [one, other] = both.map((response) => response.json().access_token);
    expect(one).toMatch(/^[\w-]{43}$/);
    expect(one).not.toBe(other);
    expect(both[1]?.json().refresh_token).toMatch(/^v1\.[\w-]{43}$/);
  });
});

describe('an error response (RFC 6749 section 5.2)', () => {
  it.each([
    ['unsupported_grant_type', 400, { grant_type: 'urn:ietf:params:oauth:grant-type:saml2-bearer' }],
    ['unsupported_grant_type', 400, { grant_type: 'implicit' }],
    ['unauthorized_client', 403, { grant_type: 'authorization_code' }],
    ['invalid_grant', 403, { password: 'wrong' }],
    ['invalid_grant', 403, { grant_type: 'refresh_token', refresh_token: 'v1.unknown' }],
    ['invalid_request', 400, { username: '' }],
    ['invalid_request', 400, { audience: 'https://nobody.example/' }],
    ['access_denied', 401, { client_secret: 'wrong' }],
  ])('is %s with %i for %j, in JSON that nobody may store', async (error, status, parameters) => {
    const response = await passwordTokens(world, parameters);
    expect([response.statusCode, response.json().error]).toEqual([status, error]);
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(response.headers['cache-control']).toMatch(/no-store/);
    expect(response.json().error_description).toMatch(/^[\x20-\x7e]+$/);
  });
});

describe('a refresh token (RFC 6749 sections 6 and 10.4)', () => {
  const refresh = (refresh_token: string, more: Record<string, string> = {}) =>
    world.token({ grant_type: 'refresh_token', client_id: world.spa_client.client_id, refresh_token, ...more });

  it('is worth something to its client only', async () => {
    const { refresh_token } = await tokensOf(world);
    const foreign = await refresh(refresh_token, { ...web });
    expect([foreign.statusCode, foreign.json().error]).toEqual([403, 'invalid_grant']);
    expect((await refresh(refresh_token)).statusCode).toBe(200);
  });

  it('gives less where less is asked for, never more, and its successor keeps the whole scope', async () => {
    const first = await tokensOf(world, OFFLINE);
    const less = (await refresh(first.refresh_token, { scope: 'openid' })).json();
    expect(less.scope).toBe('openid');
    const more = (await refresh(less.refresh_token, { scope: 'openid email write:items' })).json();
    expect(more.scope).toBe('openid');
    expect((await refresh(more.refresh_token)).json().scope).toBe('openid offline_access read:items');
  });

  it('needs the authentication of a client that has a secret', async () => {
    const { refresh_token } = (await passwordTokens(world, { scope: 'offline_access' })).json();
    const { client_id } = world.password_client;
    expect((await refresh(refresh_token, { client_id })).statusCode).toBe(401);
  });
});

describe('the other grants (RFC 6749 sections 4.3 and 4.4)', () => {
  it('gives client credentials to no public client', async () => {
    const { client_id } = await createApplication(world, {
      app_type: 'spa',
      grant_types: ['authorization_code', 'client_credentials'],
    });
    const form = { grant_type: 'client_credentials', client_id, audience: OFFLINE.audience };
    expect((await world.token(form)).json().error).toBe('unauthorized_client');
  });

  it('gives no refresh token for client credentials', async () => {
    const form = { grant_type: 'client_credentials', ...world.password_client, ...OFFLINE };
    const tokens = (await world.token(form)).json();
    expect(tokens.token_type).toBe('Bearer');
    expect(tokens).not.toHaveProperty('refresh_token');
    expect(tokens).not.toHaveProperty('id_token');
  });

  it('validates the password of the password grant, for clients that have the grant', async () => {
    expect((await passwordTokens(world, { password: `${world.user.password}x` })).statusCode).toBe(403);
    const stranger = await passwordTokens(world, { ...web });
    expect(stranger.json()).toEqual({
      error: 'unauthorized_client',
      error_description: "Grant type 'password' not allowed for the client.",
    });
  });
});
