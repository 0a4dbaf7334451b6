import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestUser, decodeJwt, passwordGrant, redeem, refresh } from '../../test/protocol.ts';
import type { Visitor } from '../../test/visitor.ts';
import { startWorld, type World } from '../../test/world.ts';

const HOUR = 3_600_000;

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const isLoggedIn = async (visitor: Visitor) =>
  (await visitor.authorize({ prompt: 'none' })).answer?.get('code') !== null;
const settings = (change: object) => world.api().patch('/tenants/settings', change);

describe('the session cookie', () => {
  it('is a __Host- cookie on https, with a Lax twin, and lasts as long as the session', async () => {
    const visitor = world.visitor();
    const { response } = await visitor.authorize();
    const answer = await visitor.submit(response, { username: world.user.email, password: world.user.password });
    const end = new Date(world.now().getTime() + 168 * HOUR);
    const attributes = { path: '/', httpOnly: true, secure: true, value: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) };
    expect(answer.cookies).toEqual([
      { name: '__Host-gw-dev', sameSite: 'None', expires: expect.any(Date), ...attributes },
      { name: '__Host-gw-dev-lax', sameSite: 'Lax', expires: expect.any(Date), ...attributes },
    ]);
    expect(Math.abs(Number(answer.cookies[0]?.expires) - end.getTime())).toBeLessThan(1_000);
  });

  it('on http has a name of its own for each port, HttpOnly and Lax', async () => {
    const visitor = world.visitor({ ...world.main, origin: 'http://localhost:3000' });
    const begun = await visitor.authorize();
    expect(begun.response.statusCode).toBe(200);
    const answer = await visitor.submit(begun.response, { username: world.user.email, password: world.user.password });
    const [cookie, ...others] = answer.cookies;
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({ name: 'gw-dev-3000', path: '/', httpOnly: true, sameSite: 'Lax' });
    expect(cookie).not.toHaveProperty('secure');
  });

  it('ends with the browser where the tenant says so', async () => {
    await settings({ session_cookie: { mode: 'non-persistent' } });
    const visitor = world.visitor();
    const { response } = await visitor.authorize();
    const answer = await visitor.submit(response, { username: world.user.email, password: world.user.password });
    await settings({ session_cookie: { mode: 'persistent' } });
    expect(answer.cookies[0]).not.toHaveProperty('expires');
  });

  it('counts through its twin alone, where a browser drops the first', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    visitor.cookies.delete('__Host-gw-dev');
    visitor.cookies.delete('__Host-gw-dev-login');
    expect(await isLoggedIn(visitor)).toBe(true);
  });

  it('tossed in under a name without __Host- is not read', async () => {
    const owner = world.visitor();
    await owner.logIn();
    const session = owner.cookies.get('__Host-gw-dev') ?? '';
    for (const name of ['gw-dev', 'gw-dev-3443', '__Secure-gw-dev', '__host-gw-dev', 'auth0', '__Host-gw-other']) {
      const visitor = world.visitor();
      visitor.cookies.set(name, session);
      expect(await isLoggedIn(visitor)).toBe(false);
    }
  });

  it('is not the sid, and the sid opens nothing', async () => {
    const visitor = world.visitor();
    const { sid } = decodeJwt((await redeem(world, await visitor.logIn())).json().id_token).claims;
    const thief = world.visitor();
    thief.cookies.set('__Host-gw-dev', String(sid));
    expect(await isLoggedIn(thief)).toBe(false);
    expect(visitor.cookies.get('__Host-gw-dev')).not.toBe(sid);
  });
});

describe('a session', () => {
  it('has a new cookie after each login: what was planted before, or was there, is worth nothing', async () => {
    const visitor = world.visitor();
    visitor.cookies.set('__Host-gw-dev', 'p'.repeat(43));
    const first = await redeem(world, await visitor.logIn());
    const planted = visitor.cookies.get('__Host-gw-dev') ?? '';
    expect(planted).not.toBe('p'.repeat(43));
    const second = await redeem(world, await visitor.logIn({ parameters: { prompt: 'login' } }));
    const [before, after] = [first, second].map((response) => decodeJwt(response.json().id_token).claims.sid);
    expect(after).toBe(before);
    const thief = world.visitor();
    thief.cookies.set('__Host-gw-dev', planted);
    expect(await isLoggedIn(thief)).toBe(false);
    expect(await isLoggedIn(visitor)).toBe(true);
  });

  it("that an attacker planted does not become the victim's", async () => {
    const attacker = world.visitor();
    await attacker.logIn();
    const victim = world.visitor();
    victim.cookies.set('__Host-gw-dev', attacker.cookies.get('__Host-gw-dev') ?? '');
    const user = await createTestUser(world, 'victim');
    const login = await victim.logIn({
      parameters: { prompt: 'login' },
      username: user.email,
      password: user.password,
    });
    expect(decodeJwt((await redeem(world, login)).json().id_token).claims.sub).toBe(user.id);
    expect(await isLoggedIn(attacker)).toBe(false);
  });

  it('ends when it is not used for 72 hours, and each use starts them anew, up to 168', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    for (const hours of [71, 71]) {
      world.advance(hours * HOUR);
      expect(await isLoggedIn(visitor)).toBe(true);
    }
    world.advance(25 * HOUR);
    expect(await isLoggedIn(visitor)).toBe(true);
    world.advance(HOUR);
    expect(await isLoggedIn(visitor)).toBe(false);
    const idle = world.visitor();
    await idle.logIn();
    world.advance(72 * HOUR);
    expect(await isLoggedIn(idle)).toBe(false);
  });

  it('feels shorter settings at once and longer ones not at all', async () => {
    const visitors = [world.visitor(), world.visitor(), world.visitor()] as const;
    const [absolute, idle, longer] = visitors;
    for (const visitor of visitors) await visitor.logIn();
    world.advance(2 * HOUR);
    await settings({ session_lifetime: 1, idle_session_lifetime: 1 });
    expect(await isLoggedIn(absolute)).toBe(false);
    await settings({ session_lifetime: 168, idle_session_lifetime: 1 });
    expect(await isLoggedIn(idle)).toBe(false);
    await settings({ session_lifetime: 500, idle_session_lifetime: 400 });
    expect(await isLoggedIn(longer)).toBe(true);
    world.advance(72 * HOUR);
    expect(await isLoggedIn(longer)).toBe(false);
    await settings({ session_lifetime: 168, idle_session_lifetime: 72 });
  });

  it('ends with a new password, a new address, a block or a deletion, as its refresh tokens do', async () => {
    const changes: [string, object | undefined][] = [
      ['password', { password: 'Another-horse-9', connection: world.connection }],
      ['address', { email: 'renamed@example.org', connection: world.connection }],
      ['block', { blocked: true }],
      ['deletion', undefined],
    ];
    for (const [name, change] of changes) {
      const user = await createTestUser(world, `ends-by-${name}`);
      const visitor = world.visitor();
      const tokens = (
        await redeem(world, await visitor.logIn({ username: user.email, password: user.password }))
      ).json();
      expect(await isLoggedIn(visitor)).toBe(true);
      if (change) await world.api().patch(`/users/${user.id}`, change);
      else await world.api().delete(`/users/${user.id}`);
      expect(await isLoggedIn(visitor)).toBe(false);
      const spa = { client_id: world.spa_client.client_id, client_secret: undefined };
      expect((await refresh(world, tokens.refresh_token, spa)).statusCode).toBe(403);
    }
  });

  it('can be begun again with a password that was just changed', async () => {
    const user = await createTestUser(world, 'changed');
    const password = 'Another-horse-9';
    await world.api().patch(`/users/${user.id}`, { password, connection: world.connection });
    const visitor = world.visitor();
    await visitor.logIn({ username: user.email, password });
    expect(await isLoggedIn(visitor)).toBe(true);
    const byPassword = await passwordGrant(world, { username: user.email, password });
    expect(byPassword.statusCode).toBe(200);
  });

  it('of one tenant is none at another', async () => {
    const other = await world.createTenant('other');
    const visitor = world.visitor();
    await visitor.logIn();
    const stranger = world.visitor(other);
    for (const [name, value] of visitor.cookies) stranger.cookies.set(name.replace('gw-dev', 'gw-other'), value);
    expect(await isLoggedIn(stranger)).toBe(false);
  });
});
