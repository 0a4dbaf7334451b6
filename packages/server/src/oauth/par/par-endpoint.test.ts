import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDpopKey, proofFor } from '../../../test/dpop.ts';
import { createTestClient, eventsOf, type TestClient } from '../../../test/protocol.ts';
import { CALLBACK } from '../../../test/visitor.ts';
import { startWorld, type World } from '../../../test/world.ts';

const PREFIX = 'urn:ietf:params:oauth:request_uri:';
const SECONDS = 1_000;

let world: World;
let web: TestClient;
let other: TestClient;
beforeAll(async () => {
  world = await startWorld();
  await allowPushing(true);
  const body = { app_type: 'regular_web', callbacks: [CALLBACK], grant_types: ['authorization_code', 'implicit'] };
  web = await createTestClient(world, body);
  other = await createTestClient(world, body);
});
afterAll(() => world.stop());

const allowPushing = (isAllowed: boolean) =>
  world.api().patch('/tenants/settings', { pushed_authorization_requests_supported: isAllowed });

const push = (parameters: Record<string, string> = {}, headers = {}) =>
  world.request({
    path: '/oauth/par',
    headers,
    form: {
      ...web,
      response_type: 'code',
      redirect_uri: CALLBACK,
      scope: 'openid email',
      state: 'pushed',
      ...parameters,
    },
  });
const pushed = async (parameters: Record<string, string> = {}): Promise<string> =>
  (await push(parameters)).json().request_uri;
const open = (parameters: Record<string, string>, visitor = world.visitor()) =>
  visitor.get(`/authorize?${new URLSearchParams({ client_id: web.client_id, ...parameters })}`);
const rows = async () => (await world.database.pool.query('select * from pushed_requests')).rows;

describe('POST /oauth/par', () => {
  it('binds the code to the key of a DPoP proof, which dpop_jkt must name where both are sent', async () => {
    const [key, stranger] = [createDpopKey(), createDpopKey()];
    const prove = (by = key) => proofFor(world, by, { method: 'POST', path: '/oauth/par' });
    expect((await push({ dpop_jkt: key.jkt }, { dpop: await prove() })).statusCode).toBe(201);
    const refused = await push({ dpop_jkt: key.jkt }, { dpop: await prove(stranger) });
    expect([refused.statusCode, refused.json().error]).toEqual([400, 'invalid_dpop_proof']);

    const { request_uri } = (await push({}, { dpop: await prove() })).json();
    const visitor = world.visitor();
    await visitor.logIn();
    const { location } = (await open({ request_uri }, visitor)).headers;
    const code = new URL(String(location)).searchParams.get('code') ?? '';
    const redeem = async (by?: typeof key) =>
      world.request({
        path: '/oauth/token',
        form: { grant_type: 'authorization_code', ...web, code, redirect_uri: CALLBACK },
        ...(by && { headers: { dpop: await proofFor(world, by, { method: 'POST', path: '/oauth/token' }) } }),
      });
    expect((await redeem()).statusCode).toBe(400);
    expect((await redeem(stranger)).statusCode).toBe(400);
    expect((await redeem(key)).json()).toMatchObject({ token_type: 'DPoP' });
  });

  it('gives a name for the request that nobody can guess, for half a minute', async () => {
    const response = await push();
    expect([response.statusCode, response.headers['cache-control']]).toEqual([201, 'no-store']);
    expect(response.json()).toEqual({
      request_uri: expect.stringMatching(/^urn:ietf:params:oauth:request_uri:[\w-]{43}$/),
      expires_in: 30,
    });
    expect((await push()).json().request_uri).not.toBe(response.json().request_uri);
  });

  it('takes JSON as well, and the secret in the Authorization header', async () => {
    const { client_id, client_secret } = web;
    const json = { response_type: 'code', redirect_uri: CALLBACK, max_age: 60 };
    const authorization = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`;
    const response = await world.request({ path: '/oauth/par', headers: { authorization }, json });
    expect(response.statusCode).toBe(201);
    const page = await open({ request_uri: response.json().request_uri });
    expect(page.headers.location).toContain('/u/login');
  });

  it('keeps no credential of the client', async () => {
    await push({ login_hint: 'of the credentials' });
    const row = (await rows()).find(({ request }) => request.login_hint === 'of the credentials');
    expect(Object.keys(row.request).sort()).toEqual([
      'client_id',
      'login_hint',
      'redirect_uri',
      'response_type',
      'scope',
      'state',
    ]);
    expect(JSON.stringify(await rows())).not.toContain(web.client_secret);
  });

  it('keeps a request as long as the client wants it', async () => {
    await world.api().patch(`/clients/${web.client_id}`, { par_request_expiry: 120 });
    const response = await push();
    expect(response.json().expires_in).toBe(120);
    world.advance(119 * SECONDS);
    expect((await open({ request_uri: response.json().request_uri })).headers.location).toContain('/u/login');
    await world.api().patch(`/clients/${web.client_id}`, { par_request_expiry: null });
  });

  it.each<[string, Record<string, string>, number, string]>([
    ['a wrong secret', { client_secret: 'wrong' }, 401, 'access_denied'],
    ['no secret', { client_secret: '' }, 401, 'access_denied'],
    ['an unknown client', { client_id: 'unknown' }, 401, 'access_denied'],
    ['a request_uri within', { request_uri: `${PREFIX}x` }, 400, 'invalid_request'],
    ['a callback that is not registered', { redirect_uri: 'https://evil.example/' }, 400, 'invalid_request'],
    ['an unknown response type', { response_type: 'x' }, 400, 'unsupported_response_type'],
    ['no response type', { response_type: '' }, 400, 'invalid_request'],
    ['a query for tokens', { response_type: 'token', response_mode: 'query' }, 400, 'invalid_request'],
    ['plain PKCE', { code_challenge: 'x'.repeat(43), code_challenge_method: 'plain' }, 400, 'invalid_request'],
    ['an unknown audience', { audience: 'urn:none' }, 403, 'access_denied'],
    ['prompts that exclude each other', { prompt: 'none login' }, 400, 'invalid_request'],
    [
      'eleven ext- parameters',
      Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`ext-${index}`, 'x'])),
      400,
      'invalid_request',
    ],
    ['more than 10 KB', { login_hint: 'x'.repeat(5_000), nonce: 'y'.repeat(6_000) }, 413, 'invalid_request'],
  ])('refuses %s, stores nothing and says so in the log', async (_what, parameters, status, error) => {
    const before = await rows();
    const events = await eventsOf(world, async () => {
      const response = await push(parameters);
      expect([response.statusCode, response.json().error]).toEqual([status, error]);
    });
    expect(await rows()).toEqual(before);
    // A body that is not read is nobody's request yet.
    expect(events.map(({ type }) => type)).toEqual(status === 413 ? [] : ['fpar']);
  });

  it('refuses a parameter that comes twice', async () => {
    const form = new URLSearchParams({ ...web, response_type: 'code', redirect_uri: CALLBACK });
    const response = await world.request({
      path: '/oauth/par',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `${form}&redirect_uri=${encodeURIComponent(CALLBACK)}`,
    });
    expect([response.statusCode, response.json().error]).toEqual([400, 'invalid_request']);
  });

  it('is not for public clients', async () => {
    const { client_id } = world.spa_client;
    const response = await push({ client_id, client_secret: '' });
    expect([response.statusCode, response.json().error]).toEqual([403, 'unauthorized_client']);
  });

  it('is closed, and not in discovery, unless the tenant opens it', async () => {
    const discovered = async () =>
      (await world.request({ path: '/.well-known/openid-configuration' })).json().pushed_authorization_request_endpoint;
    expect(await discovered()).toBe(`${world.origin}/oauth/par`);
    await allowPushing(false);
    const response = await push();
    expect([response.statusCode, response.json().error]).toEqual([403, 'access_denied']);
    expect(await discovered()).toBeUndefined();
    await allowPushing(true);
  });
});

describe('/authorize with a pushed request', () => {
  it('answers what was pushed, and nothing of what stands beside it (attack A6)', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    const request_uri = await pushed();
    const response = await open(
      { request_uri, state: 'other', redirect_uri: 'http://localhost:6666/', scope: 'openid', response_type: 'token' },
      visitor,
    );
    const url = new URL(String(response.headers.location));
    expect(url.origin + url.pathname).toBe(CALLBACK);
    expect(url.searchParams.get('state')).toBe('pushed');
    const tokens = await world.token({
      grant_type: 'authorization_code',
      ...web,
      redirect_uri: CALLBACK,
      code: url.searchParams.get('code') ?? '',
    });
    expect(tokens.json().scope).toBe('openid email');
  });

  it('goes through the login pages', async () => {
    const visitor = world.visitor();
    const page = await visitor.follow(
      await open({ request_uri: await pushed({ login_hint: 'ada@example.org' }) }, visitor),
    );
    expect(page.body).toContain('value="ada@example.org"');
    const { email, password } = world.user;
    const done = await visitor.follow(await visitor.submit(page, { username: email, password }));
    expect(new URL(String(done.headers.location)).searchParams.get('state')).toBe('pushed');
  });

  it('works once', async () => {
    const request_uri = await pushed();
    expect((await open({ request_uri })).headers.location).toContain('/u/login');
    const again = await open({ request_uri });
    expect([again.statusCode, again.headers.location]).toEqual([400, undefined]);
    expect(again.body).toContain('invalid_request_uri');
  });

  it('works for one of many that come at once, in two servers', async () => {
    const second = await world.secondServer();
    const path = `/authorize?${new URLSearchParams({ client_id: web.client_id, request_uri: await pushed() })}`;
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => (index % 2 ? world : second).request({ path })),
    );
    await second.stop();
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([302, ...Array(7).fill(400)]);
  });

  it('is over after half a minute', async () => {
    const request_uri = await pushed();
    world.advance(30 * SECONDS);
    expect((await open({ request_uri })).statusCode).toBe(400);
  });

  it('belongs to the client that pushed it: another one gets nothing and takes nothing away', async () => {
    const request_uri = await pushed();
    expect((await open({ client_id: other.client_id, request_uri })).statusCode).toBe(400);
    expect((await open({ request_uri })).headers.location).toContain('/u/login');
  });

  it('is unknown to another tenant', async () => {
    const acme = await world.createTenant('acme');
    const request_uri = await pushed();
    const query = new URLSearchParams({ client_id: acme.spa_client.client_id, request_uri });
    expect((await world.request({ path: `/authorize?${query}`, tenant: acme })).statusCode).toBe(400);
    expect((await open({ request_uri })).headers.location).toContain('/u/login');
  });

  it('tells an error at the address that stands beside it, where that is registered', async () => {
    const events = await eventsOf(world, async () => {
      const response = await open({ request_uri: `${PREFIX}unknown`, redirect_uri: CALLBACK, state: 'x' });
      const { searchParams } = new URL(String(response.headers.location));
      expect([searchParams.get('error'), searchParams.get('state')]).toEqual(['invalid_request_uri', 'x']);
      const evil = await open({ request_uri: `${PREFIX}unknown`, redirect_uri: 'https://evil.example/' });
      expect([evil.statusCode, evil.headers.location]).toEqual([403, undefined]);
    });
    expect(events.map(({ type }) => type)).toEqual(['f', 'f']);
  });

  it.each([
    'https://client.example/request.jwt',
    'http://169.254.169.254/latest/meta-data/',
    'http://127.0.0.1:1/',
    'http://[::1]/',
    'file:///etc/passwd',
    'gopher://localhost/',
    'urn:ietf:params:oauth:request_ur',
    '//evil.example',
  ])('never fetches anything: %s (attack E1)', async (request_uri) => {
    const response = await open({ request_uri, redirect_uri: CALLBACK });
    expect(new URL(String(response.headers.location)).searchParams.get('error')).toBe('request_uri_not_supported');
  });

  it('may be the only way that a client takes', async () => {
    const change = (isRequired: boolean) =>
      world.api().patch(`/clients/${web.client_id}`, { require_pushed_authorization_requests: isRequired });
    await change(true);
    const plain = await open({ response_type: 'code', redirect_uri: CALLBACK, state: 'x' });
    const { searchParams } = new URL(String(plain.headers.location));
    expect(Object.fromEntries(searchParams)).toMatchObject({
      error: 'invalid_request',
      error_description: 'The client must use pushed authorization requests',
      state: 'x',
    });
    expect((await open({ request_uri: await pushed() })).headers.location).toContain('/u/login');
    await change(false);
  });
});
