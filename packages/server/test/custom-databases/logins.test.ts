import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { type CustomDirectory, createCustomDirectory, logInAt, TABLE } from './custom-directory.ts';

const GONE = 'function login(email, password, callback) { callback(new Error("must not be asked")); }';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const ada = { user_id: 7, email: 'ada@legacy.test', email_verified: true, name: 'Ada', secret: 'old-password' };
const users = (...rows: object[]) => ({ configuration: { USERS: JSON.stringify(rows) } });
const userOf = async (id: string) => (await world.api().get(`/users/${encodeURIComponent(id)}`)).json();
const lastEvent = async () => (await world.events()).find(({ type }) => type !== 'sapi' && type !== 'seccft');

describe('a directory that imports its users', () => {
  let directory: CustomDirectory;
  beforeAll(async () => {
    directory = await createCustomDirectory(world, 'importing', TABLE, { import_mode: true, ...users(ada) });
  });

  it('makes the user at the first login and never asks the script again', async () => {
    expect((await logInAt(world, directory.name, ada.email, ada.secret)).statusCode).toBe(200);
    expect(await userOf('auth0|7')).toMatchObject({ email: ada.email, email_verified: true, name: 'Ada' });
    await directory.change({ customScripts: { ...TABLE, login: GONE } });
    expect((await logInAt(world, directory.name, ada.email, ada.secret)).statusCode).toBe(200);
    expect((await logInAt(world, directory.name, ada.email, 'wrong')).json()).toMatchObject({ error: 'invalid_grant' });
  });
});

describe('a directory whose users stay elsewhere', () => {
  let directory: CustomDirectory;
  const eve = { ...ada, user_id: 'eve', email: 'eve@legacy.test', secret: 'eves-password' };
  beforeAll(async () => {
    directory = await createCustomDirectory(world, 'remote', TABLE, users(eve));
  });

  it('asks the script at each login and stores no password', async () => {
    expect((await logInAt(world, directory.name, eve.email, eve.secret)).statusCode).toBe(200);
    await directory.change(users({ ...eve, secret: 'new-password', name: 'Eve' }));
    expect(await answer(logInAt(world, directory.name, eve.email, eve.secret))).toMatchObject({ status: 403 });
    expect((await logInAt(world, directory.name, eve.email, 'new-password')).statusCode).toBe(200);
    expect(await userOf('auth0|eve')).toMatchObject({ name: 'Eve', logins_count: 2 });
    const { rows } = await world.database.pool.query(
      'select password_hash from user_identities where connection_id = $1',
      [directory.id],
    );
    expect(rows).toEqual([{ password_hash: null }]);
  });

  it('tells a wrong password from an unknown user in the log alone', async () => {
    const wrong = await answer(logInAt(world, directory.name, eve.email, 'nope'));
    expect((await world.events()).find(({ type }) => type === 'fp')).toMatchObject({ user_id: 'auth0|eve' });
    const unknown = await answer(logInAt(world, directory.name, 'nobody@legacy.test', 'nope'));
    expect((await world.events()).find(({ type }) => type === 'fu')).not.toHaveProperty('user_id');
    expect(wrong).toEqual(unknown);
  });

  it.each([
    ['throws', 'function (email, password, callback) { throw new Error("db.internal:5432 refused"); }', 'db.internal'],
    ['is no code', 'function (', 'SyntaxError'],
    ['answers a profile without an id', 'function (e, p, callback) { callback(null, { email: e }) }', 'user_id'],
    [
      "answers somebody else's id",
      'function (e, p, callback) { callback(null, { email: e, user_id: "7" }) }',
      'belongs to another user',
    ],
  ])('refuses a login whose script %s, and says why in the log alone', async (_what, login, why) => {
    const broken = await createCustomDirectory(world, `broken-${_what.length}`, { ...TABLE, login }, users());
    const { status, body } = await answer(logInAt(world, broken.name, 'who@legacy.test', 'x'));
    expect({ status, body }).toEqual({
      status: 403,
      body: { error: 'access_denied', error_description: 'The login could not be completed' },
    });
    const event = (await world.events()).find(({ type }) => type === 'f');
    expect(event).toMatchObject({ details: { script: { name: 'login' } } });
    expect(JSON.stringify(event)).toContain(why);
    void lastEvent;
  });
});
