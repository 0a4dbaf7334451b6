import { createServer, type IncomingMessage } from 'node:http';
import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  created,
  createTestClient,
  createTestUser,
  decodeJwt,
  eventsOf,
  type LogRecord,
  type TestClient,
  userinfo,
} from '../../../test/protocol.ts';
import { CALLBACK, type Visitor } from '../../../test/visitor.ts';
import { startWorld, type World } from '../../../test/world.ts';

interface Received {
  readonly type: string | undefined;
  readonly token: string;
}

let world: World;
let url: string;
const received: Received[] = [];
let answer: (request: IncomingMessage) => number = () => 200;
const application = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    const token = new URLSearchParams(body).get('logout_token') ?? '';
    received.push({ type: request.headers['content-type'], token });
    response.writeHead(answer(request)).end();
  });
});

beforeAll(async () => {
  world = await startWorld();
  // Rounds begin when a test says so.
  await world.app.logouts.stop();
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  const address = application.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/backchannel`;
});
afterAll(async () => {
  application.closeAllConnections();
  application.close();
  await world.stop();
});
beforeEach(() => {
  received.length = 0;
  answer = () => 200;
});

const deliver = () => world.app.logouts.deliver();

function listening(initiators?: object, more: object = {}): Promise<TestClient> {
  return createTestClient(world, {
    name: 'Listens',
    app_type: 'regular_web',
    callbacks: [CALLBACK],
    oidc_logout: {
      backchannel_logout_urls: [url],
      ...(initiators && { backchannel_logout_initiators: initiators }),
      ...more,
    },
  });
}

const ALL = { mode: 'all' };
let serial = 0;

async function logIn(client: TestClient, visitor: Visitor = world.visitor()) {
  const user = await createTestUser(world, `listener-${++serial}`);
  const login = { username: user.email, password: user.password, parameters: { client_id: client.client_id } };
  const { code, verifier } = await visitor.logIn(login);
  const tokens = await world.token({
    grant_type: 'authorization_code',
    ...client,
    code,
    code_verifier: verifier,
    redirect_uri: CALLBACK,
  });
  return { user, visitor, sid: String(decodeJwt(tokens.json().id_token).claims.sid) };
}

/** Checks a logout token as an application must: OpenID Connect Back-Channel Logout 1.0 section 2.6. */
async function verified(token: string, audience: string): Promise<JWTPayload> {
  const jwks = (await world.request({ path: '/.well-known/jwks.json' })).json();
  const { payload } = await jwtVerify(token, createLocalJWKSet(jwks), {
    issuer: world.issuer,
    audience,
    typ: 'logout+jwt',
    algorithms: ['RS256'],
    currentDate: world.now(),
  });
  return payload;
}

const isOurs = ({ type }: LogRecord) => type.startsWith('oidc_backchannel_logout');

describe('back-channel logout', () => {
  it('tells each application of the session, with a logout token, and records it', async () => {
    const client = await listening();
    const silent = await createTestClient(world, { callbacks: [CALLBACK], app_type: 'regular_web' });
    const { user, visitor, sid } = await logIn(client);
    await visitor.logIn({ parameters: { client_id: silent.client_id } });
    const events = await eventsOf(world, async () => {
      await visitor.get('/v2/logout');
      expect(received).toEqual([]);
      await deliver();
    });
    expect(received.map(({ type }) => type)).toEqual(['application/x-www-form-urlencoded']);
    const claims = await verified(received[0]?.token ?? '', client.client_id);
    expect(claims).toEqual({
      iss: world.issuer,
      sub: user.id,
      aud: client.client_id,
      sid,
      iat: Math.floor(world.now().getTime() / 1000),
      exp: Math.floor(world.now().getTime() / 1000) + 120,
      jti: expect.any(String),
      trace_id: expect.any(String),
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    });
    expect(events.map(({ type }) => type)).toEqual(['slo', 'oidc_backchannel_logout_succeeded']);
    expect(events[1]).toMatchObject({
      client_id: client.client_id,
      user_id: user.id,
      details: { session_id: sid, initiator: 'rp-logout', attempt: 1 },
    });
    await deliver();
    expect(received.length).toBe(1);
  });

  it('needs nobody who asks for it', async () => {
    const { visitor } = await logIn(await listening());
    await visitor.get('/v2/logout');
    world.app.logouts.start();
    await vi.waitFor(() => expect(received.length).toBe(1), 20_000);
    await world.app.logouts.stop();
  });

  it("names the issuer of the application's own tokens", async () => {
    const client = await listening();
    const visitor = world.visitor({ ...world.main, origin: 'http://localhost:3000' });
    await logIn(client, visitor);
    await visitor.get('/v2/logout');
    await deliver();
    expect(decodeJwt(received[0]?.token).claims.iss).toBe('http://localhost:3000/');
  });

  const ends: [string, (login: Awaited<ReturnType<typeof logIn>>) => Promise<unknown>][] = [
    ['rp-logout', ({ visitor }) => visitor.get('/v2/logout')],
    ['session-revoked', ({ sid }) => world.api().delete(`/sessions/${sid}`)],
    ['session-revoked', ({ sid }) => world.api().post(`/sessions/${sid}/revoke`)],
    ['session-revoked', ({ user }) => world.api().delete(`/users/${user.id}/sessions`)],
    ['session-revoked', ({ user }) => world.api().post(`/users/${user.id}/revoke-access`, {})],
    [
      'password-changed',
      ({ user }) =>
        world.api().patch(`/users/${user.id}`, { password: 'Another-horse-9', connection: world.connection }),
    ],
    [
      'email-identifier-changed',
      ({ user }) =>
        world.api().patch(`/users/${user.id}`, { email: `new-${user.email}`, connection: world.connection }),
    ],
    ['account-deactivated', ({ user }) => world.api().patch(`/users/${user.id}`, { blocked: true })],
    ['account-deleted', ({ user }) => world.api().delete(`/users/${user.id}`)],
    [
      'account-deleted',
      async ({ user }) => {
        const connection = await world.app.stores.connections.findByName('dev', world.connection);
        return world.api().delete(`/connections/${connection?.id}/users?email=${user.email}`, { email: user.email });
      },
    ],
    [
      'session-expired',
      async () => {
        world.advance(72 * 3_600_000);
        await world.app.logouts.endExpired();
      },
    ],
  ];

  it.each(ends)('happens for %s where the client asked for that', async (initiator, end) => {
    const chosen = await listening({ mode: 'custom', selected_initiators: [initiator] });
    const everything = await listening(ALL);
    const other = await listening({ mode: 'custom', selected_initiators: ['idp-logout'] });
    const login = await logIn(chosen);
    for (const { client_id } of [everything, other]) await login.visitor.logIn({ parameters: { client_id } });
    await end(login);
    await deliver();
    expect(received.map(({ token }) => decodeJwt(token).claims.aud).toSorted()).toEqual(
      [chosen.client_id, everything.client_id].toSorted(),
    );
    expect(received.every(({ token }) => decodeJwt(token).claims.sid === login.sid)).toBe(true);
  });

  it('hears of logouts alone where a client says nothing', async () => {
    const login = await logIn(await listening());
    await world.api().delete(`/sessions/${login.sid}`);
    await deliver();
    expect(received).toEqual([]);
  });

  it("carries the session's metadata to clients that asked for it", async () => {
    const client = await listening(ALL, { backchannel_logout_session_metadata: { include: true } });
    const { sid } = await logIn(client);
    await world.api().patch(`/sessions/${sid}`, { session_metadata: { tier: 'gold' } });
    await world.api().delete(`/sessions/${sid}`);
    await deliver();
    expect(decodeJwt(received[0]?.token).claims.session_metadata).toEqual({ tier: 'gold' });
  });

  it('tries again, later each time, with a fresh token, and says when it gives up', async () => {
    const client = await listening(ALL);
    const { sid } = await logIn(client);
    answer = () => 503;
    const events = await eventsOf(world, async () => {
      await world.api().delete(`/sessions/${sid}`);
      for (const seconds of [0, 10, 60, 300, 1_200, 3_600, 36_000]) {
        world.advance(seconds * 1000);
        await deliver();
        await deliver();
      }
    });
    expect(received.length).toBe(6);
    expect(new Set(received.map(({ token }) => decodeJwt(token).claims.jti)).size).toBe(6);
    expect(new Set(received.map(({ token }) => decodeJwt(token).claims.trace_id)).size).toBe(1);
    const failures = events.filter(isOurs);
    expect(failures.map(({ details }) => details)).toEqual(
      [1, 2, 3, 4, 5, 6].map((attempt) => expect.objectContaining({ attempt, will_retry: attempt < 6 })),
    );
    expect(failures[0]).toMatchObject({
      type: 'oidc_backchannel_logout_failed',
      description: 'The application answered with the status 503.',
    });
    expect((await world.database.pool.query('select from logout_deliveries')).rows).toEqual([]);
  });

  it('survives a process that dies between taking and sending', async () => {
    const client = await listening(ALL);
    const { sid } = await logIn(client);
    await world.api().delete(`/sessions/${sid}`);
    const now = world.now();
    const taken = await world.app.stores.logoutDeliveries.claim('dev', now, new Date(now.getTime() + 60_000), 10);
    expect(taken.length).toBe(1);
    await deliver();
    expect(received).toEqual([]);
    world.advance(60_000);
    await deliver();
    expect(received.length).toBe(1);
  });

  it('is sent once by two servers that look at the same time', async () => {
    const client = await listening(ALL);
    const logins = [await logIn(client), await logIn(client), await logIn(client)];
    for (const { sid } of logins) await world.api().delete(`/sessions/${sid}`);
    await Promise.all([deliver(), deliver(), deliver()]);
    expect(received.map(({ token }) => decodeJwt(token).claims.sid).toSorted()).toEqual(
      logins.map(({ sid }) => sid).toSorted(),
    );
  });

  it("of a production tenant reaches nobody on the server's own machine", async () => {
    const production = await world.createTenant('strict', { environment: 'production' });
    await world.database.pool.query(
      `update clients set body = body || $1::jsonb where tenant_id = 'strict' and client_id = $2`,
      [JSON.stringify({ oidc_logout: { backchannel_logout_urls: [url] } }), production.spa_client.client_id],
    );
    const visitor = world.visitor(production);
    await world.database.pool.query(
      `update clients set body = jsonb_set(body, '{callbacks}', '["${CALLBACK}"]') where client_id = $1`,
      [production.spa_client.client_id],
    );
    world.app.forget('strict');
    await visitor.logIn();
    const events = await eventsOf(
      world,
      async () => {
        await visitor.get('/v2/logout');
        await deliver();
      },
      production,
    );
    expect(received).toEqual([]);
    expect(events.find(isOurs)).toMatchObject({
      type: 'oidc_backchannel_logout_failed',
      description: 'The address leads to a network that may not be called.',
    });
  });

  it.each([
    ['two addresses', { backchannel_logout_urls: ['https://a.example/', 'https://b.example/'] }],
    ['no URL', { backchannel_logout_urls: ['a.example'] }],
    ['another scheme', { backchannel_logout_urls: ['ftp://a.example/'] }],
    ['a user in it', { backchannel_logout_urls: ['https://user:secret@a.example/'] }],
    ['an unknown initiator', { backchannel_logout_initiators: { mode: 'custom', selected_initiators: ['moon'] } }],
  ])('refuses a client with %s', async (_what, oidc_logout) => {
    const response = await world.api().post('/clients', { name: 'Wrong', oidc_logout });
    expect([response.statusCode, response.json().errorCode]).toEqual([400, 'invalid_body']);
  });

  // The last test: the directory of the others is gone after it.
  it('happens when a connection is deleted, also for who is linked to another one; tokens of its logins end as well', async () => {
    const client = await listening(ALL);
    const alone = await logIn(client);
    await world.api().post('/connections', { name: 'elsewhere', strategy: 'auth0' });
    const primary = await created(
      world.api().post('/users', { connection: 'elsewhere', email: 'p@example.org', password: 'Correct-horse-9' }),
    );
    const visitor = world.visitor();
    const linked = await createTestUser(world, 'linked');
    const path = `/users/${encodeURIComponent(String(primary.user_id))}`;
    const identity = { provider: 'auth0', user_id: linked.id };
    await created(world.api().post(`${path}/identities`, identity));
    const { code, verifier } = await visitor.logIn({
      username: linked.email,
      password: linked.password,
      parameters: { client_id: client.client_id },
    });
    const redemption = { grant_type: 'authorization_code', ...client, code, code_verifier: verifier };
    const { access_token, id_token } = (await world.token({ ...redemption, redirect_uri: CALLBACK })).json();
    expect((await userinfo(world, access_token)).json().sub).toBe(primary.user_id);

    const [directory] = (await world.api().get(`/connections?name=${world.connection}`)).json();
    expect((await world.api().delete(`/connections/${directory.id}`)).statusCode).toBe(202);
    await deliver();
    const sids = received.map(({ token }) => decodeJwt(token).claims.sid).toSorted();
    expect(sids).toEqual(expect.arrayContaining([alone.sid, String(decodeJwt(id_token).claims.sid)]));
    expect((await world.api().get(`${path}/sessions`)).json().sessions).toEqual([]);
    expect((await userinfo(world, access_token)).statusCode).toBe(401);
    expect((await world.api().get(path)).statusCode).toBe(200);
  });
});
