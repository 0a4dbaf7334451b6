import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestUser, decodeJwt, eventsOf, passwordGrant, redeem, refresh } from '../protocol.ts';
import type { Visitor } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';
import { action, setActions } from './actions.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(() => postLogin());
afterAll(() => world.stop());

const postLogin = (...bodies: string[]) =>
  setActions(
    world,
    'post-login',
    bodies.map((body) => action('onExecutePostLogin', body)),
  );
const inMs = (milliseconds: number) => world.now().getTime() + milliseconds;
const iso = (moment: number) => new Date(moment).toISOString();
const isLoggedIn = async (visitor: Visitor) =>
  (await visitor.authorize({ prompt: 'none' })).answer?.get('code') !== null;

/** A browser's login as somebody new, its session as the Management API shows it, and its tokens. */
async function logIn(name: string) {
  const user = await createTestUser(world, name);
  const visitor = world.visitor();
  const login = await visitor.logIn({ username: user.email, password: user.password });
  const session = async () => (await world.api().get(`/users/${user.id}/sessions`)).json().sessions[0];
  return { user, visitor, login, session, tokens: (await redeem(world, login)).json() };
}

const spa = () => ({ client_id: world.spa_client.client_id, client_secret: undefined });
const tokenOf = async (userId: string) => (await world.api().get(`/users/${userId}/refresh-tokens`)).json().tokens[0];

describe('api.session of an action', () => {
  it('ends a session at its time: the earliest that was set, and never later than the tenant lets it last', async () => {
    const soon = inMs(HOUR);
    await postLogin(`api.session.setExpiresAt(${inMs(2 * HOUR)}); api.session.setExpiresAt(${soon});`);
    const { visitor, session } = await logIn('ending');
    expect(await session()).toMatchObject({ expires_at: iso(soon), idle_expires_at: iso(soon) });
    await postLogin(`api.session.setExpiresAt(${inMs(1_000 * DAY)});`);
    expect(await isLoggedIn(visitor)).toBe(true);
    const { authenticated_at, expires_at } = await session();
    expect(Date.parse(expires_at) - Date.parse(authenticated_at)).toBe(7 * DAY);
    await postLogin(`api.session.setExpiresAt(${soon});`);
    expect(await isLoggedIn(visitor)).toBe(true);
    await postLogin();
    world.advance(HOUR);
    expect(await isLoggedIn(visitor)).toBe(false);
  });

  it('is not undone by a login of another application at the same time', async () => {
    const { visitor, session } = await logIn('parallel');
    const soon = inMs(HOUR);
    await postLogin(`if (event.transaction.state === 'ends') api.session.setExpiresAt(${soon});`);
    const ending = visitor.authorize({ prompt: 'none', state: 'ends' });
    await Promise.all([ending, visitor.authorize({ prompt: 'none' }), visitor.authorize({ prompt: 'none' })]);
    expect((await session()).expires_at).toBe(iso(soon));
  });

  it('lets it idle for as long as it says, once: the next use has the time of the tenant again', async () => {
    await postLogin(`api.session.setIdleExpiresAt(${inMs(15 * MINUTE)});`);
    const { visitor, session } = await logIn('idle');
    expect((await session()).idle_expires_at).toBe(iso(inMs(15 * MINUTE)));
    await postLogin();
    world.advance(10 * MINUTE);
    expect(await isLoggedIn(visitor)).toBe(true);
    const { idle_expires_at, updated_at } = await session();
    expect(Date.parse(idle_expires_at) - Date.parse(updated_at)).toBe(3 * DAY);
    // Longer than the tenant's own time as well, within that of the session.
    await postLogin(`api.session.setIdleExpiresAt(${inMs(5 * DAY)});`);
    expect(await isLoggedIn(visitor)).toBe(true);
    await postLogin();
    world.advance(4 * DAY);
    expect((await session()).idle_expires_at).toBe(iso(inMs(DAY)));
    expect(await isLoggedIn(visitor)).toBe(true);
    await postLogin(`api.session.setIdleExpiresAt(${inMs(MINUTE)});`);
    expect(await isLoggedIn(visitor)).toBe(true);
    world.advance(MINUTE);
    expect(await isLoggedIn(visitor)).toBe(false);
  });

  it('chooses whether the browser keeps the cookie, and gives it anew', async () => {
    await postLogin(`api.session.setCookieMode('persistent').session.setCookieMode('non-persistent');`);
    const { login, session } = await logIn('cookie');
    const [cookie] = login.response.cookies.filter(({ name }) => name === '__Host-gw-dev');
    expect(cookie).toMatchObject({ value: expect.stringMatching(/^.{43}$/), httpOnly: true, sameSite: 'None' });
    expect(cookie).not.toHaveProperty('expires');
    expect(await session()).toMatchObject({ cookie: { mode: 'non-persistent' } });
    const { authenticated_at, expires_at } = await session();
    expect(Date.parse(expires_at) - Date.parse(authenticated_at)).toBe(3 * DAY);
  });

  it('tells an action when the session began and ends', async () => {
    await postLogin(`api.idToken.setCustomClaim('session', event.session);`);
    const { user, tokens, session } = await logIn('told');
    const { clients: _clients, authentication: _methods, ...shown } = await session();
    expect(decodeJwt(tokens.id_token).claims.session).toEqual({
      ...shown,
      clients: [],
      metadata: {},
      user_id: user.id,
    });
  });

  it('ends the session after whoever ends all access of its user: neither waits for the other in a circle', async () => {
    const { user, visitor } = await logIn('locked');
    await postLogin(`api.user.setAppMetadata('a', 1); api.session.setMetadata('b', '2'); api.session.revoke('Over.');`);
    const other = await world.database.pool.connect();
    try {
      await other.query('begin');
      await other.query(`select from users where user_id = $1 for update`, [user.id]);
      const silent = visitor.authorize({ prompt: 'none' });
      const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await expect.poll(async () => (await world.database.pool.query(waiting)).rowCount).toBe(1);
      await other.query(`update sessions set updated_at = updated_at where user_id = $1`, [user.id]);
      await other.query('commit');
      expect((await silent).answer?.get('error_description')).toBe('Over.');
    } finally {
      other.release(true);
    }
    expect((await world.api().get(`/users/${user.id}`)).json()).toMatchObject({ app_metadata: { a: 1 } });
  });
});

describe('api.refreshToken of an action', () => {
  it('ends the token that a code brings, and those after it, within the settings of the application', async () => {
    await postLogin(
      `api.refreshToken.setExpiresAt(${inMs(HOUR)}); api.refreshToken.setIdleExpiresAt(${inMs(2 * HOUR)});
       api.refreshToken.setMetadata('device', 'phone'); api.refreshToken.setMetadata('gone', 'x'); api.refreshToken.deleteMetadata('gone');`,
    );
    const { user, tokens } = await logIn('refreshing');
    expect(await tokenOf(user.id)).toMatchObject({
      expires_at: iso(inMs(HOUR)),
      idle_expires_at: iso(inMs(HOUR)),
      refresh_token_metadata: { device: 'phone' },
    });
    await postLogin(`if (event.refresh_token) api.refreshToken.setExpiresAt(${inMs(1_000 * DAY)});
      api.refreshToken.setMetadata('seen', event.refresh_token.metadata.device);`);
    const second = (await refresh(world, tokens.refresh_token, spa())).json();
    const { created_at, expires_at, refresh_token_metadata } = await tokenOf(user.id);
    expect(refresh_token_metadata).toEqual({ device: 'phone', seen: 'phone' });
    expect(Math.abs(Date.parse(expires_at) - Date.parse(created_at) - 30 * DAY)).toBeLessThan(MINUTE);
    await postLogin(`api.refreshToken.evictMetadata(); api.refreshToken.setExpiresAt(${inMs(MINUTE)});`);
    const third = (await refresh(world, second.refresh_token, spa())).json();
    expect(await tokenOf(user.id)).not.toHaveProperty('refresh_token_metadata');
    await postLogin();
    const fourth = (await refresh(world, third.refresh_token, spa())).json();
    world.advance(MINUTE);
    expect((await refresh(world, fourth.refresh_token, spa())).json().error).toBe('invalid_grant');
  });

  it('does so for one that does not rotate, and for one of the password grant', async () => {
    const user = await createTestUser(world, 'steady');
    const { client_id } = world.password_client;
    await world.api().patch(`/clients/${client_id}`, {
      refresh_token: { rotation_type: 'non-rotating', expiration_type: 'expiring', token_lifetime: 2_592_000 },
    });
    const end = inMs(HOUR);
    await postLogin(`api.refreshToken.setExpiresAt(${end}); api.refreshToken.setMetadata('of', 'a password');`);
    const credentials = { username: user.email, password: user.password, scope: 'openid offline_access' };
    const { refresh_token } = (await passwordGrant(world, credentials)).json();
    expect(await tokenOf(user.id)).toMatchObject({
      expires_at: iso(end),
      refresh_token_metadata: { of: 'a password' },
    });
    const sooner = inMs(10 * MINUTE);
    await postLogin(`api.refreshToken.setExpiresAt(${sooner}); api.refreshToken.setMetadata('of', null);`);
    expect((await refresh(world, refresh_token)).statusCode).toBe(200);
    await postLogin();
    expect((await refresh(world, refresh_token)).statusCode).toBe(200);
    expect((await tokenOf(user.id)).expires_at).toBe(iso(sooner));
    world.advance(10 * MINUTE);
    expect((await refresh(world, refresh_token)).json().error).toBe('invalid_grant');
  });

  it('carries no more than 25 notes, however many refreshes add some', async () => {
    await postLogin(`for (let i = 0; i < 20; i++) api.refreshToken.setMetadata('first-' + i, 'x');`);
    const { user, tokens } = await logIn('noting');
    await postLogin(`for (let i = 0; i < 20; i++) api.refreshToken.setMetadata('second-' + i, 'x');`);
    expect((await refresh(world, tokens.refresh_token, spa())).statusCode).toBe(200);
    const { refresh_token_metadata } = await tokenOf(user.id);
    expect(Object.keys(refresh_token_metadata)).toHaveLength(20);
    expect(refresh_token_metadata).toHaveProperty('first-0');
  });

  it('revokes it, with the event of a revocation, and nothing runs after that', async () => {
    const { user, tokens } = await logIn('revoked');
    await postLogin(`api.refreshToken.revoke('Stolen.');`, `api.user.setAppMetadata('ran', true);`);
    const events = await eventsOf(world, async () => {
      const refused = await refresh(world, tokens.refresh_token, spa());
      expect([refused.statusCode, refused.json().error_description]).toEqual([403, 'Stolen.']);
    });
    expect(events.map(({ type }) => type)).toContain('srrt');
    await postLogin();
    expect((await refresh(world, tokens.refresh_token, spa())).json().error).toBe('invalid_grant');
    expect((await world.api().get(`/users/${user.id}`)).json()).not.toHaveProperty('app_metadata.ran');
  });
});

describe('what has no effect', () => {
  it('is a warning that names the action, and what later actions refuse stays refused', async () => {
    await postLogin(
      `api.prompt.render('ap_form'); api.samlResponse.setAudience('x'); api.authentication.recordMethod('https://example.com');`,
      `api.access.deny('Not from here.');`,
    );
    const events = await eventsOf(world, async () => {
      expect((await passwordGrant(world)).json().error_description).toBe('Not from here.');
    });
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'w',
        description: expect.stringMatching(
          /^action \d+ asked for what has no effect here: prompt\.render, samlResponse\.setAudience, authentication\.recordMethod$/,
        ),
      }),
    );
  });

  it('is a moment or a mode that is none: the author is told in the line that asks for it', async () => {
    for (const [body, message] of [
      [`api.session.setExpiresAt('tomorrow');`, 'milliseconds since 1970'],
      [`api.session.setCookieMode('sticky');`, 'non-persistent'],
    ] as const) {
      await postLogin(body);
      const events = await eventsOf(world, () => passwordGrant(world));
      expect(events[0]).toMatchObject({
        type: 'actions_execution_failed',
        description: expect.stringContaining(message),
      });
    }
  });

  it('is a wish after the end of its action: the log tells it with the action', async () => {
    await postLogin(
      `setTimeout(() => api.access.deny('late'), 5);`,
      `await new Promise((done) => setTimeout(done, 100));`,
    );
    const events = await eventsOf(world, async () => expect((await passwordGrant(world)).statusCode).toBe(200));
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'w',
        description: expect.stringMatching(/^api\.access\.deny was called after action \d+ had ended/),
        details: expect.objectContaining({ warning: 'called_late', trigger_id: 'post-login' }),
      }),
    );
  });
});
