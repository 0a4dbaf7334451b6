import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeJwt, eventsOf, passwordGrant, refresh, userinfo } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { createBrowserApplication, loggedIn } from './every-flow.ts';
import { loginClaims, rule, setRules } from './rules.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(() => setRules(world, []));
afterAll(() => world.stop());

const API = () => world.main.api.identifier;
const login = async (changes: Readonly<Record<string, string>> = {}) =>
  (await passwordGrant(world, { scope: 'openid profile email', ...changes })).json();

describe('claims of rules', () => {
  it('go into ID tokens and access tokens, with a namespace or without', async () => {
    await setRules(world, [
      rule(`context.idToken['https://example.com/a'] = { deep: [1] }; context.idToken.plan = 'gold';
        context.accessToken['https://example.com/b'] = true; context.accessToken.shop = 7;`),
    ]);
    const { id_token, access_token } = await login({ audience: API() });
    expect(decodeJwt(id_token).claims).toMatchObject({ 'https://example.com/a': { deep: [1] }, plan: 'gold' });
    expect(decodeJwt(access_token).claims).toMatchObject({ 'https://example.com/b': true, shop: 7 });
  });

  it('never take the place of what the protocol says: they are left out, and a warning names them', async () => {
    await setRules(world, [
      rule(`for (const name of ['sub', 'iss', 'aud', 'exp', 'azp', 'sid', 'scope', 'permissions', 'cnf', 'gty', 'sip_from',
          'https://auth0.com/x', 'https://sub.auth0.com/x', 'https://webtask.io/x', 'https://AUTH0.com/y'])
        { context.idToken[name] = 'forged'; if (name !== 'scope') context.accessToken[name] = 'forged'; }
        context.idToken['https://notauth0.com/x'] = 'kept';`),
    ]);
    const events = await eventsOf(world, async () => {
      const { id_token, access_token } = await login({ audience: API() });
      for (const token of [id_token, access_token])
        expect(Object.values(decodeJwt(token).claims)).not.toContain('forged');
      expect(decodeJwt(id_token).claims).toMatchObject({ 'https://notauth0.com/x': 'kept' });
    });
    expect(events.find(({ type }) => type === 'w')?.description).toMatch(/tenant code's to set: sub, iss, .*sip_from/);
  });

  it('and __proto__ is no claim', async () => {
    await setRules(world, [
      rule(`Object.defineProperty(context.idToken, '__proto__', { value: { sub: 'forged' }, enumerable: true });
        Object.defineProperty(user, '__proto__', { value: { email: 'forged' }, enumerable: true });`),
    ]);
    expect(await loginClaims(world)).toMatchObject({ email: world.user.email });
  });

  it('end at 100 kB of all together', async () => {
    await setRules(world, [rule(`context.idToken['https://example.com/a'] = 'x'.repeat(99000);`)]);
    expect((await passwordGrant(world, { scope: 'openid' })).statusCode).toBe(200);
    await setRules(world, [rule(`context.idToken['https://example.com/a'] = 'x'.repeat(100001);`)]);
    const response = await passwordGrant(world, { scope: 'openid' });
    expect(response.statusCode).toBe(403);
    expect(response.json()).toEqual({
      error: 'access_denied',
      error_description: 'The login could not be completed: its claims are too large',
    });
  });

  it('of an access token for the Management API are those with a namespace alone', async () => {
    await setRules(world, [
      rule(`context.accessToken.shop = 7; context.accessToken['https://example.com/b'] = 1;
        context.accessToken.scope = ['read:users', 'delete:users', 'read:current_user'];`),
    ]);
    const { access_token } = await login({ audience: world.managementAudience, scope: 'openid read:current_user' });
    const { claims } = decodeJwt(access_token);
    expect(claims).toMatchObject({ 'https://example.com/b': 1, scope: 'read:current_user' });
    expect(claims).not.toHaveProperty('shop');
  });

  it('of an access token for the Management API are left out where they are too large, and a warning says so', async () => {
    await setRules(world, [rule(`context.accessToken['https://example.com/b'] = 'x'.repeat(2_000);`)]);
    let token = '';
    const events = await eventsOf(world, async () => {
      const scope = 'openid read:current_user';
      token = (await login({ audience: world.managementAudience, scope })).access_token;
    });
    expect(events).toMatchObject([
      { type: 'w', description: expect.stringContaining('2000 bytes') },
      { type: 'sepft' },
    ]);
    const { claims } = decodeJwt(token);
    expect(claims).not.toHaveProperty(['https://example.com/b']);
    const path = `/api/v2/users/${encodeURIComponent(String(claims.sub))}?fields=user_id`;
    const response = await world.request({ path, headers: { authorization: `Bearer ${token}` } });
    expect(response.json()).toEqual({ user_id: claims.sub });
  });

  it('end at 16 kB where tokens come in an address: the application is told, and no token is issued', async () => {
    const app = await createBrowserApplication(world);
    const visitor = await loggedIn(world);
    const of = (size: number) =>
      setRules(world, [rule(`context.idToken['https://example.com/a'] = 'x'.repeat(${size});`)]);
    const asked = (more: Record<string, string>) =>
      visitor.authorize(app.at({ response_type: 'id_token', prompt: 'none', ...more }));
    await of(15_000);
    expect((await asked({})).answer?.get('id_token')).toEqual(expect.any(String));
    await of(16_000);
    const events = await eventsOf(world, async () => {
      expect((await asked({})).answer?.get('error_description')).toContain('its claims are too large');
    });
    expect(events).toMatchObject([{ type: 'fsa', details: { reason: expect.stringContaining('16000 bytes') } }]);
    expect((await asked({ response_mode: 'form_post' })).response.body).toContain('name="id_token"');
  });

  it('override what the profile says in the tokens of this login, and at /userinfo', async () => {
    await setRules(world, [
      rule(
        `user.nickname = 'Captain'; user.email_verified = 'yes'; delete user.name; context.idToken.picture = 'https://p.test/1';`,
      ),
    ]);
    const { id_token, access_token } = await login();
    const { claims } = decodeJwt(id_token);
    expect(claims).toMatchObject({ nickname: 'Captain', email_verified: true, picture: 'https://p.test/1' });
    expect(claims).not.toHaveProperty('name');
    expect((await userinfo(world, access_token)).json()).toMatchObject({
      nickname: 'Captain',
      email: world.user.email,
    });
    await setRules(world, []);
    expect((await loginClaims(world)).nickname).not.toBe('Captain');
  });

  it('of an ID token are seen at /userinfo where they have a namespace, with a JWT and with an opaque token', async () => {
    await setRules(world, [rule(`context.idToken['https://example.com/a'] = 1; context.idToken.plan = 'gold';`)]);
    for (const changes of [{}, { audience: API() }]) {
      const told = (await userinfo(world, (await login(changes)).access_token)).json();
      expect(told).toMatchObject({ 'https://example.com/a': 1, email: world.user.email });
      expect(told).not.toHaveProperty('plan');
    }
  });

  it('are made anew at each refresh, and /userinfo follows', async () => {
    const of = (value: number) => [rule(`context.idToken['https://example.com/a'] = ${value};`)];
    await setRules(world, of(1));
    const first = await login({ scope: 'openid offline_access' });
    await setRules(world, of(2));
    const second = (await refresh(world, first.refresh_token)).json();
    expect(decodeJwt(second.id_token).claims['https://example.com/a']).toBe(2);
    expect((await userinfo(world, second.access_token)).json()['https://example.com/a']).toBe(2);
    await setRules(world, []);
    const third = (await refresh(world, second.refresh_token)).json();
    expect((await userinfo(world, third.access_token)).json()).not.toHaveProperty(['https://example.com/a']);
  });
});

describe('context.accessToken.scope', () => {
  it('replaces the scopes of the access token by others of its API, and takes neither ID token nor refresh token away', async () => {
    await setRules(world, [rule(`context.accessToken.scope = ['read:items', 'unknown:scope', 'offline_access'];`)]);
    const tokens = await login({ audience: API(), scope: 'openid profile' });
    expect(decodeJwt(tokens.access_token).claims.scope).toBe('read:items');
    expect(tokens).toMatchObject({ scope: 'read:items', id_token: expect.any(String) });
    expect(tokens).not.toHaveProperty('refresh_token');
    const offline = await login({ audience: API(), scope: 'openid offline_access' });
    expect(offline).toMatchObject({ refresh_token: expect.any(String) });
    expect((await refresh(world, offline.refresh_token)).json()).toMatchObject({ refresh_token: expect.any(String) });
  });
});
