import { afterAll, beforeAll, expect, it } from 'vitest';
import { answer, eventsOf } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { type CustomDirectory, createCustomDirectory, logInAt, TABLE } from './custom-directory.ts';

const IDA = { user_id: 'ida', email: 'ida@legacy.test', secret: 'idas-password' };
const TIMEOUT = { failure: 'timeout' };

let world: World;
let directory: CustomDirectory;
beforeAll(async () => {
  world = await startWorld({ containerLimits: { jobMs: 3_000, killsUntilOpen: 1_000 } });
  directory = await createCustomDirectory(world, 'legacy', TABLE, { configuration: { USERS: JSON.stringify([IDA]) } });
});
afterAll(() => world.stop());

const logIn = () => answer(logInAt(world, directory.name, IDA.email, IDA.secret));

it.each([
  ['never calls back', 'function (...given) {}'],
  ['is an endless loop', 'function (...given) { for (;;); }'],
])('a login whose script %s is refused with one event, and the next one works', async (_what, login) => {
  await directory.change({ customScripts: { ...TABLE, login } });
  const events = await eventsOf(world, async () => {
    expect(await logIn()).toEqual({
      status: 403,
      body: { error: 'access_denied', error_description: 'The login could not be completed' },
    });
  });
  expect(events.map(({ type }) => type)).toEqual(['f', 'fepft']);
  expect(events[0]).toMatchObject({ details: { script: { name: 'login', ...TIMEOUT } } });
  await directory.change({ customScripts: TABLE });
  expect(await logIn()).toMatchObject({ status: 200 });
});

it('a sign-up and a change whose scripts pass it change nothing here, and say so', async () => {
  const endless = 'function (...given) {}';
  await directory.change({ customScripts: { ...TABLE, create: endless, change_email: endless } });
  const json = {
    client_id: world.spa_client.client_id,
    connection: directory.name,
    email: 'new@legacy.test',
    password: 'Correct-horse-5',
  };
  const events = await eventsOf(world, async () => {
    expect(await answer(world.request({ path: '/dbconnections/signup', json }))).toMatchObject({ status: 403 });
  });
  expect(events).toMatchObject([{ type: 'fs', details: { script: { name: 'create', ...TIMEOUT } } }]);
  expect((await world.api().get(`/users-by-email?email=${json.email}`)).json()).toEqual([]);
  const change = { email: 'ida@new.test', connection: directory.name };
  expect(await answer(world.api().patch('/users/auth0%7Cida', change))).toMatchObject({
    status: 400,
    body: { message: 'The database script change_email failed: it did not call its callback within the time limit' },
  });
  await directory.change({ customScripts: TABLE });
  expect(await logIn()).toMatchObject({ status: 200 });
});
