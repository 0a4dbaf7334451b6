import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  answer,
  createTestClient,
  createTestUser,
  decodeJwt,
  passwordGrant,
  redeem,
  refresh,
} from '../../test/protocol.ts';
import { startWorld, type World, type WorldTenant } from '../../test/world.ts';

let world: World;
let other: WorldTenant;
beforeAll(async () => {
  world = await startWorld();
  other = await world.createTenant('other');
});
afterAll(() => world.stop());

let serial = 0;
const person = () => createTestUser(world, `linked-${++serial}`);
type Person = Awaited<ReturnType<typeof person>>;

const pathOf = ({ id }: { id: string }) => `/users/${encodeURIComponent(id)}`;
const own = ({ id }: { id: string }) => id.replace('auth0|', '');
const link = (primary: Person, secondary: Person) =>
  world.api('update:users').post(`${pathOf(primary)}/identities`, { provider: 'auth0', user_id: own(secondary) });
const unlink = (primary: Person, secondary: Person) =>
  world.api('update:users').delete(`${pathOf(primary)}/identities/auth0/${own(secondary)}`);
const subjectOf = async ({ email, password }: Person) => {
  const response = await passwordGrant(world, { username: email, password, scope: 'openid' });
  return decodeJwt(response.json().id_token).claims.sub;
};
const users = async (...ids: string[]) =>
  Promise.all(ids.map(async (id) => (await world.api().get(`/users/${encodeURIComponent(id)}`)).statusCode));

/** The Management API with an end user's own token. */
async function asUser({ email, password }: Person, scope = 'update:current_user_identities') {
  const audience = `${world.issuer}api/v2/`;
  const { access_token } = (await passwordGrant(world, { username: email, password, audience, scope })).json();
  return (method: 'POST' | 'DELETE', path: string, json?: unknown) =>
    world.request({
      method,
      path: `/api/v2${path}`,
      headers: { authorization: `Bearer ${access_token}` },
      ...(json !== undefined && { json }),
    });
}

const idTokenOf = async ({ email, password }: Person): Promise<string> =>
  (await passwordGrant(world, { username: email, password, scope: 'openid' })).json().id_token;

describe('POST /api/v2/users/{id}/identities', () => {
  it('answers all identities; the secondary account is gone and its login leads to the primary one', async () => {
    const [primary, secondary] = [await person(), await person()];
    await world.api().patch(pathOf(secondary), { user_metadata: { a: 1 }, nickname: 'second' });
    expect(await answer(link(primary, secondary))).toEqual({
      status: 201,
      body: [
        { connection: world.connection, provider: 'auth0', user_id: own(primary), isSocial: false },
        {
          connection: world.connection,
          provider: 'auth0',
          user_id: own(secondary),
          isSocial: false,
          profileData: expect.objectContaining({ email: secondary.email, email_verified: true, nickname: 'second' }),
        },
      ],
    });
    expect(await users(primary.id, secondary.id)).toEqual([200, 404]);
    expect([await subjectOf(primary), await subjectOf(secondary)]).toEqual([primary.id, primary.id]);
    const user = (await world.api().get(pathOf(primary))).json();
    expect([user.email, user.user_metadata]).toEqual([primary.email, undefined]);
  });

  it("ends the secondary account's sessions, tokens and roles", async () => {
    const [primary, secondary] = [await person(), await person()];
    const role = (await world.api().post('/roles', { name: 'Linked' })).json();
    await world.api().post(`/roles/${role.id}/users`, { users: [secondary.id] });
    const visitor = world.visitor();
    const tokens = (
      await redeem(world, await visitor.logIn({ username: secondary.email, password: secondary.password }))
    ).json();
    await link(primary, secondary);
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('error')).toBe('login_required');
    const spa = { client_id: world.spa_client.client_id, client_secret: undefined };
    expect((await refresh(world, tokens.refresh_token, spa)).statusCode).toBe(403);
    expect((await world.api().get(`${pathOf(primary)}/roles`)).json()).toEqual([]);
  });

  it('takes the id with its provider, and the connection', async () => {
    const [primary, secondary] = [await person(), await person()];
    const [directory] = (await world.api().get(`/connections?name=${world.connection}`)).json();
    const path = `${pathOf(primary)}/identities`;
    const body = { provider: 'auth0', user_id: secondary.id, connection_id: directory.id };
    const elsewhere = { ...body, connection_id: 'con_0123456789abcdef' };
    expect((await world.api().post(path, elsewhere)).statusCode).toBe(404);
    expect((await world.api().post(path, body)).statusCode).toBe(201);
  });

  it('links no account twice, none to itself, none that is not there and none of another tenant', async () => {
    const [primary, secondary, third] = [await person(), await person(), await person()];
    await link(primary, secondary);
    const stranger = (
      await world.apiAt(other).post('/users', {
        connection: other.connection,
        email: 'stranger@example.org',
        password: 'Correct-horse-stranger-7',
      })
    ).json();
    const nobody = { id: `auth0|${'0'.repeat(24)}`, email: '', password: '' };
    const refusals: [Promise<{ statusCode: number }>, number][] = [
      [link(primary, secondary), 409],
      [link(third, secondary), 409],
      [link(primary, primary), 409],
      [link(primary, nobody), 404],
      [link(nobody, third), 404],
      [link(primary, { ...nobody, id: stranger.user_id }), 404],
    ];
    for (const [refusal, status] of refusals) expect((await refusal).statusCode).toBe(status);
    expect((await world.apiAt(other).get(`/users/${encodeURIComponent(stranger.user_id)}`)).statusCode).toBe(200);
    expect(await users(primary.id, third.id)).toEqual([200, 200]);
  });

  it('makes no user twice linked by parallel links, whatever their directions', async () => {
    const [one, two, three] = [await person(), await person(), await person()];
    const answers = await Promise.all([link(one, two), link(two, one), link(three, two), link(one, three)]);
    expect(answers.every(({ statusCode }) => [201, 404, 409].includes(statusCode))).toBe(true);
    const left = (await Promise.all([one, two, three].map((user) => world.api().get(pathOf(user)))))
      .filter(({ statusCode }) => statusCode === 200)
      .flatMap((response) => response.json().identities.map((identity: { user_id: string }) => identity.user_id));
    expect(left.toSorted()).toEqual([own(one), own(two), own(three)].toSorted());
  });

  it.each([
    ['nothing', {}],
    ['no id', { provider: 'auth0' }],
    ['an unknown provider', { provider: 'moon', user_id: 'a' }],
    ['both ways', { provider: 'auth0', user_id: 'a', link_with: 'token' }],
  ])('refuses a body with %s', async (_what, body) => {
    const response = await world.api().post(`${pathOf(await person())}/identities`, body);
    expect([response.statusCode, response.json().errorCode]).toEqual([400, 'invalid_body']);
  });
});

describe('link_with', () => {
  it("links the account of an ID token to the user's own, with the user's own token", async () => {
    const [primary, secondary] = [await person(), await person()];
    const call = await asUser(primary);
    const response = await call('POST', `${pathOf(primary)}/identities`, { link_with: await idTokenOf(secondary) });
    expect(response.statusCode).toBe(201);
    expect(await subjectOf(secondary)).toBe(primary.id);
    expect((await call('DELETE', `${pathOf(primary)}/identities/auth0/${own(secondary)}`)).statusCode).toBe(200);
    expect(await subjectOf(secondary)).toBe(secondary.id);
  });

  it("is the only way of a user's own token, and leads to no other user", async () => {
    const [primary, secondary, third] = [await person(), await person(), await person()];
    const call = await asUser(primary);
    const byId = await call('POST', `${pathOf(primary)}/identities`, { provider: 'auth0', user_id: own(secondary) });
    const toOther = await call('POST', `${pathOf(third)}/identities`, { link_with: await idTokenOf(secondary) });
    expect([byId.statusCode, toOther.statusCode]).toEqual([403, 403]);
    expect(await users(primary.id, secondary.id, third.id)).toEqual([200, 200, 200]);
  });

  it('refuses what proves no login here', async () => {
    const [primary, secondary] = [await person(), await person()];
    const otherClient = await createTestClient(world, { grant_types: ['password'], app_type: 'regular_web' });
    const login = { username: secondary.email, password: secondary.password, scope: 'openid' };
    const ofOtherClient = (await passwordGrant(world, { ...login, ...otherClient })).json().id_token;
    const foreign = (await passwordGrant(world, { scope: 'openid' }, other)).json().id_token;
    const audience = `${world.issuer}api/v2/`;
    const accessToken = (await passwordGrant(world, { ...login, audience, scope: 'read:current_user' })).json()
      .access_token;
    const { claims } = decodeJwt(await idTokenOf(secondary));
    const forged = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(Buffer.from('x'.repeat(32)));
    const old = await idTokenOf(secondary);
    expect(ofOtherClient).toEqual(expect.any(String));
    world.advance(11 * 3_600_000);
    const call = await asUser(primary);
    for (const token of [ofOtherClient, foreign, accessToken, forged, old, 'no token', '']) {
      const response = await call('POST', `${pathOf(primary)}/identities`, { link_with: token });
      expect([response.statusCode, response.json().errorCode]).toEqual([400, 'invalid_body']);
    }
    expect(await users(primary.id, secondary.id)).toEqual([200, 200]);
  });

  it('refuses an ID token from before a new password, and one of a user who is blocked since', async () => {
    const [primary, secondary] = [await person(), await person()];
    const token = await idTokenOf(secondary);
    const call = await asUser(primary);
    const refused = async () => (await call('POST', `${pathOf(primary)}/identities`, { link_with: token })).json();
    await world.api().patch(pathOf(secondary), { blocked: true });
    expect(await refused()).toMatchObject({ statusCode: 400, errorCode: 'invalid_body' });
    await world.api().patch(pathOf(secondary), { blocked: false, password: 'Another-horse-entirely-8' });
    await world.database.pool.query('update users set last_password_reset = $1 where user_id = $2', [
      new Date(world.now().getTime() + 60_000),
      secondary.id,
    ]);
    expect(await refused()).toMatchObject({ statusCode: 400, errorCode: 'invalid_body' });
    expect(await users(primary.id, secondary.id)).toEqual([200, 200]);
  });
});

describe('DELETE /api/v2/users/{id}/identities/{provider}/{user_id}', () => {
  it('brings the secondary account back with its profile and its password, without metadata', async () => {
    const [primary, secondary] = [await person(), await person()];
    await world.api().patch(pathOf(secondary), { user_metadata: { a: 1 }, given_name: 'Grace' });
    await link(primary, secondary);
    const visitor = world.visitor();
    await visitor.logIn({ username: secondary.email, password: secondary.password });
    expect(await answer(unlink(primary, secondary))).toEqual({
      status: 200,
      body: [{ connection: world.connection, provider: 'auth0', user_id: own(primary), isSocial: false }],
    });
    const user = (await world.api().get(pathOf(secondary))).json();
    expect(user).toMatchObject({ email: secondary.email, email_verified: true, given_name: 'Grace' });
    expect(user).not.toHaveProperty('user_metadata');
    expect([await subjectOf(primary), await subjectOf(secondary)]).toEqual([primary.id, secondary.id]);
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('error')).toBe('login_required');
    expect((await link(primary, secondary)).statusCode).toBe(201);
  });

  it('keeps the main identity, and knows no other', async () => {
    const [primary, secondary] = [await person(), await person()];
    await link(primary, secondary);
    expect((await unlink(primary, primary)).statusCode).toBe(400);
    expect((await unlink(primary, await person())).statusCode).toBe(404);
    const twice = await Promise.all([unlink(primary, secondary), unlink(primary, secondary)]);
    expect(twice.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 404]);
  });
});

describe('a user with linked identities', () => {
  it('keeps the main account where the linked one is deleted by its e-mail', async () => {
    const [primary, secondary] = [await person(), await person()];
    await link(primary, secondary);
    const [directory] = (await world.api().get(`/connections?name=${world.connection}`)).json();
    await world.api().delete(`/connections/${directory.id}/users?email=${secondary.email}`);
    const user = (await world.api().get(pathOf(primary))).json();
    expect(user.identities.map(({ user_id }: { user_id: string }) => user_id)).toEqual([own(primary)]);
  });
});
