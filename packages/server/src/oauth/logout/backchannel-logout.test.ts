import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ALL, type ListeningApplication, startListeningApplication } from '../../../test/listening-application.ts';
import { created, createTestClient, createTestUser, decodeJwt, eventsOf, userinfo } from '../../../test/protocol.ts';
import { CALLBACK } from '../../../test/visitor.ts';
import type { World } from '../../../test/world.ts';

let application: ListeningApplication;
let world: World;
beforeAll(async () => {
  application = await startListeningApplication();
  world = application.world;
});
afterAll(() => application.stop());
beforeEach(() => application.reset());

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

describe('back-channel logout', () => {
  it('tells each application of the session, with a logout token, and records it', async () => {
    const client = await application.listening();
    const silent = await createTestClient(world, { callbacks: [CALLBACK], app_type: 'regular_web' });
    const { user, visitor, sid } = await application.logIn(client);
    await visitor.logIn({ parameters: { client_id: silent.client_id } });
    const events = await eventsOf(world, async () => {
      await visitor.get('/v2/logout');
      expect(application.received).toEqual([]);
      await application.deliver();
    });
    expect(application.received.map(({ type }) => type)).toEqual(['application/x-www-form-urlencoded']);
    const claims = await verified(application.received[0]?.token ?? '', client.client_id);
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
    await application.deliver();
    expect(application.received.length).toBe(1);
  });

  it('needs nobody who asks for it', async () => {
    const { visitor } = await application.logIn(await application.listening());
    await visitor.get('/v2/logout');
    world.app.logouts.start();
    await vi.waitFor(() => expect(application.received.length).toBe(1), 60_000);
    await world.app.logouts.stop();
  });

  it("names the issuer of the application's own tokens", async () => {
    const client = await application.listening();
    const visitor = world.visitor({ ...world.main, origin: 'http://localhost:3000' });
    await application.logIn(client, visitor);
    await visitor.get('/v2/logout');
    await application.deliver();
    expect(decodeJwt(application.received[0]?.token).claims.iss).toBe('http://localhost:3000/');
  });

  const ends: [string, (login: Awaited<ReturnType<ListeningApplication['logIn']>>) => Promise<unknown>][] = [
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
    const chosen = await application.listening({ mode: 'custom', selected_initiators: [initiator] });
    const everything = await application.listening(ALL);
    const other = await application.listening({ mode: 'custom', selected_initiators: ['idp-logout'] });
    const login = await application.logIn(chosen);
    for (const { client_id } of [everything, other]) await login.visitor.logIn({ parameters: { client_id } });
    await end(login);
    await application.deliver();
    expect(application.received.map(({ token }) => decodeJwt(token).claims.aud).toSorted()).toEqual(
      [chosen.client_id, everything.client_id].toSorted(),
    );
    expect(application.received.every(({ token }) => decodeJwt(token).claims.sid === login.sid)).toBe(true);
  });

  it('hears of logouts alone where a client says nothing', async () => {
    const login = await application.logIn(await application.listening());
    await world.api().delete(`/sessions/${login.sid}`);
    await application.deliver();
    expect(application.received).toEqual([]);
  });

  it("carries the session's metadata to clients that asked for it", async () => {
    const client = await application.listening(ALL, { backchannel_logout_session_metadata: { include: true } });
    const { sid } = await application.logIn(client);
    await world.api().patch(`/sessions/${sid}`, { session_metadata: { tier: 'gold' } });
    await world.api().delete(`/sessions/${sid}`);
    await application.deliver();
    expect(decodeJwt(application.received[0]?.token).claims.session_metadata).toEqual({ tier: 'gold' });
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
    const client = await application.listening(ALL);
    const alone = await application.logIn(client);
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
    await application.deliver();
    const sids = application.received.map(({ token }) => decodeJwt(token).claims.sid).toSorted();
    expect(sids).toEqual(expect.arrayContaining([alone.sid, String(decodeJwt(id_token).claims.sid)]));
    expect((await world.api().get(`${path}/sessions`)).json().sessions).toEqual([]);
    expect((await userinfo(world, access_token)).statusCode).toBe(401);
    expect((await world.api().get(path)).statusCode).toBe(200);
  });
});
