import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, created, passwordGrant } from '../../test/protocol.ts';
import type { Visitor } from '../../test/visitor.ts';
import { type ManagementClient, startWorld, type World, type WorldTenant } from '../../test/world.ts';

const SCOPES = ['create:users', 'read:users', 'update:users', 'delete:users'];
const connection = 'Username-Password-Authentication';
const password = 'correct-Horse-7';

let world: World;
let manage: ManagementClient;
let other: WorldTenant;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api(...SCOPES);
  other = await world.createTenant('other');
  const options = { password_history: { enable: true, size: 2 } };
  const remembering = { name: 'remembering', strategy: 'auth0', options };
  await created(world.api('create:connections').post('/connections', remembering));
});
afterAll(() => world.stop());

let count = 0;
async function newUser(more: Record<string, unknown> = {}): Promise<{ user_id: string; email: string }> {
  count += 1;
  const made = await manage.post('/users', { connection, email: `user${count}@example.com`, password, ...more });
  expect(made.statusCode, made.body).toBe(201);
  return made.json();
}

async function logIn(username: string): Promise<Visitor> {
  const visitor = world.visitor();
  await visitor.logIn({ username, password });
  expect(await isLoggedIn(visitor)).toBe(true);
  return visitor;
}

const isLoggedIn = async (visitor: Visitor) => (await visitor.authorize({ prompt: 'none' })).answer?.has('code');

describe('POST /api/v2/users', () => {
  it('makes a user with the name, nickname and picture that Auth0 would give', async () => {
    const body = await newUser({ email: 'Ada.L@Example.com' });
    expect(body).toEqual({
      user_id: expect.stringMatching(/^auth0\|[0-9a-f]{24}$/),
      email: 'ada.l@example.com',
      email_verified: false,
      name: 'ada.l@example.com',
      nickname: 'ada.l',
      picture: expect.stringMatching(/^https:\/\/s\.gravatar\.com\/avatar\/[0-9a-f]{32}\?s=480&r=pg&d=https%3A/),
      identities: [{ connection, user_id: body.user_id.slice(6), provider: 'auth0', isSocial: false }],
      blocked: false,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    expect(await answer(manage.get(`/users/${encodeURIComponent(body.user_id)}`))).toEqual({ status: 200, body });
  });

  it('takes a user id, metadata, names and flags', async () => {
    const body = await newUser({
      user_id: 'my-own-id',
      email_verified: true,
      blocked: true,
      given_name: 'Ada',
      nickname: 'countess',
      user_metadata: { color: 'green' },
      app_metadata: { plan: { name: 'gold' } },
    });
    expect(body).toMatchObject({
      user_id: 'auth0|my-own-id',
      email_verified: true,
      blocked: true,
      given_name: 'Ada',
      nickname: 'countess',
      user_metadata: { color: 'green' },
      app_metadata: { plan: { name: 'gold' } },
    });
    const again = { connection, email: 'b@example.com', password, user_id: 'my-own-id' };
    expect(await answer(manage.post('/users', again))).toMatchObject({
      status: 409,
      body: { errorCode: 'auth0_idp_error' },
    });
  });

  it('answers 409 where the e-mail is taken in the connection, and makes another user in another connection', async () => {
    const { email, user_id: first } = await newUser();
    expect(await answer(manage.post('/users', { connection, email: email.toUpperCase(), password }))).toEqual({
      status: 409,
      body: { statusCode: 409, error: 'Conflict', message: 'The user already exists.', errorCode: 'auth0_idp_error' },
    });
    const second = await newUser({ connection: 'remembering', email });
    const both = (await manage.get(`/users-by-email?email=${email.toUpperCase()}`)).json();
    expect(both.map((user: { user_id: string }) => user.user_id)).toEqual([first, second.user_id]);
  });

  it.each([
    ['an unknown connection', { connection: 'nowhere' }, 'The connection does not exist.'],
    ['the administrators', { connection: 'gatewright-admins' }, 'The connection does not exist.'],
    ['no e-mail', { email: undefined }, "Payload validation error: 'Missing required property: email'."],
    ['no password', { password: undefined }, "Payload validation error: 'Missing required property: password'."],
    ['a weak password', { password: 'short' }, 'PasswordStrengthError: Password is too weak'],
    [
      'a username where there are none',
      { username: 'ada' },
      'Cannot set username for connection without requires_username',
    ],
    ['a field that is not the caller’s to set', { logins_count: 7 }, /Additional properties not allowed/],
    ['an e-mail that is none', { email: 'ada@nowhere' }, /format email/],
    ['a user id with a blank', { user_id: 'a b' }, /pattern/],
    ['a user id that reads like a client', { user_id: 'abc@clients' }, /may not end with @clients/],
  ])('refuses %s with 400', async (_case, change, message) => {
    const user = { connection, email: 'bad@example.com', password, ...change };
    expect(await answer(manage.post('/users', user))).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(message) },
    });
  });
});

describe('PATCH /api/v2/users/{id}', () => {
  it('merges metadata at the first level, removes what is null and empties what is {}', async () => {
    const { user_id } = await newUser({ user_metadata: { a: { x: 1, y: 2 }, b: 1 }, app_metadata: { plan: 'gold' } });
    const change = (body: unknown) => manage.patch(`/users/${user_id}`, body);
    expect((await change({ user_metadata: { a: { x: 9 }, b: null, c: 3 } })).json().user_metadata).toEqual({
      a: { x: 9 },
      c: 3,
    });
    expect((await change({ app_metadata: {} })).json()).not.toHaveProperty('app_metadata');
    expect((await change({ given_name: 'Ada', name: null })).json()).toMatchObject({
      given_name: 'Ada',
      user_metadata: { c: 3 },
    });
    expect((await change({ given_name: null })).json()).not.toHaveProperty('given_name');
  });

  it('keeps each of many parallel changes of metadata', async () => {
    const { user_id } = await newUser();
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => manage.patch(`/users/${user_id}`, { app_metadata: { [`key${n}`]: n } })),
    );
    const body = (await manage.get(`/users/${user_id}`)).json();
    expect(Object.keys(body.app_metadata)).toHaveLength(20);
  });

  it('changes the password by the rules of the connection, and ends sessions', async () => {
    const { user_id, email } = await newUser();
    const browser = await logIn(email);
    expect(await answer(manage.patch(`/users/${user_id}`, { password: 'short', connection }))).toMatchObject({
      status: 400,
      body: { message: 'PasswordStrengthError: Password is too weak' },
    });
    expect(await isLoggedIn(browser)).toBe(true);
    const change = { password: 'another-Horse-8', connection };
    expect(await answer(manage.patch(`/users/${user_id}`, change))).toMatchObject({
      status: 200,
      body: { last_password_reset: expect.any(String) },
    });
    expect(await isLoggedIn(browser)).toBe(false);
    expect((await passwordGrant(world, { username: email, password })).statusCode).toBe(403);
    expect((await passwordGrant(world, { username: email, password: change.password })).statusCode).toBe(200);
  });

  it('refuses a password that its owner had before', async () => {
    const { user_id } = await newUser({ connection: 'remembering' });
    const change = (next: string) => manage.patch(`/users/${user_id}`, { password: next });
    expect((await change('another-Horse-8')).statusCode).toBe(200);
    for (const former of [password, 'another-Horse-8']) {
      expect(await answer(change(former))).toMatchObject({
        status: 400,
        body: { message: 'PasswordHistoryError: Password has previously been used' },
      });
    }
    expect((await change('third-Horse-9')).statusCode).toBe(200);
    expect((await change(password)).statusCode).toBe(200);
  });

  it('makes a new e-mail unverified and ends sessions; the old one is free', async () => {
    const { user_id, email } = await newUser({ email_verified: true });
    const browser = await logIn(email);
    expect(await answer(manage.patch(`/users/${user_id}`, { email: `NEW-${email}` }))).toMatchObject({
      status: 200,
      body: { email: `new-${email}`, email_verified: false },
    });
    expect(await isLoggedIn(browser)).toBe(false);
    await newUser({ email });
    expect((await manage.patch(`/users/${user_id}`, { email })).statusCode).toBe(409);
    expect((await manage.patch(`/users/${user_id}`, { email: null })).statusCode).toBe(400);
  });

  it('ends sessions when it blocks, and only then', async () => {
    const { user_id, email } = await newUser();
    const block = async (blocked: boolean) => (await manage.patch(`/users/${user_id}`, { blocked })).json().blocked;
    const before = await logIn(email);
    expect(await block(true)).toBe(true);
    expect(await block(true)).toBe(true);
    expect(await block(false)).toBe(false);
    expect(await isLoggedIn(before)).toBe(false);
    const after = await logIn(email);
    expect(await block(false)).toBe(false);
    expect(await isLoggedIn(after)).toBe(true);
  });

  it.each([
    [{ password, email: 'x@example.com' }, 'Cannot update password and email simultaneously'],
    [{ password, email_verified: true }, 'Cannot update password and email_verified simultaneously'],
    [{ connection: 'remembering', password }, 'The connection does not exist.'],
    [{}, /Too few properties defined/],
    [{ user_id: 'auth0|other' }, /Additional properties not allowed: user_id/],
    [{ identities: [] }, /Additional properties not allowed: identities/],
  ])('refuses %j with 400', async (body, message) => {
    const { user_id } = await newUser();
    expect(await answer(manage.patch(`/users/${user_id}`, body))).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(message) },
    });
  });

  it('lets an end user change the own user_metadata and nothing else of anybody', async () => {
    const { user_id, email } = await newUser();
    const somebody = (await newUser()).user_id;
    const scope = 'update:current_user_metadata read:current_user';
    const login = { username: email, password, audience: world.managementAudience, scope };
    const headers = { authorization: `Bearer ${(await passwordGrant(world, login)).json().access_token}` };
    const read = (id: string) => world.request({ path: `/api/v2/users/${id}`, headers });
    const change = async (id: string, json: object) =>
      (await world.request({ method: 'PATCH', path: `/api/v2/users/${id}`, headers, json })).statusCode;
    expect(await change(user_id, { user_metadata: { color: 'red' } })).toBe(200);
    expect(await change(user_id, { app_metadata: { admin: true } })).toBe(403);
    expect(await change(user_id, { email_verified: true })).toBe(403);
    expect(await change(somebody, { user_metadata: { color: 'red' } })).toBe(403);
    expect((await read(somebody)).statusCode).toBe(403);
    expect(await answer(read(user_id))).toMatchObject({ status: 200, body: { user_metadata: { color: 'red' } } });
  });
});

describe('users of the Management API', () => {
  it('are deleted with 204, as often as one likes', async () => {
    const { user_id } = await newUser();
    expect(await answer(manage.delete(`/users/${user_id}`))).toEqual({ status: 204, body: undefined });
    expect((await manage.delete(`/users/${user_id}`)).statusCode).toBe(204);
    expect(await answer(manage.get(`/users/${user_id}`))).toEqual({
      status: 404,
      body: { statusCode: 404, error: 'Not Found', message: 'The user does not exist.', errorCode: 'inexistent_user' },
    });
  });

  it('are invisible to another tenant', async () => {
    const { user_id, email } = await newUser();
    const stranger = world.apiAt(other, ...SCOPES);
    expect((await stranger.get(`/users/${user_id}`)).statusCode).toBe(404);
    expect((await stranger.patch(`/users/${user_id}`, { blocked: true })).statusCode).toBe(404);
    expect((await stranger.delete(`/users/${user_id}`)).statusCode).toBe(204);
    expect(await answer(stranger.get(`/users-by-email?email=${email}`))).toEqual({ status: 200, body: [] });
    const list = (await stranger.get('/users?include_totals=true')).json();
    expect(list).toMatchObject({ total: 1, users: [{ email: other.user.email }] });
    expect(await answer(manage.get(`/users/${user_id}`))).toMatchObject({ status: 200, body: { blocked: false } });
  });

  it('leave out administrators, who answer 404 and survive a delete', async () => {
    const all = (await manage.get('/users?per_page=100')).json();
    const { rows } = await world.database.pool.query(
      `select user_id from users where tenant_id = 'dev' and email = $1`,
      [world.admin.email],
    );
    const root = String(rows[0].user_id);
    expect((await manage.get(`/users/${root}`)).statusCode).toBe(404);
    expect((await manage.patch(`/users/${root}`, { password })).statusCode).toBe(404);
    expect((await manage.delete(`/users/${root}`)).statusCode).toBe(204);
    expect(await world.app.stores.users.find('dev', root)).toMatchObject({ isSystem: true });
    expect((await manage.get('/users?per_page=100')).json()).toHaveLength(all.length);
    expect(all).not.toContainEqual(expect.objectContaining({ user_id: root }));
    expect((await manage.get(`/users-by-email?email=${world.admin.email}`)).json()).toEqual([]);
  });

  it('are listed in pages with totals and length, selected fields, and by a search', async () => {
    const { email } = await newUser({ app_metadata: { cohort: 'search' } });
    const body = (
      await manage.get('/users?q=app_metadata.cohort:search&search_engine=v3&include_totals=true&fields=email')
    ).json();
    expect(body).toEqual({ start: 0, limit: 50, length: 1, total: 1, users: [{ email }] });
    expect((await manage.get('/users?page=900&per_page=1')).json()).toEqual([]);
    expect(await answer(manage.get('/users?page=11&per_page=100'))).toMatchObject({
      status: 400,
      body: { errorCode: 'invalid_paging' },
    });
    expect(await answer(manage.get('/users?q=email:"'))).toMatchObject({
      status: 400,
      body: { errorCode: 'invalid_query_string' },
    });
  });
});
