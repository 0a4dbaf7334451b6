import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkMailedTo, mailsTo } from '../mails.ts';
import { answer, created, eventTypesOf } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { type CustomDirectory, createCustomDirectory, logInAt } from './custom-directory.ts';
import { startPeopleApi, startPeopleDatabase, template } from './legacy-stores.ts';

const PASSWORD = 'Correct-horse-5';
const NEW = 'A-quite-new-horse-9';
const ALL = ['login', 'get_user', 'create', 'verify', 'change_password', 'change_email', 'delete'];

let world: World;
let people: Awaited<ReturnType<typeof startPeopleDatabase>>;
let api: Awaited<ReturnType<typeof startPeopleApi>>;
beforeAll(async () => {
  [world, people, api] = await Promise.all([
    startWorld(),
    startPeopleDatabase(),
    startPeopleApi('k3y', { email: 'mo@api.test', password: 'mos-password' }),
  ]);
  for (const target of [people.target, api.target]) await world.app.stores.egress.allow('dev', 'intranet', target);
  world.app.forget('dev');
});
afterAll(async () => {
  await world?.stop();
  await people?.stop();
  api?.stop();
});

const userOf = async (id: string) => (await world.api().get(`/users/${encodeURIComponent(id)}`)).json();

describe('the scripts for PostgreSQL', () => {
  let directory: CustomDirectory;
  beforeAll(async () => {
    directory = await createCustomDirectory(world, 'people', template('postgresql', ...ALL), {
      configuration: { DATABASE_URL: people.url },
    });
  });
  const logIn = (email: string, password: string) => logInAt(world, directory.name, email, password);
  const dbconnections = (path: string, body: object) =>
    world.request({
      path: `/dbconnections/${path}`,
      json: { client_id: world.spa_client.client_id, connection: directory.name, ...body },
    });

  it('log in who is in the table, and nobody else', async () => {
    const id = await people.add('old@people.test', 'olds-password');
    expect((await logIn('old@people.test', 'olds-password')).statusCode).toBe(200);
    expect(await userOf(`auth0|${id}`)).toMatchObject({ email: 'old@people.test', nickname: 'old', logins_count: 1 });
    expect((await logIn('old@people.test', 'wrong')).json()).toMatchObject({ error: 'invalid_grant' });
    expect((await logIn("x' or '1'='1@people.test", 'x')).json()).toMatchObject({ error: 'invalid_grant' });
  });

  it('sign up, verify, reset, change and delete a user there', async () => {
    const email = 'new@people.test';
    expect(await answer(dbconnections('signup', { email, password: PASSWORD }))).toMatchObject({
      status: 200,
      body: { email, email_verified: false },
    });
    expect(await answer(dbconnections('signup', { email, password: PASSWORD }))).toMatchObject({ status: 400 });
    expect((await people.rows()).filter((row) => row.email === email)).toEqual([{ email, email_verified: false }]);

    const visitor = world.visitor();
    expect((await visitor.follow(await visitor.get(await linkMailedTo(world, email)))).statusCode).toBe(200);
    expect(await people.rows()).toContainEqual({ email, email_verified: true });

    expect((await dbconnections('change_password', { email })).statusCode).toBe(200);
    const page = await visitor.follow(await visitor.get(await linkMailedTo(world, email)));
    const types = await eventTypesOf(world, async () => {
      const done = await visitor.submit(page, { password: NEW, password_again: NEW });
      expect(done.body).toContain('Your password is changed');
    });
    expect(types).toEqual(['scp']);
    expect((await logIn(email, PASSWORD)).json()).toMatchObject({ error: 'invalid_grant' });
    expect((await logIn(email, NEW)).statusCode).toBe(200);

    const [{ user_id }] = (await world.api().get(`/users-by-email?email=${email}`)).json();
    const path = `/users/${encodeURIComponent(user_id)}`;
    await created(world.api().patch(path, { email: 'newer@people.test', email_verified: true }));
    expect(await people.rows()).toContainEqual({ email: 'newer@people.test', email_verified: true });
    await created(world.api().patch(path, { password: PASSWORD, connection: directory.name }));
    expect((await logIn('newer@people.test', PASSWORD)).statusCode).toBe(200);
    expect((await logIn('newer@people.test', NEW)).json()).toMatchObject({ error: 'invalid_grant' });

    expect((await world.api().delete(path)).statusCode).toBe(204);
    expect((await people.rows()).map((row) => row.email)).not.toContain('newer@people.test');
    expect((await logIn('newer@people.test', PASSWORD)).json()).toMatchObject({ error: 'invalid_grant' });
  });

  it('make the users of POST /users there', async () => {
    const body = { connection: directory.name, email: 'made@people.test', password: PASSWORD, app_metadata: { a: 1 } };
    const user = await created(world.api().post('/users', body));
    expect(user).toMatchObject({ email: 'made@people.test', app_metadata: { a: 1 } });
    expect((await people.rows()).map((row) => row.email)).toContain('made@people.test');
    expect(await answer(world.api().post('/users', body))).toMatchObject({
      status: 409,
      body: { message: 'The user already exists.' },
    });
  });

  it('mail a link to somebody who has never logged in here, and to nobody else', async () => {
    await people.add('silent@people.test', 'x');
    await dbconnections('change_password', { email: 'silent@people.test' });
    expect(await mailsTo(world, 'silent@people.test')).toHaveLength(1);
    await dbconnections('change_password', { email: 'nobody@people.test' });
    expect(await mailsTo(world, 'nobody@people.test')).toEqual([]);
  });

  it('move users in: login and get_user alone', async () => {
    const importing = await createCustomDirectory(world, 'moving', template('postgresql', 'login', 'get_user'), {
      import_mode: true,
      configuration: { DATABASE_URL: people.url },
    });
    // Ids of two directories must differ: the users of the other one have these by now.
    const id = await people.add('moved@people.test', 'moveds-password');
    const taken = { client_id: world.spa_client.client_id, connection: importing.name };
    expect(
      await answer(
        world.request({
          path: '/dbconnections/signup',
          json: { ...taken, email: 'moved@people.test', password: PASSWORD },
        }),
      ),
    ).toMatchObject({ status: 400 });
    expect((await logInAt(world, importing.name, 'moved@people.test', 'moveds-password')).statusCode).toBe(200);
    await importing.change({ configuration: { DATABASE_URL: 'postgres://nowhere.invalid/' } });
    expect((await logInAt(world, importing.name, 'moved@people.test', 'moveds-password')).statusCode).toBe(200);
    expect(await userOf(`auth0|${id}`)).toMatchObject({ email: 'moved@people.test', logins_count: 2 });
  });

  it('reach nothing that the operator has not opened', async () => {
    await world.app.stores.egress.remove('dev', people.target);
    world.app.forget('dev');
    expect(await answer(logIn('old@people.test', 'olds-password'))).toMatchObject({
      status: 403,
      body: { error: 'access_denied', error_description: 'The login could not be completed' },
    });
    await world.app.stores.egress.allow('dev', 'intranet', people.target);
    world.app.forget('dev');
  });
});

describe('the scripts for an HTTP API', () => {
  it('log in with axios, and find users with request', async () => {
    const { name } = await createCustomDirectory(world, 'api', template('http-api', 'login', 'get_user'), {
      configuration: { API_URL: api.url, API_KEY: 'k3y' },
    });
    expect((await logInAt(world, name, 'mo@api.test', 'mos-password')).statusCode).toBe(200);
    expect(await userOf('auth0|42')).toMatchObject({ email: 'mo@api.test', nickname: 'mo', email_verified: true });
    expect((await logInAt(world, name, 'mo@api.test', 'wrong')).json()).toMatchObject({ error: 'invalid_grant' });
    const ask = (email: string) =>
      world.request({
        path: '/dbconnections/change_password',
        json: { client_id: world.spa_client.client_id, connection: name, email },
      });
    await ask('mo@api.test');
    await ask('nobody@api.test');
    expect(api.calls).toEqual(['/logins', '/logins', '/users', '/users']);
    expect(await mailsTo(world, 'mo@api.test')).toHaveLength(1);
    expect(await mailsTo(world, 'nobody@api.test')).toEqual([]);
  });
});
