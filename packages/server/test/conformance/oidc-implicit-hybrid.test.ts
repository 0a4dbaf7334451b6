import { createHash } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALLBACK, type Visitor } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';
import { claimsOf, createApplication, redeem, userinfo } from './code-flow.ts';

const API = 'https://api.example.com/';
const TYPES = ['id_token', 'token', 'id_token token', 'code token', 'code id_token', 'code id_token token'];
const WITH_ID_TOKEN = TYPES.filter((type) => type.includes('id_token'));
const WITH_TOKEN = TYPES.filter((type) => type.split(' ').includes('token'));

let world: World;
let browser: Visitor;
let client_id: string;
beforeAll(async () => {
  world = await startWorld();
  browser = world.visitor();
  await browser.logIn();
  ({ client_id } = await createApplication(world, {
    app_type: 'spa',
    callbacks: [CALLBACK],
    grant_types: ['authorization_code', 'implicit', 'refresh_token'],
  }));
});
afterAll(() => world.stop());

const ask = (parameters: Record<string, string>, visitor = browser) =>
  visitor.authorize({ client_id, nonce: 'n-0S6', scope: 'openid profile', ...parameters });
const leftHalf = (value: string | null | undefined) =>
  createHash('sha256')
    .update(value ?? '')
    .digest()
    .subarray(0, 16)
    .toString('base64url');

describe.each(TYPES)('response_type %s', (response_type) => {
  it('is answered with what it names, in the fragment, after a login as well as silently', async () => {
    const words = response_type.split(' ');
    const silent = await ask({ response_type, prompt: 'none' });
    const visitor = world.visitor();
    const begun = await ask({ response_type }, visitor);
    const done = await visitor.follow(
      await visitor.submit(begun.response, { username: world.user.email, password: world.user.password }),
    );
    for (const response of [silent.response, done]) {
      const location = String(response.headers.location);
      const [address, fragment] = location.split('#');
      expect(address).toBe(CALLBACK);
      const answer = new URLSearchParams(fragment);
      expect([answer.has('code'), answer.has('access_token'), answer.has('id_token')]).toEqual([
        words.includes('code'),
        words.includes('token'),
        words.includes('id_token'),
      ]);
      expect([answer.get('state'), answer.get('iss')]).toEqual(['some-state', world.issuer]);
      expect(response.headers['referrer-policy']).toBe('no-referrer');
      expect(response.headers['cache-control']).toBe('no-store');
    }
  });

  it('means the same in another order of its words', async () => {
    const reversed = response_type.split(' ').reverse().join(' ');
    const [one, other] = await Promise.all([ask({ response_type }), ask({ response_type: reversed })]);
    expect([...(other.answer?.keys() ?? [])]).toEqual([...(one.answer?.keys() ?? [])]);
    expect(one.answer?.has('error')).toBe(false);
  });

  it('is never answered in a query: the request for one is an error in the fragment', async () => {
    const { response, answer } = await ask({ response_type, response_mode: 'query' });
    expect(String(response.headers.location).split('#')[0]).toBe(CALLBACK);
    expect(Object.fromEntries(answer ?? [])).toMatchObject({ error: 'invalid_request', state: 'some-state' });
  });

  it('is posted as a form where the request asks for that', async () => {
    const { response } = await ask({ response_type, response_mode: 'form_post' });
    expect([response.statusCode, response.headers['cache-control']]).toEqual([200, 'no-store']);
    for (const name of ['code', 'access_token', 'id_token'])
      expect(response.body.includes(`name="${name}"`)).toBe(
        response_type.split(' ').includes(name === 'access_token' ? 'token' : name),
      );
  });

  it('needs the grant type implicit, and authorization_code for a code', async () => {
    for (const grantType of ['authorization_code', 'implicit']) {
      const other = await createApplication(world, {
        app_type: 'spa',
        callbacks: [CALLBACK],
        grant_types: [grantType],
      });
      const { answer } = await ask({ response_type, client_id: other.client_id });
      const isEnough = grantType === 'implicit' && !response_type.includes('code');
      expect([grantType, answer?.get('error') ?? null]).toEqual([grantType, isEnough ? null : 'unauthorized_client']);
    }
  });

  it('tells errors in the fragment, with state and issuer', async () => {
    const { response, answer } = await ask({ response_type, prompt: 'none' }, world.visitor());
    expect(String(response.headers.location).split('#')[0]).toBe(CALLBACK);
    expect(Object.fromEntries(answer ?? [])).toEqual({
      error: 'login_required',
      error_description: 'Login required',
      state: 'some-state',
      iss: world.issuer,
    });
  });
});

describe.each(WITH_ID_TOKEN)('the ID token of response_type %s', (response_type) => {
  it('is signed, for this client, and bears the nonce of the request', async () => {
    const { answer } = await ask({ response_type, nonce: 'of this request' });
    const keys = await world.request({ path: '/.well-known/jwks.json' });
    const { payload, protectedHeader } = await jwtVerify(
      answer?.get('id_token') ?? '',
      createLocalJWKSet(keys.json()),
      { issuer: world.issuer, audience: client_id, currentDate: world.now() },
    );
    expect(protectedHeader.alg).toBe('RS256');
    expect(payload).toMatchObject({ nonce: 'of this request', sid: expect.any(String), sub: expect.any(String) });
  });

  it('names access token and code by their hashes, and nothing that is not there', async () => {
    const { answer } = await ask({ response_type });
    const claims = claimsOf(answer?.get('id_token') ?? '');
    expect(claims.at_hash).toBe(answer?.has('access_token') ? leftHalf(answer.get('access_token')) : undefined);
    expect(claims.c_hash).toBe(answer?.has('code') ? leftHalf(answer.get('code')) : undefined);
  });

  it('needs a nonce and the scope openid', async () => {
    for (const [parameters, error_description] of [
      [{ nonce: '' }, 'Missing required parameter: nonce'],
      [{ scope: 'profile' }, 'response_type id_token needs the scope openid'],
    ] as const) {
      const { answer } = await ask({ response_type, ...parameters });
      expect(Object.fromEntries(answer ?? [])).toMatchObject({ error: 'invalid_request', error_description });
      expect(answer?.has('id_token')).toBe(false);
    }
  });
});

describe.each(WITH_TOKEN)('the access token of response_type %s', (response_type) => {
  it('opens /userinfo for two hours, and ends with its grant', async () => {
    const { answer } = await ask({ response_type });
    expect([answer?.get('token_type'), answer?.get('expires_in')]).toEqual(['Bearer', '7200']);
    const token = answer?.get('access_token') ?? '';
    expect((await userinfo(world, token)).statusCode).toBe(200);
    await world.database.pool.query(
      'update token_grants set revoked_at = now() where grant_id = (select grant_id from access_tokens order by created_at desc limit 1)',
    );
    expect((await userinfo(world, token)).statusCode).toBe(401);
  });

  it('for an API lives as long as the API gives to pages', async () => {
    const apis = (await world.api().get('/resource-servers')).json();
    const api = apis.find(({ identifier }: { identifier: string }) => identifier === API);
    await world.api().patch(`/resource-servers/${api.id}`, { token_lifetime: 3_600, token_lifetime_for_web: 600 });
    const { answer } = await ask({ response_type, audience: API, scope: 'openid read:items' });
    expect(answer?.get('expires_in')).toBe('600');
    const { iat, exp, aud, azp, scope } = claimsOf(answer?.get('access_token') ?? '');
    expect([Number(exp) - Number(iat), azp, scope]).toEqual([600, client_id, 'openid read:items']);
    expect(aud).toEqual([API, `${world.issuer}userinfo`]);
    expect((await userinfo(world, answer?.get('access_token') ?? '')).statusCode).toBe(200);
  });

  it('tells the scope where it is not the one that was asked for', async () => {
    expect((await ask({ response_type, scope: 'openid profile' })).answer?.has('scope')).toBe(false);
    const { answer } = await ask({ response_type, scope: 'openid nothing:known' });
    expect(answer?.get('scope')).toBe('openid');
  });

  it('comes without a refresh token, whatever the scope', async () => {
    const { answer } = await ask({ response_type, scope: 'openid offline_access' });
    expect([answer?.get('scope'), answer?.has('refresh_token')]).toEqual(['openid', false]);
  });

  it('is told to nobody whom the API denies', async () => {
    const api = { identifier: `urn:closed:${response_type.replaceAll(' ', '-')}`, name: 'Closed' };
    const closed = {
      ...api,
      subject_type_authorization: { user: { policy: 'deny_all' }, client: { policy: 'deny_all' } },
    };
    expect((await world.api().post('/resource-servers', closed)).statusCode).toBe(201);
    const before = await world.database.pool.query('select count(*) from token_grants');
    const { answer } = await ask({ response_type, audience: api.identifier });
    expect([answer?.get('error'), answer?.has('access_token'), answer?.has('code')]).toEqual([
      'access_denied',
      false,
      false,
    ]);
    expect((await world.database.pool.query('select count(*) from token_grants')).rows).toEqual(before.rows);
  });
});

describe.each(TYPES.filter((type) => type.includes('code')))('the code of response_type %s', (response_type) => {
  it('is redeemed for tokens of the same user, nonce and issuer, a refresh token among them', async () => {
    const { answer, verifier } = await ask({ response_type, scope: 'openid offline_access' });
    const response = await redeem(world, { code: answer?.get('code') ?? '', verifier }, { client_id });
    const tokens = response.json();
    expect(tokens).toMatchObject({ refresh_token: expect.any(String), scope: 'openid offline_access' });
    const later = claimsOf(tokens.id_token);
    expect(later.nonce).toBe('n-0S6');
    if (answer?.has('id_token')) {
      const { iss, sub, aud, nonce } = claimsOf(answer.get('id_token') ?? '');
      expect([later.iss, later.sub, later.aud, later.nonce]).toEqual([iss, sub, aud, nonce]);
    }
  });

  it('of a public client needs PKCE as ever', async () => {
    const { answer } = await ask({ response_type, code_challenge: '', code_challenge_method: '' });
    expect([answer?.get('error'), answer?.has('access_token')]).toEqual(['invalid_request', false]);
  });
});

it.each(['code token', 'code id_token token'])(
  'a code of %s that comes twice ends the access token of the same answer, too (attack A3)',
  async (response_type) => {
    const { answer, verifier } = await ask({ response_type });
    const token = answer?.get('access_token') ?? '';
    const code = answer?.get('code') ?? '';
    expect((await redeem(world, { code, verifier }, { client_id })).statusCode).toBe(200);
    expect((await userinfo(world, token)).statusCode).toBe(200);
    expect((await redeem(world, { code, verifier }, { client_id })).statusCode).toBe(403);
    expect((await userinfo(world, token)).statusCode).toBe(401);
  },
);

describe('the algorithm of the client', () => {
  it('RS512 makes the hashes by SHA-512', async () => {
    const other = await createApplication(world, {
      app_type: 'spa',
      callbacks: [CALLBACK],
      grant_types: ['authorization_code', 'implicit'],
      jwt_configuration: { alg: 'RS512' },
    });
    const { answer } = await ask({ response_type: 'code id_token', client_id: other.client_id });
    const half = createHash('sha512')
      .update(answer?.get('code') ?? '')
      .digest()
      .subarray(0, 32);
    expect(claimsOf(answer?.get('id_token') ?? '').c_hash).toBe(half.toString('base64url'));
  });
});
