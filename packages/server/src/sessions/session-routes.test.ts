import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, createTestUser, decodeJwt, redeem, refresh } from '../../test/protocol.ts';
import { startWorld, type World } from '../../test/world.ts';

const HOUR = 3_600_000;

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

let serial = 0;

/** A user who is logged in with one browser. */
async function loggedIn(user?: { id: string; email: string; password: string }) {
  const person = user ?? (await createTestUser(world, `person-${++serial}`));
  const visitor = world.visitor();
  const login = { username: person.email, password: person.password };
  const tokens = (await redeem(world, await visitor.logIn(login))).json();
  const sid = String(decodeJwt(tokens.id_token).claims.sid);
  const userPath = `/users/${encodeURIComponent(person.id)}`;
  return { person, userPath, visitor, sid, path: `/sessions/${sid}`, refreshToken: String(tokens.refresh_token) };
}

type Login = Awaited<ReturnType<typeof loggedIn>>;
const isLoggedIn = async ({ visitor }: Login) =>
  (await visitor.authorize({ prompt: 'none' })).answer?.get('code') !== null;
const refreshes = async ({ refreshToken }: Login) =>
  (await refresh(world, refreshToken, { client_id: world.spa_client.client_id, client_secret: undefined }))
    .statusCode === 200;

describe('GET /api/v2/sessions/{id}', () => {
  it('shows the session whose id is the sid of its tokens', async () => {
    const { person, sid, path } = await loggedIn();
    const now = world.now();
    const hours = (count: number) => new Date(now.getTime() + count * HOUR).toISOString();
    expect(await answer(world.api('read:sessions').get(path))).toEqual({
      status: 200,
      body: {
        id: sid,
        user_id: person.id,
        created_at: now.toISOString(),
        updated_at: now.toISOString(),
        authenticated_at: now.toISOString(),
        last_interacted_at: now.toISOString(),
        idle_expires_at: hours(72),
        expires_at: hours(168),
        device: {
          initial_ip: '127.0.0.1',
          initial_user_agent: 'lightMyRequest',
          last_ip: '127.0.0.1',
          last_user_agent: 'lightMyRequest',
        },
        clients: [{ client_id: world.spa_client.client_id }],
        authentication: { methods: [{ name: 'pwd', timestamp: now.toISOString() }] },
        cookie: { mode: 'persistent' },
      },
    });
  });

  it('tells who used it last, and how long it still lasts', async () => {
    const login = await loggedIn();
    world.advance(HOUR);
    await login.visitor.authorize({ prompt: 'none' });
    const session = (await world.api().get(login.path)).json();
    expect(session.last_interacted_at).toBe(world.now().toISOString());
    expect(session.idle_expires_at).toBe(new Date(world.now().getTime() + 72 * HOUR).toISOString());
    await world.api().patch('/tenants/settings', { session_lifetime: 2 });
    const shortened = (await world.api().get(login.path)).json();
    await world.api().patch('/tenants/settings', { session_lifetime: 168 });
    expect(shortened.expires_at).toBe(new Date(world.now().getTime() + HOUR).toISOString());
    expect(shortened.idle_expires_at).toBe(shortened.expires_at);
  });

  it('knows no session that has ended, that never was, or of an administrator', async () => {
    const login = await loggedIn();
    world.advance(72 * HOUR);
    const expected = {
      status: 404,
      body: expect.objectContaining({ errorCode: 'inexistent_session', message: 'The session does not exist.' }),
    };
    for (const path of [login.path, '/sessions/nothing', '/sessions/%25']) {
      expect(await answer(world.api().get(path))).toEqual(expected);
    }
    const admin = await loggedIn();
    await world.database.pool.query('update users set is_system = true where user_id = $1', [admin.person.id]);
    expect(await answer(world.api().get(admin.path))).toEqual(expected);
    await world.api().delete(admin.path);
    const { rows } = await world.database.pool.query('select from sessions where session_id = $1', [admin.sid]);
    expect(rows.length).toBe(1);
  });
});

describe('PATCH /api/v2/sessions/{id}', () => {
  it('replaces the metadata, empties it with null, and changes nothing else', async () => {
    const { path } = await loggedIn();
    const api = world.api('update:sessions', 'read:sessions');
    const before = (await api.get(path)).json();
    const changed = await api.patch(path, { session_metadata: { plan: 'gold', nested: { a: [1] } } });
    expect(changed.json()).toEqual({ ...before, session_metadata: { plan: 'gold', nested: { a: [1] } } });
    expect((await api.patch(path, { session_metadata: { other: 1 } })).json().session_metadata).toEqual({ other: 1 });
    expect((await api.patch(path, {})).json().session_metadata).toEqual({ other: 1 });
    expect((await api.patch(path, { session_metadata: null })).json()).toEqual(before);
  });

  it.each([
    ['the user', { user_id: 'auth0|other' }],
    ['the expiry', { expires_at: '2099-01-01T00:00:00.000Z' }],
    ['too many members', { session_metadata: Object.fromEntries([...Array(26).keys()].map((n) => [n, n])) }],
    ['too much', { session_metadata: { text: 'x'.repeat(17_000) } }],
    ['a text', { session_metadata: 'text' }],
  ])('refuses to set %s', async (_what, body) => {
    const { path } = await loggedIn();
    expect(await answer(world.api().patch(path, body))).toMatchObject({
      status: 400,
      body: { errorCode: 'invalid_body' },
    });
  });
});

describe('ending sessions', () => {
  it('DELETE /sessions/{id} ends the session and leaves refresh tokens alone', async () => {
    const login = await loggedIn();
    const other = await loggedIn(login.person);
    expect(await answer(world.api('delete:sessions').delete(login.path))).toEqual({ status: 202, body: {} });
    expect([await isLoggedIn(login), await isLoggedIn(other)]).toEqual([false, true]);
    expect(await refreshes(login)).toBe(true);
    expect((await world.api().delete(login.path)).statusCode).toBe(202);
  });

  it('POST /sessions/{id}/revoke ends the session with its refresh tokens', async () => {
    const login = await loggedIn();
    const other = await loggedIn(login.person);
    expect(await answer(world.api('delete:sessions').post(`${login.path}/revoke`))).toEqual({ status: 202, body: {} });
    expect([await isLoggedIn(login), await refreshes(login)]).toEqual([false, false]);
    expect([await isLoggedIn(other), await refreshes(other)]).toEqual([true, true]);
    expect((await world.api().post(`${login.path}/revoke`)).statusCode).toBe(404);
  });

  it('DELETE /users/{user_id}/sessions ends all sessions of one user', async () => {
    const login = await loggedIn();
    const second = await loggedIn(login.person);
    const stranger = await loggedIn();
    const path = `/users/${encodeURIComponent(login.person.id)}/sessions`;
    expect(await answer(world.api().delete(path))).toEqual({ status: 202, body: {} });
    expect([await isLoggedIn(login), await isLoggedIn(second), await isLoggedIn(stranger)]).toEqual([
      false,
      false,
      true,
    ]);
    expect((await world.api().get(path)).json()).toEqual({ sessions: [] });
  });

  it.each([
    ['everything', {}, false, [false, false, false]],
    ['the sessions alone', { preserve_refresh_tokens: true }, false, [false, true, true]],
    ['one session and what came of it', {}, true, [false, false, true]],
    ['one session alone', { preserve_refresh_tokens: true }, true, [false, true, true]],
  ])('POST /users/{id}/revoke-access ends %s', async (_what, body, isOne, expected) => {
    const login = await loggedIn();
    const second = await loggedIn(login.person);
    const path = `/users/${encodeURIComponent(login.person.id)}/revoke-access`;
    const asked = { ...body, ...(isOne && { session_id: login.sid }) };
    expect(await answer(world.api().post(path, asked))).toEqual({ status: 202, body: {} });
    expect([await isLoggedIn(login), await refreshes(login), await refreshes(second)]).toEqual(expected);
    expect(await isLoggedIn(second)).toBe(isOne);
  });

  it.each<[string, (login: Login) => Promise<unknown>]>([
    ['DELETE /sessions/{id}', ({ path }) => world.api().delete(path)],
    ['POST /sessions/{id}/revoke', ({ path }) => world.api().post(`${path}/revoke`)],
    ['DELETE /users/{user_id}/sessions', ({ userPath }) => world.api().delete(`${userPath}/sessions`)],
    ['POST /users/{id}/revoke-access', ({ userPath }) => world.api().post(`${userPath}/revoke-access`, {})],
    [
      'POST /users/{id}/revoke-access, which leaves refresh tokens alone,',
      ({ userPath }) => world.api().post(`${userPath}/revoke-access`, { preserve_refresh_tokens: true }),
    ],
    [
      'POST /users/{id}/revoke-access for the session',
      ({ userPath, sid: session_id }) =>
        world.api().post(`${userPath}/revoke-access`, { session_id, preserve_refresh_tokens: true }),
    ],
  ])('%s ends a code that no application has redeemed yet', async (_what, end) => {
    const login = await loggedIn();
    const pending = await login.visitor.authorize();
    const code = pending.answer?.get('code') ?? '';
    await end(login);
    expect((await redeem(world, { ...pending, code })).json()).toMatchObject({ error: 'invalid_grant' });
  });

  it("ends no other user's session by the id of one's own", async () => {
    const login = await loggedIn();
    const victim = await loggedIn();
    const path = `/users/${encodeURIComponent(login.person.id)}/revoke-access`;
    expect((await world.api().post(path, { session_id: victim.sid })).statusCode).toBe(202);
    expect([await isLoggedIn(victim), await refreshes(victim)]).toEqual([true, true]);
  });
});

describe('GET /api/v2/users/{user_id}/sessions', () => {
  it('walks through the living sessions by checkpoint', async () => {
    const login = await loggedIn();
    const sids = [login.sid, (await loggedIn(login.person)).sid, (await loggedIn(login.person)).sid];
    const path = `/users/${encodeURIComponent(login.person.id)}/sessions`;
    const first = (await world.api().get(`${path}?take=2`)).json();
    const rest = (await world.api().get(`${path}?take=2&from=${first.next}`)).json();
    expect([first.sessions.length, rest.sessions.length, rest.next]).toEqual([2, 1, undefined]);
    const seen = [...first.sessions, ...rest.sessions].map(({ id }) => id);
    expect(seen.toSorted()).toEqual(sids.toSorted());
    expect((await world.api().get('/users/auth0%7Cnobody/sessions')).statusCode).toBe(404);
  });

  it('refuses a token without its scope', async () => {
    const login = await loggedIn();
    const asked = [
      world.api('read:users').get(login.path),
      world.api('read:sessions').delete(login.path),
      world.api('read:sessions').patch(login.path, {}),
      world.api('read:sessions').post(`/users/${login.person.id}/revoke-access`, {}),
    ];
    for (const response of asked) expect((await response).statusCode).toBe(403);
    expect(await isLoggedIn(login)).toBe(true);
  });
});

describe('an ephemeral session', () => {
  it('keeps the mode and the lifetimes that it began with, whatever the tenant says later', async () => {
    await world.api().patch('/tenants/settings', {
      session_cookie: { mode: 'non-persistent' },
      ephemeral_session_lifetime: 5,
      idle_ephemeral_session_lifetime_in_minutes: 90,
    });
    const login = await loggedIn();
    const begun = world.now().getTime();
    await world.api().patch('/tenants/settings', { session_cookie: { mode: 'persistent' } });
    expect((await world.api().get(login.path)).json()).toMatchObject({
      cookie: { mode: 'non-persistent' },
      expires_at: new Date(begun + 5 * HOUR).toISOString(),
      idle_expires_at: new Date(begun + 1.5 * HOUR).toISOString(),
    });
    world.advance(1.4 * HOUR);
    expect(await isLoggedIn(login)).toBe(true);
    world.advance(1.5 * HOUR);
    expect(await isLoggedIn(login)).toBe(false);
  });
});
