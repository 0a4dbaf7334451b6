import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkMailedTo } from '../mails.ts';
import { answer, created, eventsOf } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { createPersonDirectory, logInAt, TABLE, THEIR_PASSWORD } from './custom-directory.ts';
import { atTheGate, startGate } from './gate.ts';

const NEW = 'A-quite-new-horse-9';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const directoryOf = (profile: object, options: object = {}) => createPersonDirectory(world, profile, options);

describe('the context of scripts', () => {
  /** Fails unless it is called with these types, an empty context and a callback. */
  const taking = (types: string, said: string) => `function (...given) {
    const callback = given.pop();
    const context = given.pop();
    if (JSON.stringify(context) !== '{}' || String(given.map((one) => typeof one)) !== '${types}')
      return callback(new Error('called with ' + JSON.stringify([...given, context])));
    callback(null, ${said});
  }`;

  it('comes before the callback of each script, and stays on once it was', async () => {
    const there = await directoryOf({}, { enable_script_context: true });
    const person = `{ user_id: '${there.name}', email: '${there.email}' }`;
    await there.change({
      enable_script_context: false,
      customScripts: {
        login: taking('string,string', person),
        get_user: taking('string', person),
        verify: taking('string', 'true'),
        change_password: taking('string,string', 'true'),
        change_email: taking('string,string,boolean', 'true'),
        delete: taking('string', 'null'),
      },
    });
    expect((await world.api().get(`/connections/${there.id}`)).json().options).toMatchObject({
      enable_script_context: true,
    });
    await there.logIn();
    await created(world.api().post('/jobs/verification-email', { user_id: `auth0|${there.name}` }));
    expect((await world.visitor().get(await linkMailedTo(world, there.email))).statusCode).toBe(200);
    await created(world.api().patch(`/users/${there.userId}`, { password: NEW, connection: there.name }));
    await created(world.api().patch(`/users/${there.userId}`, { email: `new-${there.email}` }));
    expect((await world.api().delete(`/users/${there.userId}`)).statusCode).toBe(204);
    const signup = await directoryOf({}, { enable_script_context: true });
    const scripts = {
      get_user: taking('string', 'null'),
      create: taking('object', 'null'),
      login: taking('string,string', person),
    };
    await signup.change({ customScripts: scripts });
    const body = { connection: signup.name, email: `made-${there.email}`, password: NEW };
    expect(await answer(world.api().post('/users', body))).toMatchObject({ status: 201 });
  });
});

describe('an address or name that is changed in another database', () => {
  const MUST_NOT_RUN = 'function (...given) { given.at(-1)(new Error("must not run")); }';

  it('is found to be taken before a script has changed it there', async () => {
    const there = await directoryOf({ username: 'cust-3' }, { requires_username: true });
    await there.logIn();
    const first = await there.read();
    await there.says({ user_id: `${there.name}-2`, username: 'cust-4', email: `other-${there.email}` });
    expect((await logInAt(world, there.name, `other-${there.email}`, THEIR_PASSWORD)).statusCode).toBe(200);
    await there.change({ customScripts: { ...TABLE, change_email: MUST_NOT_RUN, change_username: MUST_NOT_RUN } });
    for (const [change, message] of [
      [{ email: `other-${there.email}` }, 'The user already exists.'],
      [{ username: 'CUST-4' }, 'The username already exists.'],
    ] as const)
      expect(await answer(world.api().patch(`/users/${there.userId}`, change))).toMatchObject({
        status: 409,
        body: { message },
      });
    expect(await there.read()).toEqual(first);
  });

  it('is found to be taken by whoever takes it while the script changes it there', async () => {
    const gate = await startGate(world);
    const there = await directoryOf({});
    await there.logIn();
    const first = await there.read();
    const wanted = `wanted-${there.email}`;
    const users = JSON.stringify([
      { user_id: there.name, email: there.email, secret: THEIR_PASSWORD },
      { user_id: `${there.name}-2`, email: wanted, secret: THEIR_PASSWORD },
    ]);
    await there.change({
      customScripts: { ...TABLE, change_email: atTheGate('callback(null, true);') },
      configuration: { USERS: users, GATE: gate.url },
    });
    const arrived = gate.arrival();
    const changing = world.api().patch(`/users/${there.userId}`, { email: wanted });
    const open = await arrived;
    expect((await logInAt(world, there.name, wanted, THEIR_PASSWORD)).statusCode).toBe(200);
    open();
    expect((await changing).statusCode).toBe(409);
    expect(await there.read()).toEqual(first);
    gate.stop();
  });

  it('is a name that change_username changes, where there is such a script', async () => {
    const there = await directoryOf({ username: 'cust-5' }, { requires_username: true });
    await there.logIn();
    const change_username = `function (username, newUsername, callback) {
      callback(null, username === 'cust-5' && newUsername === 'cust-6');
    }`;
    expect((await world.api().patch(`/users/${there.userId}`, { username: 'cust-6' })).statusCode).toBe(400);
    await there.change({ customScripts: { ...TABLE, change_username } });
    expect((await world.api().patch(`/users/${there.userId}`, { username: 'cust-7' })).statusCode).toBe(400);
    expect(await created(world.api().patch(`/users/${there.userId}`, { username: 'Cust-6' }))).toMatchObject({
      username: 'cust-6',
    });
  });
});

describe('a sign-up whose script answers the id of somebody else', () => {
  it.each([
    ['of this directory', (own: string) => own],
    ['of another directory', (_own: string, other: string) => other],
  ])('is refused, and nobody is changed (%s)', async (_what, choose) => {
    const [there, other] = [await directoryOf({ name: 'The owner' }), await directoryOf({ name: 'A stranger' })];
    await there.logIn();
    await other.logIn();
    const before = [await there.read(), await other.read()];
    const id = choose(there.name, other.name);
    await there.change({
      customScripts: {
        get_user: 'function (email, callback) { callback(null); }',
        create: 'function (user, callback) { callback(null); }',
        login: `function (email, password, callback) { callback(null, { user_id: '${id}', email, name: 'Thief', app_metadata: { admin: true } }); }`,
      },
    });
    const json = {
      client_id: world.spa_client.client_id,
      connection: there.name,
      email: `thief-${there.email}`,
      password: NEW,
    };
    const [event] = await eventsOf(world, async () => {
      const refused = await world.request({ path: '/dbconnections/signup', json });
      expect(refused.statusCode).toBeGreaterThanOrEqual(400);
    });
    expect(event).toMatchObject({ type: 'fs' });
    const byOperator = await world.api().post('/users', { connection: there.name, email: json.email, password: NEW });
    expect(byOperator.statusCode).toBeGreaterThanOrEqual(400);
    expect([await there.read(), await other.read()]).toEqual(before);
  });
});

it('deleting a connection deletes its users here and runs no script: they stay in the other database', async () => {
  const gate = await startGate(world);
  const there = await directoryOf({});
  await there.logIn();
  await there.change({
    customScripts: { ...TABLE, delete: atTheGate('callback(null);') },
    configuration: { GATE: gate.url },
  });
  expect((await world.api().delete(`/connections/${there.id}`)).statusCode).toBe(202);
  expect((await there.read()).statusCode).toBe(404);
  expect(gate.arrivals()).toBe(0);
  gate.stop();
});
