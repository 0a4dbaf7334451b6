import { afterAll, beforeAll, expect, it } from 'vitest';
import { linkMailedTo } from '../mails.ts';
import { eventsOf, eventTypesOf } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { type CustomDirectory, createCustomDirectory, logInAt, TABLE } from './custom-directory.ts';
import { atTheGate, startGate } from './gate.ts';

const PASSWORD = 'evas-password';
const DONE = 'callback(null, true);';

let world: World;
let gate: Awaited<ReturnType<typeof startGate>>;
let directory: CustomDirectory;
beforeAll(async () => {
  world = await startWorld();
  gate = await startGate(world);
  directory = await createCustomDirectory(world, 'legacy', TABLE, { configuration: { USERS: '[]', GATE: gate.url } });
});
afterAll(async () => {
  await world?.stop();
  gate?.stop();
});

/** A user of the other database with an address that nobody has proved, and the link that proves it. */
async function linkOf(name: string, verify: string): Promise<string> {
  const user = { user_id: name, email: `${name}@legacy.test`, email_verified: false, secret: PASSWORD };
  await directory.change({
    customScripts: { ...TABLE, verify },
    configuration: { USERS: JSON.stringify([user]), GATE: gate.url },
  });
  expect((await logInAt(world, directory.name, user.email, PASSWORD)).statusCode).toBe(200);
  expect((await world.api().post('/jobs/verification-email', { user_id: `auth0|${name}` })).statusCode).toBe(201);
  return linkMailedTo(world, user.email);
}
const isVerified = async (name: string) =>
  (await world.api().get(`/users/auth0%7C${name}`)).json().email_verified as boolean;

it('a link that is opened twice at once runs verify once, and both are told that all is well', async () => {
  const link = await linkOf('eva', atTheGate(DONE));
  const before = gate.arrivals();
  const arrived = gate.arrival();
  const types = await eventTypesOf(world, async () => {
    const first = world.visitor().get(link);
    const open = await arrived;
    const second = world.visitor().get(link);
    open();
    const pages = await Promise.all([first, second]);
    expect(pages.map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    expect(pages[0]?.body).toContain('Your email address is verified');
    expect(pages[1]?.body).toContain('is verified already');
  });
  expect(gate.arrivals() - before).toBe(1);
  expect(types).toEqual(['sv']);
});

it.each([
  ['throws', 'callback(new Error("db.internal refused"));'],
  ['says no', 'callback(null, false);'],
])('a link whose script %s proves nothing, and is good for another click', async (what, answer) => {
  const name = `failing-${what.replace(' ', '-')}`;
  const link = await linkOf(name, `function (email, callback) { ${answer} }`);
  const [event] = await eventsOf(world, async () => {
    expect((await world.visitor().get(link)).statusCode).toBe(403);
  });
  expect(event).toMatchObject({ type: 'fv', details: { script: { name: 'verify' } } });
  expect(await isVerified(name)).toBe(false);
  await directory.change({ customScripts: { ...TABLE, verify: `function (email, callback) { ${DONE} }` } });
  expect((await world.visitor().get(link)).body).toContain('Your email address is verified');
  expect(await isVerified(name)).toBe(true);
});

it('a link is good again a minute after the server was killed while its script ran', async () => {
  const link = await linkOf('kim', atTheGate(DONE));
  const arrived = gate.arrival();
  const opened = world.visitor().get(link);
  const open = await arrived;
  const { pool } = world.database;
  await pool.query(`create function break_off() returns trigger language plpgsql as $$ begin raise 'killed'; end $$`);
  await pool.query('create trigger break_off before update on tickets execute function break_off()');
  open();
  expect((await opened).statusCode).toBe(500);
  await pool.query('drop function break_off() cascade');
  expect(await isVerified('kim')).toBe(false);
  world.advance(61_000);
  expect((await world.visitor().get(link)).body).toContain('Your email address is verified');
  expect(await isVerified('kim')).toBe(true);
});
