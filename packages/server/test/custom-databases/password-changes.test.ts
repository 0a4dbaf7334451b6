import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkMailedTo } from '../mails.ts';
import { created } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { type CustomDirectory, createCustomDirectory, logInAt, TABLE } from './custom-directory.ts';

const OLD = 'rons-old-password';
const NEW = 'A-quite-new-horse-9';
const RON = { user_id: 'ron', email: 'ron@legacy.test', email_verified: true, secret: OLD };
/** Says yes or no as always, but not before the test lets it. */
const atTheGate = (answer: string) => `async function (...given) {
  const callback = given.at(-1);
  try { await require('axios').get(configuration.GATE); } catch (error) { return callback(error); }
  ${answer}
}`;
const KNOWN = 'callback(null, { user_id: "ron", email: "ron@legacy.test", email_verified: true });';

let world: World;
let gate: Awaited<ReturnType<typeof startGate>>;
let directory: CustomDirectory;
beforeAll(async () => {
  [world, gate] = await Promise.all([startWorld(), startGate()]);
  await world.app.stores.egress.allow('dev', 'intranet', gate.target);
  world.app.forget('dev');
  directory = await createCustomDirectory(world, 'legacy', TABLE, {
    configuration: { USERS: JSON.stringify([RON]), GATE: `http://${gate.target}/` },
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
  ])('ends what was opened with the old one while its script ran, when that %s', async (_what, answer, said) => {
    await scripts({ change_password: atTheGate(answer) });
    const submit = await resetForm();
    const arrived = gate.arrival();
    const changed = submit();
    const open = await arrived;
    const thief = world.visitor();
    const page = (await thief.authorize({ connection: directory.name })).response;
    const inside = await thief.follow(await thief.submit(page, { username: RON.email, password: OLD }));
    expect(String(inside.headers.location)).toContain('code=');
    expect(await sessions()).toHaveLength(1);
    open();
    expect((await changed).body).toContain(said);
    expect(await sessions()).toEqual([]);
  });

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
});

async function sessions(): Promise<unknown[]> {
  return (await world.api().get('/users/auth0%7Cron/sessions')).json().sessions;
}

/** A server that answers when the test says so. */
async function startGate() {
  let told: ((open: () => void) => void) | undefined;
  const server = createServer((_request, response) => told?.(() => void response.end('{}')));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    target: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrival: () =>
      new Promise<() => void>((resolve) => {
        told = resolve;
      }),
    stop: () => void server.close(),
  };
}
