import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkMailedTo } from '../mails.ts';
import { answer, created, eventsOf } from '../protocol.ts';
import type { Visitor } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';
import { type CustomDirectory, createCustomDirectory, logInAt, TABLE } from './custom-directory.ts';

const PASSWORD = 'Correct-horse-5';
const ZOE = { user_id: 'zoe', email: 'zoe@legacy.test', email_verified: true, secret: 'zoes-password' };
const BROKEN = 'function () { arguments[arguments.length - 1](new Error("db.internal:5432 refused")); }';
const LATER = /try again in a moment/;

let world: World;
let directory: CustomDirectory;
beforeAll(async () => {
  world = await startWorld();
  directory = await createCustomDirectory(world, 'legacy', TABLE, {
    configuration: { USERS: JSON.stringify([ZOE]) },
  });
});
afterAll(() => world.stop());

const scripts = (changed: Readonly<Record<string, string>>) =>
  directory.change({ customScripts: { ...TABLE, ...changed } });
const loginPage = async (visitor: Visitor) => (await visitor.authorize({ connection: directory.name })).response;

describe('a script that fails', () => {
  it('is told on the login page as something that passes, and in the log with its name and stack', async () => {
    await scripts({ login: BROKEN });
    const visitor = world.visitor();
    const [event] = await eventsOf(world, async () => {
      const page = await visitor.submit(await loginPage(visitor), { username: ZOE.email, password: ZOE.secret });
      expect(page.body).toMatch(LATER);
      expect(page.body).not.toContain('db.internal');
    });
    expect(event).toMatchObject({
      type: 'f',
      connection: directory.name,
      user_name: ZOE.email,
      description: 'The database script login failed: db.internal:5432 refused',
      details: { script: { name: 'login', failure: 'threw' } },
    });
    await scripts({});
    const done = await visitor.follow(
      await visitor.submit(await loginPage(visitor), { username: ZOE.email, password: ZOE.secret }),
    );
    expect(String(done.headers.location)).toContain('code=');
  });

  it.each(['Error', 'ValidationError'])(
    'tells the log no password, where its %s has the one that was typed or what the connection keeps secret',
    async (name) => {
      const error =
        name === 'Error'
          ? "new Error('near ' + password + ' at ' + configuration.DSN)"
          : "new ValidationError('weak', 'near ' + password)";
      await scripts({ login: `function (email, password, callback) { callback(${error}); }` });
      await directory.change({ configuration: { USERS: '[]', DSN: 'server=db;secret=dsn-secret' } });
      const events = await eventsOf(world, async () => {
        expect((await logInAt(world, directory.name, ZOE.email, "x'hunter2y")).statusCode).toBe(403);
      });
      await directory.change({ configuration: { USERS: JSON.stringify([ZOE]) }, customScripts: TABLE });
      expect(events.at(-1)).toMatchObject({
        details: { script: { name: 'login', error_message: expect.stringContaining('near *****') } },
      });
      expect(JSON.stringify(events)).not.toMatch(/hunter2y|dsn-secret/);
    },
  );

  it('ends a login of an application with a form of its own, too', async () => {
    await scripts({ login: BROKEN });
    const json = {
      client_id: world.spa_client.client_id,
      credential_type: 'http://auth0.com/oauth/grant-type/password-realm',
      realm: directory.name,
      username: ZOE.email,
      password: ZOE.secret,
    };
    const headers = { origin: 'http://localhost:5555' };
    await created(
      world.api().patch(`/clients/${json.client_id}`, {
        cross_origin_authentication: true,
        web_origins: [headers.origin],
      }),
    );
    const { status, body } = await answer(world.request({ path: '/co/authenticate', json, headers }));
    expect({ status, body }).toMatchObject({ status: 403, body: { error: 'access_denied' } });
    expect(JSON.stringify(body)).not.toContain('db.internal');
    await scripts({});
  });

  it('signs nobody up, and says so on the page', async () => {
    for (const [changed, name] of [
      [{ get_user: BROKEN }, 'get_user'],
      [{ create: BROKEN }, 'create'],
      [{}, 'create'],
    ] as const) {
      await scripts(changed);
      const visitor = world.visitor();
      const login = await loginPage(visitor);
      const [, link = ''] = /<a[^>]* href="(\/u\/signup[^"]+)"/.exec(login.body) ?? [];
      const form = await visitor.get(link.replaceAll('&amp;', '&'));
      const [event] = await eventsOf(world, async () => {
        const page = await visitor.submit(form, { email: 'neu@legacy.test', password: PASSWORD });
        expect(page.body).toMatch(LATER);
      });
      expect(event).toMatchObject({ type: 'fs', details: { script: { name } } });
    }
    await scripts({});
  });

  it('refuses a sign-up that create calls a duplicate as one of a taken address', async () => {
    await scripts({ create: 'function (user, callback) { callback(new ValidationError("user_exists", "taken")); }' });
    const json = {
      client_id: world.spa_client.client_id,
      connection: directory.name,
      email: 'two@legacy.test',
      password: PASSWORD,
    };
    const refused = await answer(world.request({ path: '/dbconnections/signup', json }));
    const known = await answer(world.request({ path: '/dbconnections/signup', json: { ...json, email: ZOE.email } }));
    expect(refused).toEqual(known);
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_signup' } });
    await scripts({});
  });

  it('leaves the link to a new password good for another attempt', async () => {
    const change = 'function (email, password, callback) { callback(null, true); }';
    await logInAt(world, directory.name, ZOE.email, ZOE.secret);
    const visitor = world.visitor();
    await world.request({
      path: '/dbconnections/change_password',
      json: { client_id: world.spa_client.client_id, connection: directory.name, email: ZOE.email },
    });
    const form = await visitor.follow(await visitor.get(await linkMailedTo(world, ZOE.email)));
    for (const broken of [BROKEN, 'function (email, password, callback) { callback(null, false); }']) {
      await scripts({ change_password: broken });
      const [event] = await eventsOf(world, async () => {
        const page = await visitor.submit(form, { password: PASSWORD, password_again: PASSWORD });
        expect(page.body).toMatch(LATER);
      });
      expect(event).toMatchObject({ type: 'fcp', details: { script: { name: 'change_password' } } });
    }
    await scripts({ change_password: change });
    const twice = await Promise.all(
      [1, 2].map(() => visitor.submit(form, { password: PASSWORD, password_again: PASSWORD })),
    );
    expect(twice.filter(({ body }) => body.includes('Your password is changed'))).toHaveLength(1);
    await scripts({});
  });

  it('is told to operators by name, and changes nothing here', async () => {
    await logInAt(world, directory.name, ZOE.email, ZOE.secret);
    await scripts({ delete: BROKEN, change_email: BROKEN, change_password: BROKEN });
    const path = '/users/auth0%7Czoe';
    const name = { connection: directory.name };
    for (const [script, asked] of [
      ['delete', world.api().delete(path)],
      ['change_email', world.api().patch(path, { email: 'zo@legacy.test', ...name })],
      ['change_password', world.api().patch(path, { password: PASSWORD, ...name })],
    ] as const)
      expect(await answer(asked)).toMatchObject({
        status: 400,
        body: {
          errorCode: 'auth0_idp_error',
          message: `The database script ${script} failed: db.internal:5432 refused`,
        },
      });
    expect(await answer(world.api().patch(path, { username: 'zoe', ...name }))).toMatchObject({
      status: 400,
      body: { errorCode: 'operation_not_supported' },
    });
    expect(await answer(world.api().get(path))).toMatchObject({ status: 200, body: { email: ZOE.email } });
    await scripts({});
  });

  it('keeps strangers out of an importing directory that can not be asked who is there', async () => {
    const importing = await createCustomDirectory(world, 'importing', { login: TABLE.login }, { import_mode: true });
    const json = { client_id: world.spa_client.client_id, connection: importing.name };
    const asked = world.request({
      path: '/dbconnections/signup',
      json: { ...json, email: 'victim@legacy.test', password: PASSWORD },
    });
    expect(await answer(asked)).toMatchObject({ status: 403 });
  });

  it('is a warning where it calls back twice', async () => {
    await scripts({
      login:
        'function (email, password, callback) { callback(new WrongUsernameOrPasswordError()); callback(null, {}); }',
    });
    const events = await eventsOf(world, () => logInAt(world, directory.name, ZOE.email, ZOE.secret));
    expect(events.find(({ type }) => type === 'w')).toMatchObject({ details: { script: { name: 'login' } } });
    await scripts({});
  });
});

describe('the configuration of scripts', () => {
  it('is sealed, shown to nobody, and kept by tools that send the options back', async () => {
    const secret = 'postgres://people:s3cret-value@db.internal/people';
    const login = `function (email, password, callback) { callback(null, { user_id: 'conf', email, is_it: configuration.URL.split('').reverse().join('') === '${secret.split('').reverse().join('')}' }); }`;
    const made = await createCustomDirectory(
      world,
      'configured',
      { ...TABLE, login },
      {
        bareConfiguration: { URL: secret, OTHER: 'x' },
      },
    );
    const read = await world.api().get(`/connections/${made.id}`);
    expect(read.json().options.configuration).toEqual({ URL: '_VALUE_NOT_SHOWN_', OTHER: '_VALUE_NOT_SHOWN_' });
    await made.change({ configuration: { URL: '_VALUE_NOT_SHOWN_', OTHER: null } });
    expect((await logInAt(world, made.name, 'conf@legacy.test', 'x')).statusCode).toBe(200);
    expect((await world.api().get('/users/auth0%7Cconf')).json()).toMatchObject({ is_it: true });
    const { rows } = await world.database.pool.query(
      "select body::text, encode(script_configuration, 'escape') as sealed from connections where id = $1",
      [made.id],
    );
    expect(JSON.stringify([rows, await world.events(), read.body])).not.toContain('s3cret-value');
    expect((await world.api().get(`/connections/${made.id}`)).json().options.configuration).toEqual({
      URL: '_VALUE_NOT_SHOWN_',
    });
  });

  it.each([
    ['a shown value of an export', { configuration: { KEY: '_VALUE_NOT_SHOWN_' } }],
    ['a script that is too large', { customScripts: { login: 'x'.repeat(102_401) } }],
    ['a value that is too large', { configuration: { KEY: 'x'.repeat(20_000) } }],
  ])('refuses %s', async (_what, options) => {
    const asked = world.api().post('/connections', { name: 'refused', strategy: 'auth0', options });
    expect(await answer(asked)).toMatchObject({ status: 400, body: { errorCode: 'invalid_body' } });
  });

  it("is not a script's of another connection", async () => {
    const login =
      "function (email, password, callback) { callback(null, { user_id: 'own', email, seen: Object.keys(configuration) }); }";
    const { name } = await createCustomDirectory(world, 'own', { login }, { configuration: { MINE: 'x' } });
    await logInAt(world, name, 'own@legacy.test', 'x');
    expect((await world.api().get('/users/auth0%7Cown')).json()).toMatchObject({ seen: ['MINE'] });
    await created(world.api().delete('/users/auth0%7Cown')).catch(() => undefined);
  });
});
