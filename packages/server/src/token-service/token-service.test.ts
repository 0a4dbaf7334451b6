import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startListeningWorld } from '../../../api-guard/test/listening-world.ts';
import { created, createTestClient, createTestUser, passwordGrant, type TestClient } from '../../test/protocol.ts';
import type { WorldTenant } from '../../test/world.ts';
import { createLog } from '../kit/log.ts';
import { readServiceSettings } from './service-settings.ts';
import { startTokenService, type TokenService } from './token-service.ts';

const VENUES = 'https://venues.example/';
const ORDERS = 'https://orders.example/';
const SECRETS = { venues: 'v'.repeat(40), orders: 'o'.repeat(40) };
const CALLERS = JSON.stringify({ venues: SECRETS.venues, orders: { secret: SECRETS.orders, audiences: [ORDERS] } });

let server: Awaited<ReturnType<typeof startListeningWorld>>;
let client: TestClient;
let int: WorldTenant;
let user: Awaited<ReturnType<typeof createTestUser>>;
let service: TokenService;
const running: TokenService[] = [];
const printed: string[] = [];

beforeAll(async () => {
  server = await startListeningWorld();
  const { world } = server;
  int = await world.createTenant('acme-int');
  for (const tenant of [world.main, int]) await makeApi(VENUES, tenant);
  await makeApi(ORDERS, world.main);
  client = await createTestClient(world, { grant_types: ['client_credentials'] }, { mayLogIn: false });
  for (const audience of [VENUES, ORDERS])
    await created(world.api().post('/client-grants', { client_id: client.client_id, audience, scope: ['read:all'] }));
  service = await start();
});
afterAll(async () => {
  for (const one of running) await one.stop();
  await server?.stop();
});
let serial = 0;
beforeEach(async () => {
  user = await createTestUser(server.world, `asked-${++serial}`);
});

describe('POST /token/verify', () => {
  it('tells who a good token speaks for, what they may do and until when', async () => {
    const { access_token, expires_in } = await logIn();
    const { status, body, headers } = await verify(access_token);
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toEqual({
      active: true,
      user: expect.objectContaining({ sub: user.id, email: user.email, name: user.email }),
      permissions: expect.arrayContaining(['openid', 'read:all']),
      expires_at: Math.floor(server.now() / 1000) + Number(expires_in),
    });
  });

  it('asks /userinfo for no token without the scope openid, a machine’s included', async () => {
    const before = await calls('userinfo');
    const users = await logIn({ scope: 'read:all' });
    expect((await verify(users.access_token)).body).toMatchObject({ active: true, user: { sub: user.id } });
    const machine = await server.tokens({ grant_type: 'client_credentials', ...client, audience: VENUES });
    const { body } = await verify(machine.access_token);
    expect(body).toMatchObject({
      active: true,
      user: { sub: `${client.client_id}@clients` },
      permissions: ['read:all'],
    });
    expect(await calls('userinfo')).toBe(before);
  });

  it('asks /userinfo for no token that does not name it, though its user has the scope openid', async () => {
    const identifier = 'https://signed-with-a-secret.example/';
    const { world } = server;
    await makeApi(identifier, world.main, { signing_alg: 'HS256', signing_secret: 's'.repeat(40) });
    await created(world.api().post('/client-grants', { client_id: client.client_id, audience: identifier, scope: [] }));
    const callers = { signed: { secret: 'q'.repeat(40), audiences: [identifier] } };
    const asks = await start({ TOKEN_SERVICE_CALLERS: JSON.stringify(callers) });
    const { access_token } = await logIn({ audience: identifier, scope: 'openid email' });
    const asked = { at: asks, secret: callers.signed.secret };
    expect((await verify(access_token, asked)).body).toMatchObject({ active: true, user: { sub: user.id } });
    await world.api().patch(`/users/${user.id}`, { blocked: true });
    expect((await verify(access_token, asked)).body).toEqual({ active: false, reason: 'unknown' });
  });

  it('refuses tokens of another API, environment or kind, and forged ones', async () => {
    const ours = await logIn();
    const [head = '', payload = ''] = String(ours.access_token).split('.');
    const cases: readonly (readonly [token: string | undefined, reason: string])[] = [
      [(await logIn({ audience: ORDERS })).access_token, 'audience'],
      [(await passwordGrant(server.world, { audience: VENUES }, int)).json().access_token, 'issuer'],
      [await server.world.managementToken(['read:users'], { ...server.world.main, origin: server.origin }), 'audience'],
      [ours.id_token, 'audience'],
      [ours.refresh_token, 'unknown'],
      ['not-a-token', 'unknown'],
      [`${head}.${payload}.`, 'unknown'],
      [`${head}.${payload}.c2lnbmF0dXJl`, 'unknown'],
    ];
    for (const [token, reason] of cases)
      expect((await verify(token)).body, `${reason}: ${token}`).toEqual({ active: false, reason });
  });

  it('tells a caller nothing of tokens for another caller’s API, though the service may ask about both', async () => {
    const { access_token } = await logIn({ audience: ORDERS });
    const asked = [SECRETS.orders, SECRETS.venues].map((secret) => verify(access_token, { secret }));
    const bodies = (await Promise.all(asked)).map(({ body }) => body);
    expect(bodies).toEqual([expect.objectContaining({ active: true }), { active: false, reason: 'audience' }]);
  });

  it.each([
    ['their user was blocked', () => server.world.api().patch(`/users/${user.id}`, { blocked: true })],
    ['their user was deleted', () => server.world.api().delete(`/users/${user.id}`)],
    [
      'their refresh token was revoked',
      ({ refresh_token = '' }: Tokens) =>
        server.world.request({
          path: '/oauth/revoke',
          form: { ...server.world.password_client, token: refresh_token },
        }),
    ],
  ])('refuses at the next question where %s', async (_what, end) => {
    const tokens = await logIn();
    expect((await verify(tokens.access_token)).body).toMatchObject({ active: true });
    await end(tokens);
    expect((await verify(tokens.access_token)).body).toEqual({ active: false, reason: 'unknown' });
  });

  it('refuses a token that has expired', async () => {
    const { access_token, expires_in } = await logIn();
    server.world.advance(Number(expires_in) * 1000);
    expect((await verify(access_token)).body).toEqual({ active: false, reason: 'expired' });
  });

  it.each([
    ['no secret', {}],
    ['another secret', { authorization: `Bearer ${'x'.repeat(40)}` }],
    ['a secret by Basic', { authorization: `Basic ${SECRETS.venues}` }],
  ])('answers 401 to %s, whatever the body is', async (_what, headers) => {
    const response = await post('{"token":', headers);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    expect(await response.json()).toMatchObject({ error: 'invalid_client' });
  });

  it.each([
    ['no JSON', '{"token":', 400],
    ['no token', '{}', 400],
    ['a token that is a list', '{"token":["at"]}', 400],
    ['a token with a line break', '{"token":"a\\r\\nb"}', 400],
    ['a token above 16 KB', JSON.stringify({ token: 'a'.repeat(16_385) }), 400],
    ['a prototype', '{"__proto__":{"token":"at"}}', 400],
    ['a body above 32 KB', JSON.stringify({ token: 'at', more: 'a'.repeat(32_768) }), 413],
  ])('answers %s with an error and no verdict', async (_what, body, status) => {
    const response = await post(body, { authorization: `Bearer ${SECRETS.venues}` });
    expect([response.status, await response.json()]).toMatchObject([status, { error: 'invalid_request' }]);
  });

  it('answers 503 while the server is away, never that a token is bad, and goes on when it is back', async () => {
    const { access_token } = await logIn();
    const fresh = await start();
    await server.away(async () => {
      for (const one of [service, fresh]) {
        const { status, body, headers } = await verify(access_token, { at: one });
        expect(status).toBe(503);
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
        expect(body).toMatchObject({ error: 'temporarily_unavailable' });
      }
      expect((await fetch(`${fresh.origin}/health/ready`)).status).toBe(503);
      expect((await fetch(`${fresh.origin}/health/live`)).status).toBe(200);
    });
    expect((await verify(access_token, { at: fresh })).body).toMatchObject({ active: true });
    expect((await fetch(`${fresh.origin}/health/ready`)).status).toBe(200);
  });

  it('answers 503 where its own client is refused: the bearer can do nothing about it', async () => {
    const { access_token } = await logIn();
    const wrong = await start({ TOKEN_SERVICE_CLIENT_SECRET: 'wrong' });
    expect((await verify(access_token, { at: wrong })).status).toBe(503);
  });

  it('learns of no token of an API that its client may not introspect', async () => {
    const stranger = await createTestClient(
      server.world,
      { app_type: 'resource_server', resource_server_identifier: ORDERS, grant_types: ['client_credentials'] },
      { mayLogIn: false },
    );
    const other = await start({
      TOKEN_SERVICE_CLIENT_ID: stranger.client_id,
      TOKEN_SERVICE_CLIENT_SECRET: stranger.client_secret,
    });
    const { access_token } = await logIn();
    expect((await verify(access_token, { at: other })).body).toEqual({ active: false, reason: 'unknown' });
    const own = await logIn({ audience: ORDERS });
    // Whoever has its secret, and asks the server itself.
    const introspect = async (token = '') =>
      (await server.world.request({ path: '/oauth/introspect', form: { ...stranger, token } })).json();
    expect(await introspect(own.access_token)).toMatchObject({ active: true });
    for (const token of [access_token, own.refresh_token, own.id_token])
      expect(await introspect(token)).toEqual({ active: false });
    const asked = await verify(own.access_token, { at: other, secret: SECRETS.orders });
    expect(asked.body).toMatchObject({ active: true });
  });
});

describe('POST /token/verify in the mode userinfo', () => {
  it('knows users by /userinfo alone, and tokens that it refuses', async () => {
    const asks = await start({
      TOKEN_SERVICE_MODE: 'userinfo',
      TOKEN_SERVICE_CLIENT_ID: '',
      TOKEN_SERVICE_CLIENT_SECRET: '',
    });
    const { access_token } = await logIn();
    const at = { at: asks };
    expect((await verify(access_token, at)).body).toMatchObject({ active: true, user: { email: user.email } });
    const opaque = await logIn({ audience: '' });
    expect((await verify(opaque.access_token, at)).body).toEqual({ active: false, reason: 'audience' });
    await server.world.api().patch(`/users/${user.id}`, { blocked: true });
    expect((await verify(access_token, at)).body).toEqual({ active: false, reason: 'unknown' });
  });
});

describe('the token service’s own words', () => {
  it('hold no token, no secret and no user, in the log and in its metrics', async () => {
    const { access_token = '', refresh_token = '' } = await logIn();
    await verify(access_token);
    await server.away(() => verify(access_token));
    const metrics = await readMetrics();
    expect(metrics).toContain('gatewright_token_service_questions_total{caller="venues",outcome="active"}');
    const words = printed.join('\n') + metrics;
    expect(words).toContain('can not be asked');
    for (const secret of [access_token, refresh_token, client.client_secret, ...Object.values(SECRETS), user.id])
      expect(words).not.toContain(secret);
  });

  it('are metrics for this machine and for who has the token, and for nobody else', async () => {
    const guarded = await start({ TOKEN_SERVICE_METRICS_TOKEN: 'let-me-see' });
    const ask = (headers: Record<string, string>) => fetch(`${guarded.origin}/metrics`, { headers });
    expect((await ask({})).status).toBe(200);
    expect((await ask({ 'x-forwarded-for': '203.0.113.7' })).status).toBe(404);
    expect((await ask({ 'x-forwarded-for': '203.0.113.7', authorization: 'Bearer let-me-see' })).status).toBe(200);
  });
});

type Tokens = Readonly<Record<string, string | undefined>>;

async function start(more: Readonly<Record<string, string>> = {}): Promise<TokenService> {
  const settings = readServiceSettings({
    TOKEN_SERVICE_ISSUER: server.issuer,
    TOKEN_SERVICE_CLIENT_ID: client.client_id,
    TOKEN_SERVICE_CLIENT_SECRET: client.client_secret,
    TOKEN_SERVICE_AUDIENCE: VENUES,
    TOKEN_SERVICE_CALLERS: CALLERS,
    TOKEN_SERVICE_PORT: '0',
    TOKEN_SERVICE_RATE: '100000',
    ...more,
  });
  const log = createLog('json', (line) => printed.push(line));
  const started = await startTokenService({ settings, log, now: server.now });
  running.push(started);
  return started;
}

async function verify(token: string | undefined, { at = service, secret = SECRETS.venues } = {}) {
  const response = await post(JSON.stringify({ token }), { authorization: `Bearer ${secret}` }, at);
  const { status, headers } = response;
  return { status, headers, body: (await response.json()) as unknown };
}

function post(body: string, headers: Readonly<Record<string, string>>, at = service): Promise<Response> {
  const all = { 'content-type': 'application/json', ...headers };
  return fetch(`${at.origin}/token/verify`, { method: 'POST', headers: all, body });
}

async function readMetrics(): Promise<string> {
  return (await fetch(`${service.origin}/metrics`)).text();
}

async function calls(endpoint: string): Promise<number> {
  const line = new RegExp(
    `^gatewright_token_service_upstream_seconds_count\\{endpoint="${endpoint}",answered="yes"\\} (\\d+)$`,
    'm',
  );
  return Number(line.exec(await readMetrics())?.[1] ?? 0);
}

function logIn(changes: Readonly<Record<string, string>> = {}): Promise<Tokens> {
  return server.tokens({
    grant_type: 'password',
    ...server.world.password_client,
    username: user.email,
    password: user.password,
    scope: 'openid profile email offline_access read:all',
    audience: VENUES,
    ...changes,
  });
}

async function makeApi(identifier: string, tenant: WorldTenant, more: object = {}): Promise<void> {
  const api = { identifier, name: identifier, scopes: [{ value: 'read:all' }], allow_offline_access: true, ...more };
  await created(server.world.apiAt(tenant).post('/resource-servers', api));
}
