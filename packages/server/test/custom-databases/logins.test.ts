import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailsTo } from '../mails.ts';
import { answer } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { type CustomDirectory, createCustomDirectory, logInAt, TABLE } from './custom-directory.ts';

const GONE = 'function login(email, password, callback) { callback(new Error("must not be asked")); }';
const REFUSED = { status: 403, body: { error: 'invalid_grant', error_description: 'Wrong email or password.' } };

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const ada = { user_id: 7, email: 'ada@legacy.test', email_verified: true, name: 'Ada', secret: 'old-password' };
const users = (...rows: object[]) => ({ configuration: { USERS: JSON.stringify(rows) } });
const userOf = async (id: string) => (await world.api().get(`/users/${encodeURIComponent(id)}`)).json();
const lastOf = async (type: string) => (await world.events()).find((event) => event.type === type);
const rowsOf = async ({ id }: CustomDirectory) =>
  (
    await world.database.pool.query<{ user_id: string; password_hash: string | null }>(
      'select user_id, password_hash from user_identities where connection_id = $1 order by user_id',
      [id],
    )
  ).rows;
let count = 0;
const newDirectory = (scripts: Readonly<Record<string, string>>, options: object = {}) =>
  createCustomDirectory(world, `directory-${++count}`, { ...TABLE, ...scripts }, { ...options });

describe('a directory that imports its users', () => {
  let directory: CustomDirectory;
  beforeAll(async () => {
    directory = await newDirectory({}, { import_mode: true, ...users(ada) });
  });

  it('makes the user at the first login and never asks the script again', async () => {
    expect((await logInAt(world, directory.name, ada.email, ada.secret)).statusCode).toBe(200);
    expect(await userOf('auth0|7')).toMatchObject({ email: ada.email, email_verified: true, name: 'Ada' });
    await directory.change({ customScripts: { ...TABLE, login: GONE } });
    expect((await logInAt(world, directory.name, ` ${ada.email.toUpperCase()} `, ada.secret)).statusCode).toBe(200);
    expect(await answer(logInAt(world, directory.name, ada.email, 'wrong'))).toEqual(REFUSED);
    expect(await rowsOf(directory)).toEqual([
      { user_id: 'auth0|7', password_hash: expect.stringMatching(/^\$argon2id\$/) },
    ]);
  });

  it('makes one user of two first logins at once', async () => {
    const bob = { ...ada, user_id: 'bob', email: 'bob@legacy.test' };
    const fresh = await newDirectory({}, { import_mode: true, ...users(bob) });
    const logins = await Promise.all(
      Array.from({ length: 6 }, () => logInAt(world, fresh.name, bob.email, bob.secret)),
    );
    expect(logins.map(({ statusCode }) => statusCode)).toEqual(Array(6).fill(200));
    expect(await rowsOf(fresh)).toMatchObject([{ user_id: 'auth0|bob' }]);
  });

  it('begins anew after a first login that ended before its user was stored', async () => {
    const eva = { ...ada, user_id: 'eva', email: 'eva@legacy.test' };
    const fresh = await newDirectory({}, { import_mode: true, ...users(eva) });
    const { pool } = world.database;
    await pool.query(`create function break_off() returns trigger language plpgsql as $$ begin raise 'killed'; end $$`);
    await pool.query('create trigger break_off before insert on user_identities execute function break_off()');
    expect((await logInAt(world, fresh.name, eva.email, eva.secret)).statusCode).toBe(500);
    expect(await rowsOf(fresh)).toEqual([]);
    await pool.query('drop trigger break_off on user_identities');
    expect((await logInAt(world, fresh.name, eva.email, eva.secret)).statusCode).toBe(200);
  });

  it('counts a blocked user as blocked, whatever the script says', async () => {
    const kim = { ...ada, user_id: 'kim', email: 'kim@legacy.test', blocked: false };
    const fresh = await newDirectory({}, { import_mode: false, ...users(kim) });
    await logInAt(world, fresh.name, kim.email, kim.secret);
    await world.api().patch('/users/auth0%7Ckim', { blocked: true });
    await fresh.change({ import_mode: true });
    expect(await answer(logInAt(world, fresh.name, kim.email, kim.secret))).toMatchObject({
      body: { error: 'unauthorized', error_description: 'user is blocked' },
    });
  });

  it('moves users in who stayed elsewhere before', async () => {
    const jo = { ...ada, user_id: 'jo', email: 'jo@legacy.test' };
    const fresh = await newDirectory({}, users(jo));
    await logInAt(world, fresh.name, jo.email, jo.secret);
    await fresh.change({ import_mode: true });
    await logInAt(world, fresh.name, jo.email, jo.secret);
    await fresh.change({ customScripts: { ...TABLE, login: GONE } });
    expect((await logInAt(world, fresh.name, jo.email, jo.secret)).statusCode).toBe(200);
    expect(await userOf('auth0|jo')).toMatchObject({ logins_count: 3 });
  });
});

describe('a user who has moved in', () => {
  const vera = {
    user_id: 'vera',
    email: 'vera@old.test',
    username: 'customer-12',
    email_verified: true,
    secret: 'veras-password',
    app_metadata: { role: 'admin' },
  };
  let directory: CustomDirectory;
  beforeAll(async () => {
    directory = await newDirectory({}, { import_mode: true, ...users(vera) });
    expect((await logInAt(world, directory.name, vera.email, vera.secret)).statusCode).toBe(200);
    const changed = { email: 'vera@new.test', email_verified: true, app_metadata: { role: 'member' } };
    expect((await world.api().patch('/users/auth0%7Cvera', changed)).statusCode).toBe(200);
  });
  const reset = (email: string) =>
    world.request({
      path: '/dbconnections/change_password',
      json: { client_id: world.spa_client.client_id, connection: directory.name, email },
    });

  it.each([
    ['address', vera.email],
    ['name', vera.username],
  ])(
    'is neither changed nor written to when somebody asks for a new password by an %s of the old database',
    async (_what, name) => {
      const before = await userOf('auth0|vera');
      expect(before).toMatchObject({ email: 'vera@new.test', app_metadata: { role: 'member' } });
      expect((await reset(name)).statusCode).toBe(200);
      expect(await userOf('auth0|vera')).toEqual(before);
      for (const address of [vera.email, 'vera@new.test']) expect(await mailsTo(world, address)).toEqual([]);
      expect(await lastOf('fcpr')).toMatchObject({ description: 'User does not exist.' });
    },
  );

  it('logs in with the password of here by a name of the old database, each time, and stays as they are here', async () => {
    for (const name of [vera.username, vera.username, vera.email])
      expect((await logInAt(world, directory.name, name, vera.secret)).statusCode).toBe(200);
    expect(await userOf('auth0|vera')).toMatchObject({
      email: 'vera@new.test',
      app_metadata: { role: 'member' },
      logins_count: 4,
    });
  });

  it('does not log in with the old password, nor is changed by the attempt, once another one is here', async () => {
    await world.api().patch('/users/auth0%7Cvera', { password: 'A-quite-new-horse-9', connection: directory.name });
    const before = await userOf('auth0|vera');
    expect(await answer(logInAt(world, directory.name, vera.email, vera.secret))).toEqual(REFUSED);
    expect(await userOf('auth0|vera')).toEqual(before);
    expect((await logInAt(world, directory.name, 'vera@new.test', 'A-quite-new-horse-9')).statusCode).toBe(200);
  });
});

describe('a directory whose users stay elsewhere', () => {
  let directory: CustomDirectory;
  const eve = { ...ada, user_id: 'eve', email: 'eve@legacy.test', secret: 'eves-password' };
  beforeAll(async () => {
    directory = await newDirectory({}, users(eve));
  });

  it('asks the script at each login and stores no password', async () => {
    expect((await logInAt(world, directory.name, eve.email, eve.secret)).statusCode).toBe(200);
    await directory.change(users({ ...eve, secret: 'new-password', name: 'Eve', app_metadata: { a: 1 } }));
    expect(await answer(logInAt(world, directory.name, eve.email, eve.secret))).toEqual(REFUSED);
    await world.api().patch('/users/auth0%7Ceve', { app_metadata: { b: 2 } });
    expect((await logInAt(world, directory.name, eve.email, 'new-password')).statusCode).toBe(200);
    expect(await userOf('auth0|eve')).toMatchObject({ name: 'Eve', logins_count: 2, app_metadata: { a: 1, b: 2 } });
    expect(await rowsOf(directory)).toEqual([{ user_id: 'auth0|eve', password_hash: null }]);
  });

  it('tells a wrong password from an unknown user in the log alone', async () => {
    const wrong = await answer(logInAt(world, directory.name, eve.email, 'nope'));
    expect(await lastOf('fp')).toMatchObject({ user_id: 'auth0|eve', user_name: eve.email });
    const unknown = await answer(logInAt(world, directory.name, 'nobody@legacy.test', 'nope'));
    expect(await lastOf('fu')).toMatchObject({ user_id: '', user_name: 'nobody@legacy.test' });
    expect(wrong).toEqual(unknown);
    expect(wrong).toEqual(REFUSED);
  });

  it('tells applications what a script says to the user', async () => {
    const login = 'function (email, password, callback) { callback(new UnauthorizedError("Closed on Sundays")); }';
    const closed = await newDirectory({ login });
    expect(await answer(logInAt(world, closed.name, 'who@legacy.test', 'x'))).toEqual({
      status: 403,
      body: { error: 'access_denied', error_description: 'Closed on Sundays' },
    });
  });

  const says = (profile: string) => `function (email, password, callback) { callback(null, ${profile}); }`;
  it.each([
    ['throws', 'function (email, password, callback) { throw new Error("db.internal:5432 refused"); }', 'db.internal'],
    ['is no code', 'function (', 'SyntaxError'],
    ['ends its container', 'function () { process.exit(1); }', 'container ended'],
    ['answers a profile without an id', says('{ email }'), 'user_id'],
    ['answers a profile without an address', says('{ user_id: "x1" }'), 'none of these: email'],
    ['answers an id that looks like a machine', says('{ user_id: "x@clients", email }'), 'user_id'],
    ['answers a profile that is too large', says('{ user_id: "x2", email, a: "x".repeat(20000) }'), 'larger than'],
    ['answers NUL', says(String.raw`{ user_id: "x3", email, a: "\0" }`), 'NUL'],
    ["answers the id of another directory's user", says('{ user_id: "7", email }'), 'belongs to another user'],
  ])('refuses a login whose script %s, and says why in the log alone', async (_what, login, why) => {
    const broken = await newDirectory({ login });
    expect(await answer(logInAt(world, broken.name, 'who@legacy.test', 'x'))).toEqual({
      status: 403,
      body: { error: 'access_denied', error_description: 'The login could not be completed' },
    });
    const event = await lastOf('f');
    expect(event).toMatchObject({ connection: broken.name, details: { script: { name: 'login' } } });
    expect(JSON.stringify(event)).toContain(why);
    expect(await rowsOf(broken)).toEqual([]);
  });

  it("logs nobody in as an administrator by the administrator's id", async () => {
    const { rows } = await world.database.pool.query<{ user_id: string }>('select user_id from users where is_system');
    const id = rows[0]?.user_id.replace('auth0|', '');
    const thief = await newDirectory({ login: says(`{ user_id: "${id}", email }`) });
    expect(await answer(logInAt(world, thief.name, 'who@legacy.test', 'x'))).toMatchObject({
      status: 403,
      body: { error: 'access_denied' },
    });
  });

  it('takes no more of a profile than a profile', async () => {
    const given = `{ user_id: "plain", email, email_verified: "yes", blocked: true, identities: [{ user_id: "7" }], groups: ["a"],
      password: "p", access_token: "t", is_system: true, created_at: "1970-01-01", "__proto__": { x: 1 }, user_metadata: { c: 1 } }`;
    const plain = await newDirectory({ login: says(given) });
    expect((await logInAt(world, plain.name, 'plain@legacy.test', 'x')).statusCode).toBe(200);
    const user = (await world.api('read:users').get('/users/auth0%7Cplain')).json();
    expect(user).toMatchObject({ email_verified: false, blocked: false, groups: ['a'], user_metadata: { c: 1 } });
    expect(user.identities).toEqual([{ connection: plain.name, provider: 'auth0', user_id: 'plain', isSocial: false }]);
    for (const name of ['password', 'access_token']) expect(user).not.toHaveProperty(name);
  });

  it('gives scripts a context where the connection says so', async () => {
    const login =
      'function (email, password, context, callback) { callback(null, { user_id: "ctx", email, seen: context }); }';
    const withContext = await newDirectory({ login }, { enable_script_context: true });
    expect((await logInAt(world, withContext.name, 'ctx@legacy.test', 'x')).statusCode).toBe(200);
    expect(await userOf('auth0|ctx')).toMatchObject({ seen: {} });
  });

  it('asks no script for what can be no name and no password', async () => {
    const strict = await newDirectory({ login: GONE });
    for (const [name, password] of [
      ['a\u0000b', 'x'],
      ['who@legacy.test', 'x'.repeat(2_000)],
    ] as const)
      expect((await logInAt(world, strict.name, name, password)).json()).not.toMatchObject({ error: 'access_denied' });
  });
});
