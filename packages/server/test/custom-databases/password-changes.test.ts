import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkMailedTo } from '../mails.ts';
import { created } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { type CustomDirectory, createCustomDirectory, logInAt, TABLE } from './custom-directory.ts';
import { atTheGate, startGate } from './gate.ts';

const OLD = 'rons-old-password';
const NEW = 'A-quite-new-horse-9';
const RON = { user_id: 'ron', email: 'ron@legacy.test', email_verified: true, secret: OLD };
const KNOWN = 'callback(null, { user_id: "ron", email: "ron@legacy.test", email_verified: true });';

let world: World;
let gate: Awaited<ReturnType<typeof startGate>>;
let directory: CustomDirectory;
beforeAll(async () => {
  world = await startWorld();
  gate = await startGate(world);
  directory = await createCustomDirectory(world, 'legacy', TABLE, {
    configuration: { USERS: JSON.stringify([RON]), GATE: gate.url },
  });
  expect((await logInAt(world, directory.name, RON.email, OLD)).statusCode).toBe(200);
});
afterAll(async () => {
  await world?.stop();
  gate?.stop();
});

const scripts = (changed: Readonly<Record<string, string>>) =>
  directory.change({ customScripts: { ...TABLE, ...changed } });
const DONE = 'function (email, password, callback) { callback(null, true); }';

async function resetForm() {
  const visitor = world.visitor();
  await world.request({
    path: '/dbconnections/change_password',
    json: { client_id: world.spa_client.client_id, connection: directory.name, email: RON.email },
  });
  const form = await visitor.follow(await visitor.get(await linkMailedTo(world, RON.email)));
  return () => visitor.submit(form, { password: NEW, password_again: NEW });
}

describe('a new password in a custom database', () => {
  it.each([
    ['is done', 'callback(null, true);', 'Your password is changed'],
    ['fails', 'callback(new Error("too late"));', 'try again in a moment'],
  ])(
    'lets nobody in with the old one while its script runs, and whoever knows a good one when that %s',
    async (_what, answer, said) => {
      await scripts({ change_password: atTheGate(answer) });
      const submit = await resetForm();
      const arrived = gate.arrival();
      const changed = submit();
      const open = await arrived;
      const thief = world.visitor();
      const page = (await thief.authorize({ connection: directory.name })).response;
      expect((await thief.submit(page, { username: RON.email, password: OLD })).body).toContain(
        'Wrong email or password',
      );
      expect((await logInAt(world, directory.name, RON.email, OLD)).json()).toMatchObject({ error: 'invalid_grant' });
      expect(await sessions()).toEqual([]);
      open();
      expect((await changed).body).toContain(said);
      expect(await sessions()).toEqual([]);
      // The table of the test has not changed: the old password is still the good one there.
      await scripts({});
      expect((await logInAt(world, directory.name, RON.email, OLD)).statusCode).toBe(200);
    },
  );

  it.each([
    ['over a mail', async () => (await resetForm())()],
    ['by an operator', () => world.api().patch('/users/auth0%7Cron', { password: NEW, connection: directory.name })],
  ])(
    'leaves no session and no refresh token with the old one when the server is killed while its script runs %s',
    async (_what, change) => {
      const inside = world.visitor();
      const page = (await inside.authorize({ connection: directory.name })).response;
      await inside.follow(await inside.submit(page, { username: RON.email, password: OLD }));
      const refresh_token = await refreshTokenOf(OLD);
      await scripts({ change_password: atTheGate('callback(null, true);') });
      const arrived = gate.arrival();
      const changed = change();
      const open = await arrived;
      // From here on nothing that this request wants to write arrives.
      const { pool } = world.database;
      await pool.query(
        `create function break_off() returns trigger language plpgsql as $$ begin raise 'killed'; end $$`,
      );
      await pool.query('create trigger break_off before update on user_identities execute function break_off()');
      open();
      expect((await changed).statusCode).toBe(500);
      await pool.query('drop function break_off() cascade');

      expect(await sessions()).toEqual([]);
      expect((await refreshWith(refresh_token)).json()).toMatchObject({ error: 'invalid_grant' });
      await scripts({});
      const logIn = () => logInAt(world, directory.name, RON.email, OLD);
      expect((await logIn()).json()).toMatchObject({ error: 'invalid_grant' });
      // Two minutes later no script of that time runs any more: what it says now is true.
      await pool.query('update user_identities set changing_until = now() where changing_until is not null');
      expect((await logIn()).statusCode).toBe(200);
    },
  );

  it.each([
    ['over a mail', async () => (await resetForm())()],
    ['by an operator', () => world.api().patch('/users/auth0%7Cron', { password: NEW, connection: directory.name })],
  ])('refuses a login whose script began before it was set %s', async (_what, change) => {
    await scripts({ login: atTheGate(KNOWN), change_password: DONE });
    const arrived = gate.arrival();
    const login = logInAt(world, directory.name, RON.email, OLD);
    const open = await arrived;
    expect((await change()).statusCode).toBeLessThan(400);
    open();
    expect((await login).json()).toMatchObject({ error: 'invalid_grant' });
    await scripts({});
    expect((await logInAt(world, directory.name, RON.email, OLD)).statusCode).toBe(200);
  });
});

describe("an address that is somebody else's in the custom database by now", () => {
  it.each([
    ['password', { password: NEW }],
    ['address', { email: 'ron@new.test' }],
  ])("changes nobody's %s", async (_what, change) => {
    const nina = { ...RON, user_id: 'nina' };
    const moved = await createCustomDirectory(world, `moved-${_what}`, {
      ...TABLE,
      change_password: 'function (...given) { given.at(-1)(new Error("must not run")); }',
      change_email: 'function (...given) { given.at(-1)(new Error("must not run")); }',
    });
    const was = { ...RON, user_id: `was-${_what}` };
    await moved.change({ configuration: { USERS: JSON.stringify([was]) } });
    expect((await logInAt(world, moved.name, was.email, OLD)).statusCode).toBe(200);
    await moved.change({ configuration: { USERS: JSON.stringify([nina]) } });
    const asked = await world.api().patch(`/users/auth0%7C${was.user_id}`, { ...change, connection: moved.name });
    expect(asked.statusCode).toBe(400);
    expect(asked.json().message).toContain('another user');
  });
});

describe('a password from before the directory became a custom database', () => {
  const AGED = 'An-aged-horse-7';
  it.each([
    ['a login', (name: string, email: string) => logInAt(world, name, email, OLD)],
    [
      'a new password',
      async (name: string, email: string) => {
        const [{ user_id }] = (await world.api().get(`/users-by-email?email=${email}`)).json();
        return world.api().patch(`/users/${encodeURIComponent(user_id)}`, { password: NEW, connection: name });
      },
    ],
  ])('is good no more after %s there, when users are kept here again', async (what, act) => {
    const email = `${what.replaceAll(' ', '-')}@legacy.test`;
    const moving = await createCustomDirectory(
      world,
      what.replaceAll(' ', '-'),
      { ...TABLE, change_password: DONE },
      { enabledDatabaseCustomization: false },
    );
    const body = { connection: moving.name, email, password: AGED };
    const { user_id } = await created(world.api().post('/users', body));
    expect((await logInAt(world, moving.name, email, AGED)).statusCode).toBe(200);
    const there = { ...RON, user_id: String(user_id).replace('auth0|', ''), email };
    await moving.change({
      enabledDatabaseCustomization: true,
      configuration: { USERS: JSON.stringify([there]) },
    });
    expect((await act(moving.name, email)).statusCode).toBe(200);
    await moving.change({ enabledDatabaseCustomization: false });
    expect((await logInAt(world, moving.name, email, AGED)).json()).toMatchObject({ error: 'invalid_grant' });
  });

  const kept = async (name: string, ...people: string[]) => {
    const made = await createCustomDirectory(world, name, TABLE, { enabledDatabaseCustomization: false });
    for (const person of people) {
      const body = { connection: name, email: `${person}@${name}.test`, password: AGED, user_id: `${name}-${person}` };
      await created(world.api().post('/users', body));
    }
    return made;
  };
  const elsewhere = (name: string, person: string) => ({
    configuration: {
      USERS: JSON.stringify([{ ...RON, user_id: `${name}-${person}`, email: `${person}@${name}.test` }]),
    },
  });

  it('lets nobody in while users are elsewhere', async () => {
    const moved = await kept('away', 'amy');
    await moved.change({ enabledDatabaseCustomization: true, ...elsewhere('away', 'amy') });
    expect((await logInAt(world, moved.name, 'amy@away.test', AGED)).json()).toMatchObject({ error: 'invalid_grant' });
    await scriptless(moved);
    expect((await logInAt(world, moved.name, 'amy@away.test', AGED)).json()).toMatchObject({ error: 'access_denied' });
  });

  it.each([
    ['kept here again', 'back', { enabledDatabaseCustomization: false }],
    ['imported', 'into', { enabledDatabaseCustomization: true, import_mode: true }],
  ])("is nobody's any more when users are %s after anybody logged in elsewhere", async (_what, name, options) => {
    const moved = await kept(name, 'amy', 'ben');
    await moved.change({ enabledDatabaseCustomization: true, ...elsewhere(name, 'amy') });
    expect((await logInAt(world, moved.name, `amy@${name}.test`, OLD)).statusCode).toBe(200);
    await moved.change(options);
    for (const person of ['amy', 'ben'])
      expect((await logInAt(world, moved.name, `${person}@${name}.test`, AGED)).json()).toMatchObject({
        error: 'invalid_grant',
      });
    await created(world.api().patch(`/users/auth0%7C${name}-ben`, { password: NEW, connection: moved.name }));
    expect((await logInAt(world, moved.name, `ben@${name}.test`, NEW)).statusCode).toBe(200);
  });

  it('is good as before where the directory was switched by mistake, and no script let anybody in', async () => {
    const moved = await kept('mistake', 'amy');
    await moved.change({ enabledDatabaseCustomization: true, ...elsewhere('mistake', 'nobody') });
    expect((await logInAt(world, moved.name, 'amy@mistake.test', AGED)).json()).toMatchObject({
      error: 'invalid_grant',
    });
    await moved.change({ enabledDatabaseCustomization: false });
    expect((await logInAt(world, moved.name, 'amy@mistake.test', AGED)).statusCode).toBe(200);
  });
});

const scriptless = (moved: CustomDirectory) => moved.change({ customScripts: {} });

async function refreshTokenOf(password: string): Promise<string> {
  const { client_id, client_secret } = world.password_client;
  const granted = await world.token({
    grant_type: 'http://auth0.com/oauth/grant-type/password-realm',
    client_id,
    client_secret,
    realm: directory.name,
    username: RON.email,
    password,
    scope: 'openid offline_access',
  });
  return String(granted.json().refresh_token);
}

function refreshWith(refresh_token: string) {
  const { client_id, client_secret } = world.password_client;
  return world.token({ grant_type: 'refresh_token', client_id, client_secret, refresh_token });
}

async function sessions(): Promise<unknown[]> {
  return (await world.api().get('/users/auth0%7Cron/sessions')).json().sessions;
}
