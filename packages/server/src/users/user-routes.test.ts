import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DirectoryApp, startDirectoryApp } from './directory-test-app.ts';

let world: DirectoryApp;
const connection = 'Username-Password-Authentication';
const password = 'correct-Horse-7';

beforeAll(async () => {
  world = await startDirectoryApp();
  await world.connection(connection);
  await world.connection('gatewright-admins', {}, true);
  await world.connection(connection, {}, false, 'other');
  await world.connection('remembering', { password_history: { enable: true, size: 2 } });
});
afterAll(() => world.stop());

const writer = () => world.api('create:users', 'read:users', 'update:users', 'delete:users');

let count = 0;
async function newUser(more: Record<string, unknown> = {}) {
  count += 1;
  const answer = await writer().post('/users', { connection, email: `user${count}@example.com`, password, ...more });
  expect(answer).toMatchObject({ status: 201 });
  return answer.body;
}

describe('POST /api/v2/users', () => {
  it('makes a user with the name, nickname and picture that Auth0 would give', async () => {
    const { status, body } = await writer().post('/users', { connection, email: 'Ada.L@Example.com', password });
    expect(status).toBe(201);
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
    expect(await writer().get(`/users/${encodeURIComponent(body.user_id)}`)).toEqual({ status: 200, body });
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
    const again = await writer().post('/users', { connection, email: 'b@example.com', password, user_id: 'my-own-id' });
    expect(again).toMatchObject({ status: 409, body: { errorCode: 'auth0_idp_error' } });
  });

  it('answers 409 where the e-mail is taken in the connection, and makes another user in another connection', async () => {
    const { email, user_id: first } = await newUser();
    expect(await writer().post('/users', { connection, email: email.toUpperCase(), password })).toEqual({
      status: 409,
      body: { statusCode: 409, error: 'Conflict', message: 'The user already exists.', errorCode: 'auth0_idp_error' },
    });
    const { body: second } = await writer().post('/users', { connection: 'remembering', email, password });
    const { body: both } = await writer().get(`/users-by-email?email=${email.toUpperCase()}`);
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
    const answer = await writer().post('/users', { connection, email: 'bad@example.com', password, ...change });
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringMatching(message) } });
  });
});

describe('PATCH /api/v2/users/{id}', () => {
  it('merges metadata at the first level, removes what is null and empties what is {}', async () => {
    const { user_id } = await newUser({ user_metadata: { a: { x: 1, y: 2 }, b: 1 }, app_metadata: { plan: 'gold' } });
    const change = (body: unknown) => writer().patch(`/users/${user_id}`, body);
    expect((await change({ user_metadata: { a: { x: 9 }, b: null, c: 3 } })).body.user_metadata).toEqual({
      a: { x: 9 },
      c: 3,
    });
    expect((await change({ app_metadata: {} })).body).not.toHaveProperty('app_metadata');
    expect((await change({ given_name: 'Ada', name: null })).body).toMatchObject({
      given_name: 'Ada',
      user_metadata: { c: 3 },
    });
    expect((await change({ given_name: null })).body).not.toHaveProperty('given_name');
  });

  it('keeps each of many parallel changes of metadata', async () => {
    const { user_id } = await newUser();
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => writer().patch(`/users/${user_id}`, { app_metadata: { [`key${n}`]: n } })),
    );
    const { body } = await writer().get(`/users/${user_id}`);
    expect(Object.keys(body.app_metadata)).toHaveLength(20);
  });

  it('changes the password by the rules of the connection, and ends sessions', async () => {
    const { user_id } = await newUser();
    expect(await writer().patch(`/users/${user_id}`, { password: 'short', connection })).toMatchObject({
      status: 400,
      body: { message: 'PasswordStrengthError: Password is too weak' },
    });
    world.revoked.length = 0;
    const answer = await writer().patch(`/users/${user_id}`, { password: 'another-Horse-8', connection });
    expect(answer).toMatchObject({ status: 200, body: { last_password_reset: expect.any(String) } });
    expect(world.revoked).toEqual([user_id]);
    const people = await world.stores.connections.findByName('acme', connection);
    const keys = { email: answer.body.email, username: undefined, phone: undefined };
    const login = await world.stores.users.findLogin('acme', people?.id ?? '', keys);
    expect(await world.hasher.verify('acme', 'another-Horse-8', login?.passwordHash)).toMatchObject({ valid: true });
  });

  it('refuses a password that its owner had before', async () => {
    const { body } = await writer().post('/users', {
      connection: 'remembering',
      email: 'memory@example.com',
      password,
    });
    const change = (next: string) => writer().patch(`/users/${body.user_id}`, { password: next });
    expect(await change('another-Horse-8')).toMatchObject({ status: 200 });
    for (const former of [password, 'another-Horse-8']) {
      expect(await change(former)).toMatchObject({
        status: 400,
        body: { message: 'PasswordHistoryError: Password has previously been used' },
      });
    }
    expect(await change('third-Horse-9')).toMatchObject({ status: 200 });
    expect(await change(password)).toMatchObject({ status: 200 });
  });

  it('makes a new e-mail unverified and ends sessions; the old one is free', async () => {
    const { user_id, email } = await newUser({ email_verified: true });
    world.revoked.length = 0;
    expect(await writer().patch(`/users/${user_id}`, { email: `NEW-${email}` })).toMatchObject({
      status: 200,
      body: { email: `new-${email}`, email_verified: false },
    });
    expect(world.revoked).toEqual([user_id]);
    await newUser({ email });
    expect(await writer().patch(`/users/${user_id}`, { email })).toMatchObject({ status: 409 });
    expect(await writer().patch(`/users/${user_id}`, { email: null })).toMatchObject({ status: 400 });
  });

  it('ends sessions when it blocks, and only then', async () => {
    const { user_id } = await newUser();
    world.revoked.length = 0;
    expect((await writer().patch(`/users/${user_id}`, { blocked: true })).body.blocked).toBe(true);
    await writer().patch(`/users/${user_id}`, { blocked: true });
    expect((await writer().patch(`/users/${user_id}`, { blocked: false })).body.blocked).toBe(false);
    expect(world.revoked).toEqual([user_id]);
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
    const answer = await writer().patch(`/users/${user_id}`, body);
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringMatching(message) } });
  });

  it('lets an end user change the own user_metadata and nothing else of anybody', async () => {
    const { user_id } = await newUser();
    const { user_id: other } = await newUser();
    const self = world.apiOfUser(user_id, 'update:current_user_metadata', 'read:current_user');
    expect(await self.patch(`/users/${user_id}`, { user_metadata: { color: 'red' } })).toMatchObject({ status: 200 });
    expect(await self.patch(`/users/${user_id}`, { app_metadata: { admin: true } })).toMatchObject({ status: 403 });
    expect(await self.patch(`/users/${user_id}`, { email_verified: true })).toMatchObject({ status: 403 });
    expect(await self.patch(`/users/${other}`, { user_metadata: { color: 'red' } })).toMatchObject({ status: 403 });
    expect(await self.get(`/users/${other}`)).toMatchObject({ status: 403 });
    expect(await self.get(`/users/${user_id}`)).toMatchObject({
      status: 200,
      body: { user_metadata: { color: 'red' } },
    });
  });
});

describe('users of the Management API', () => {
  it('are deleted with 204, as often as one likes', async () => {
    const { user_id } = await newUser();
    expect(await writer().delete(`/users/${user_id}`)).toEqual({ status: 204, body: undefined });
    expect(await writer().delete(`/users/${user_id}`)).toMatchObject({ status: 204 });
    expect(await writer().get(`/users/${user_id}`)).toEqual({
      status: 404,
      body: { statusCode: 404, error: 'Not Found', message: 'The user does not exist.', errorCode: 'inexistent_user' },
    });
  });

  it('are invisible to another tenant', async () => {
    const { user_id, email } = await newUser();
    const other = world.apiOfOther('create:users', 'read:users', 'update:users', 'delete:users');
    expect(await other.get(`/users/${user_id}`)).toMatchObject({ status: 404 });
    expect(await other.patch(`/users/${user_id}`, { blocked: true })).toMatchObject({ status: 404 });
    expect(await other.delete(`/users/${user_id}`)).toMatchObject({ status: 204 });
    expect(await other.get(`/users-by-email?email=${email}`)).toEqual({ status: 200, body: [] });
    expect(await other.get('/users?include_totals=true')).toMatchObject({ body: { total: 0, users: [] } });
    expect(await writer().get(`/users/${user_id}`)).toMatchObject({ status: 200, body: { blocked: false } });
  });

  it('leave out administrators, who answer 404 and survive a delete', async () => {
    const { body: all } = await writer().get('/users?per_page=100');
    const admins = await world.stores.connections.findByName('acme', 'gatewright-admins');
    if (!admins) throw new Error('no reserved connection');
    const { createDatabaseUser } = await import('./create-user.ts');
    const root = await createDatabaseUser(world.stores, 'acme', admins, { email: 'root@example.com' }, 'hash');
    expect(await writer().get(`/users/${root.userId}`)).toMatchObject({ status: 404 });
    expect(await writer().patch(`/users/${root.userId}`, { password })).toMatchObject({ status: 404 });
    expect(await writer().delete(`/users/${root.userId}`)).toMatchObject({ status: 204 });
    expect(await world.stores.users.find('acme', root.userId)).toMatchObject({ isSystem: true });
    expect((await writer().get('/users?per_page=100')).body).toHaveLength(all.length);
    expect(await writer().get('/users-by-email?email=root@example.com')).toMatchObject({ body: [] });
  });

  it('are listed in pages with totals and length, selected fields, and by a search', async () => {
    const { email } = await newUser({ app_metadata: { cohort: 'search' } });
    const { body } = await writer().get(
      '/users?q=app_metadata.cohort:search&search_engine=v3&include_totals=true&fields=email',
    );
    expect(body).toEqual({ start: 0, limit: 50, length: 1, total: 1, users: [{ email }] });
    expect((await writer().get('/users?page=900&per_page=1')).body).toEqual([]);
    expect(await writer().get('/users?page=11&per_page=100')).toMatchObject({
      status: 400,
      body: { errorCode: 'invalid_paging' },
    });
    expect(await writer().get('/users?q=email:"')).toMatchObject({
      status: 400,
      body: { errorCode: 'invalid_query_string' },
    });
  });
});
