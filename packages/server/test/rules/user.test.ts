import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { created, createTestUser, decodeJwt, eventsOf, passwordGrant, redeem } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { loginClaims, rule, seenByRules, setRules } from './rules.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(() => setRules(world, []));
afterAll(() => world.stop());

const SEEN = 'https://example.com/seen';

describe('user', () => {
  it('RUL.32: is a copy that costs no call of the Management API', async () => {
    const { rows } = await world.database.pool.query(
      "select count(*)::int as n from log_events where type in ('sapi', 'mgmt_api_read')",
    );
    expect(await seenByRules(world, 'user.email')).toBe(world.user.email);
    const { rows: after } = await world.database.pool.query(
      "select count(*)::int as n from log_events where type in ('sapi', 'mgmt_api_read')",
    );
    // The rule itself was made over it.
    expect(after[0].n - rows[0].n).toBeLessThanOrEqual(2);
  });

  it('RUL.33: changes are seen by later rules, and are kept nowhere', async () => {
    await setRules(world, [
      rule(`user.seen_before = user.marker; user.marker = 1; user.app_metadata = { role: 'admin' };`),
      rule(`context.idToken['${SEEN}'] = [user.marker, user.app_metadata.role, user.seen_before === undefined];`),
    ]);
    expect((await loginClaims(world))[SEEN]).toEqual([1, 'admin', true]);
    expect((await loginClaims(world))[SEEN]).toEqual([1, 'admin', true]);
    const [user] = (await world.api().get(`/users-by-email?email=${world.user.email}`)).json();
    expect(user).not.toHaveProperty('app_metadata');
  });

  it('RUL.34: what the auth0 object writes persists', async () => {
    const ada = await createTestUser(world, 'ada');
    await setRules(world, [
      `function (user, context, callback) {
        auth0.users.updateAppMetadata(user.user_id, { plan: 'gold' })
          .then(() => auth0.users.get({ id: user.user_id }))
          .then((stored) => { context.idToken['${SEEN}'] = [stored.app_metadata.plan, auth0.domain]; callback(null, user, context); })
          .catch(callback);
      }`,
    ]);
    const claims = await loginClaims(world, { username: ada.email, password: ada.password });
    expect(claims[SEEN]).toEqual(['gold', 'localhost:3443']);
    expect((await world.api().get(`/users/${ada.id}`)).json()).toMatchObject({ app_metadata: { plan: 'gold' } });
  });

  it('RUL.34: the token of the auth0 object is for users alone, and for a moment', async () => {
    const token = String(await seenByRules(world, 'auth0.accessToken'));
    const { claims } = decodeJwt(token);
    expect(claims).toMatchObject({ scope: 'read:users update:users', aud: world.managementAudience });
    expect(Number(claims.exp) - Number(claims.iat)).toBeLessThanOrEqual(40);
    const ask = (path: string, method: 'GET' | 'DELETE' = 'GET') =>
      world.request({ path: `/api/v2${path}`, method, headers: { authorization: `Bearer ${token}` } });
    expect((await ask('/users')).statusCode).toBe(200);
    expect((await ask('/clients')).statusCode).toBe(403);
    expect((await ask(`/users/${encodeURIComponent('auth0|1')}`, 'DELETE')).statusCode).toBe(403);
    world.advance(41_000);
    expect((await ask('/users')).statusCode).toBe(401);
  });

  it('RUL.36–38: primaryUser is the user at first, and accounts that a rule links give tokens of the one that remains', async () => {
    expect(await seenByRules(world, 'context.primaryUser === user.user_id')).toBe(true);
    const primary = await createTestUser(world, 'primary');
    const second = await createTestUser(world, 'second');
    await setRules(world, [
      `function (user, context, callback) {
        const request = require('request');
        if (user.email !== '${second.email}') return callback(null, user, context);
        request.post({
          url: auth0.baseUrl + '/users/' + encodeURIComponent('${primary.id}') + '/identities',
          headers: { authorization: 'Bearer ' + auth0.accessToken },
          json: { provider: 'auth0', user_id: user.user_id.split('|')[1] },
        }, (error, response) => {
          if (error || response.statusCode >= 300) return callback(error || new Error('status ' + response.statusCode));
          context.primaryUser = '${primary.id}';
          callback(null, user, context);
        });
      }`,
      rule(`context.idToken['${SEEN}'] = user.email;`),
    ]);
    const visitor = world.visitor();
    const login = await visitor.logIn({ username: second.email, password: second.password });
    const { claims } = decodeJwt((await redeem(world, login)).json().id_token);
    // Later rules of this run still see the user who logged in.
    expect(claims).toMatchObject({ sub: primary.id, [SEEN]: second.email });
    const silent = await visitor.authorize({ prompt: 'none' });
    expect(silent.answer?.get('code')).toEqual(expect.any(String));
    const again = (
      await passwordGrant(world, { username: second.email, password: second.password, scope: 'openid' })
    ).json();
    expect(decodeJwt(again.id_token).claims.sub).toBe(primary.id);
  });

  it('RUL.36–38: the tokens of a user whose identity nobody used are not to be had', async () => {
    const victim = await createTestUser(world, 'victim');
    await setRules(world, [rule(`context.primaryUser = '${victim.id}';`)]);
    const events = await eventsOf(world, async () => expect((await passwordGrant(world)).statusCode).toBe(403));
    expect(events).toMatchObject([{ type: 'fepft', details: { primary_user: victim.id } }]);
    await setRules(world, [rule(`context.primaryUser = 'auth0|nobody';`)]);
    expect((await passwordGrant(world)).statusCode).toBe(403);
  });

  it('RUL.39–40: identities say where a user comes from, and the id there is no part of the id here', async () => {
    const api = world.api();
    const first = await createTestUser(world, 'first-identity');
    const other = await createTestUser(world, 'other-identity');
    const [, otherId = ''] = other.id.split('|');
    await created(api.post(`/users/${first.id}/identities`, { provider: 'auth0', user_id: otherId }));
    await setRules(world, [rule(`context.idToken['${SEEN}'] = user;`)]);
    const seen = Object((await loginClaims(world, { username: first.email, password: first.password }))[SEEN]);
    const stored = (await api.get(`/users/${first.id}`)).json();
    expect(seen).toMatchObject({
      user_id: first.id,
      email: first.email,
      created_at: stored.created_at,
      blocked: false,
    });
    expect(seen.identities).toEqual([
      { connection: world.connection, provider: 'auth0', user_id: first.id.slice(6), isSocial: false },
      {
        connection: world.connection,
        provider: 'auth0',
        user_id: otherId,
        isSocial: false,
        profileData: expect.objectContaining({ email: other.email }),
      },
    ]);
  });

  it('RUL.41–43: metadata are copies; app_metadata is out of reach of the user and of /userinfo', async () => {
    const user = await createTestUser(world, 'metadata');
    await world.api().patch(`/users/${user.id}`, { app_metadata: { level: 3 }, user_metadata: { color: 'red' } });
    const own = { username: user.email, password: user.password };
    await setRules(world, [rule(`context.idToken['${SEEN}'] = [user.app_metadata, user.user_metadata];`)]);
    expect((await loginClaims(world, own))[SEEN]).toEqual([{ level: 3 }, { color: 'red' }]);
    const scope = 'openid profile update:current_user_metadata';
    const { access_token } = (await passwordGrant(world, { ...own, audience: world.managementAudience, scope })).json();
    const patch = (json: object) =>
      world.request({
        path: `/api/v2/users/${user.id}`,
        method: 'PATCH',
        json,
        headers: { authorization: `Bearer ${access_token}` },
      });
    expect((await patch({ app_metadata: { level: 9 } })).statusCode).toBeGreaterThanOrEqual(400);
    expect((await patch({ user_metadata: { color: 'blue' } })).statusCode).toBe(200);
    expect((await loginClaims(world, own))[SEEN]).toEqual([{ level: 3 }, { color: 'blue' }]);
    await setRules(world, []);
    const { access_token: opaque } = (await passwordGrant(world, { ...own, scope: 'openid profile email' })).json();
    const told = await world.request({ path: '/userinfo', headers: { authorization: `Bearer ${opaque}` } });
    expect(told.body).not.toContain('level');
  });

  it('RUL.29: what a rule stores of a user ends at 16 KB, with a clear error, and operators have more room', async () => {
    const user = await createTestUser(world, 'large');
    const store = (size: number, kind = 'App') =>
      `function (user, context, callback) {
        auth0.users.update${kind}Metadata(user.user_id, { notes: 'x'.repeat(${size}) })
          .then(() => callback(null, user, context), (error) => callback(new UnauthorizedError(error.message)));
      }`;
    const logIn = () => passwordGrant(world, { username: user.email, password: user.password });
    for (const kind of ['App', 'User']) {
      await setRules(world, [store(16_400, kind)]);
      const refused = await logIn();
      expect(refused.statusCode).toBe(403);
      expect(refused.json().error_description).toMatch(/_metadata is larger than the 16384 bytes/);
    }
    await setRules(world, [store(16_000)]);
    expect((await logIn()).statusCode).toBe(200);
    const large = { app_metadata: { notes: 'x'.repeat(50_000), plan: 'gold' } };
    expect((await world.api().patch(`/users/${user.id}`, large)).statusCode).toBe(200);
    await setRules(world, [
      `function (user, context, callback) {
        auth0.users.updateAppMetadata(user.user_id, { plan: null }).then(() => callback(null, user, context), callback);
      }`,
    ]);
    expect((await logIn()).statusCode).toBe(200);
    const kept = (await world.api().get(`/users/${user.id}`)).json().app_metadata;
    expect([kept.notes.length, kept.plan]).toEqual([50_000, undefined]);
    const refused = await world.api().patch(`/users/${user.id}`, { app_metadata: { notes: 'x'.repeat(2_000_000) } });
    expect(refused.statusCode).toBeGreaterThanOrEqual(400);
  });
});
