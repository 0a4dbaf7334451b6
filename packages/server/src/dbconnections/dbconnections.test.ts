import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailsTo } from '../../test/mails.ts';
import { createTestUser, enableDirectory, eventsOf, eventTypesOf, passwordGrant } from '../../test/protocol.ts';
import { startWorld, type World } from '../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const PASSWORD = 'Correct-horse-5';
const SENT = "We've just sent you an email to reset your password.";

function post(path: string, body: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, string>> = {}) {
  const json = { client_id: world.spa_client.client_id, connection: world.connection, ...body };
  return world.request({ path: `/dbconnections/${path}`, json, headers });
}

async function options(change: Readonly<Record<string, unknown>>) {
  const [{ id, options: before }] = (await world.api().get(`/connections?name=${world.connection}`)).json();
  await world.api().patch(`/connections/${id}`, { options: { ...before, ...change } });
  return () => world.api().patch(`/connections/${id}`, { options: before });
}

describe('POST /dbconnections/signup', () => {
  it('makes a user who can log in, and sends the link that verifies the address', async () => {
    const email = 'New@Example.org';
    const types = await eventTypesOf(world, async () => {
      const response = await post('signup', {
        email,
        password: PASSWORD,
        given_name: 'Nia',
        user_metadata: { plan: 'a' },
      });
      expect([response.statusCode, response.json()]).toEqual([
        200,
        {
          _id: expect.stringMatching(/^[0-9a-f]{24}$/),
          email: 'new@example.org',
          email_verified: false,
          given_name: 'Nia',
          user_metadata: { plan: 'a' },
        },
      ]);
    });
    expect(types).toEqual(['ss', 'svr']);
    expect(await mailsTo(world, 'new@example.org')).toHaveLength(1);
    expect((await passwordGrant(world, { username: email, password: PASSWORD })).statusCode).toBe(200);
  });

  it('takes a form as well, and nothing that a stranger may not say (attack M3)', async () => {
    const form = {
      client_id: world.spa_client.client_id,
      connection: world.connection,
      email: 'mass@example.org',
      password: PASSWORD,
      email_verified: 'true',
      app_metadata: '{"admin":true}',
      user_id: 'admin',
    };
    expect((await world.request({ path: '/dbconnections/signup', form })).statusCode).toBe(200);
    const [user] = (await world.api().get('/users-by-email?email=mass@example.org')).json();
    expect([user.email_verified, user.app_metadata, user.user_id === 'auth0|admin']).toEqual([false, undefined, false]);
  });

  it('says of a taken address only that the sign-up is invalid, unless the tenant wants it told', async () => {
    const { email } = await createTestUser(world, 'taken');
    const asked = () => post('signup', { email, password: PASSWORD });
    const types = await eventTypesOf(world, async () => {
      expect((await asked()).json()).toEqual({
        name: 'BadRequestError',
        code: 'invalid_signup',
        description: 'Invalid sign up',
        statusCode: 400,
      });
    });
    expect(types).toEqual(['fs']);
    await world.api().patch('/tenants/settings', { flags: { enable_public_signup_user_exists_error: true } });
    expect((await asked()).json()).toEqual({
      name: 'BadRequestError',
      code: 'user_exists',
      description: 'The user already exists.',
      statusCode: 400,
    });
    await world.api().patch('/tenants/settings', { flags: { enable_public_signup_user_exists_error: false } });
  });

  it('describes a weak password rule by rule', async () => {
    const undo = await options({ passwordPolicy: 'good' });
    const response = await post('signup', { email: 'weak@example.org', password: 'abc' });
    expect([response.statusCode, response.json()]).toEqual([
      400,
      {
        name: 'PasswordStrengthError',
        code: 'invalid_password',
        message: 'Password is too weak',
        statusCode: 400,
        policy: expect.stringContaining('* At least 8 characters in length'),
        description: { rules: expect.arrayContaining([expect.objectContaining({ verified: false })]), verified: false },
      },
    ]);
    await undo();
  });

  it.each([
    ['no address', { email: undefined }],
    ['no password', { password: undefined }],
    ['what is no address', { email: 'nobody' }],
    ['too much metadata', { user_metadata: Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`k${n}`, 'v'])) }],
    ['metadata that is no text', { user_metadata: { deep: { er: 1 } } }],
    ['metadata that is too long', { user_metadata: { long: 'x'.repeat(501) } }],
    ['another type', { email: { $ne: '' } }],
    ['a connection that is not there', { connection: 'nowhere' }],
    ['the directory of the administrators', { connection: 'gatewright-admins' }],
    ['an unknown application', { client_id: 'x'.repeat(32) }],
  ])('refuses %s, and makes nobody', async (_what, change) => {
    const response = await post('signup', { email: 'refused@example.org', password: PASSWORD, ...change });
    expect(response.statusCode, response.body).toBe(400);
    expect(response.json()).toMatchObject({
      statusCode: 400,
      code: expect.any(String),
      description: expect.anything(),
    });
    expect((await world.api().get('/users-by-email?email=refused@example.org')).json()).toEqual([]);
  });

  it('is closed where the connection is, or where it is not enabled for the application (attack L7)', async () => {
    const asked = () => post('signup', { email: 'late@example.org', password: PASSWORD });
    const undo = await options({ disable_signup: true });
    expect((await asked()).json()).toMatchObject({ code: 'public_signup_disabled', statusCode: 400 });
    await undo();
    await enableDirectory(world, world.spa_client.client_id, false);
    expect((await asked()).statusCode).toBe(400);
    await enableDirectory(world, world.spa_client.client_id, true);
    expect((await world.api().get('/users-by-email?email=late@example.org')).json()).toEqual([]);
  });

  it('is open to pages whose origin is registered, and to no other', async () => {
    const body = { email: 'cors@example.org', password: 'abc' };
    const known = await post('signup', body, { origin: 'http://localhost:5555' });
    expect(known.headers['access-control-allow-origin']).toBe('http://localhost:5555');
    const types = await eventTypesOf(world, async () => {
      const unknown = await post('signup', body, { origin: 'https://evil.example' });
      expect(unknown.headers['access-control-allow-origin']).toBeUndefined();
    });
    expect(types).toContain('fco');
  });
});

describe('POST /dbconnections/change_password', () => {
  it('answers the same sentence whoever is asked about, and the log knows (attack L1)', async () => {
    const { email, id } = await createTestUser(world, 'known');
    const blocked = await createTestUser(world, 'blocked');
    await world.api().patch(`/users/${encodeURIComponent(blocked.id)}`, { blocked: true });
    const answers: unknown[] = [];
    const events = await eventsOf(world, async () => {
      for (const address of [email, 'stranger@example.org', blocked.email, 'no address']) {
        const { statusCode, headers, body } = await post('change_password', { email: address });
        answers.push([statusCode, headers['content-type'], headers['content-length'], body]);
      }
    });
    expect(new Set(answers.map((one) => JSON.stringify(one)))).toEqual(
      new Set([JSON.stringify([200, 'text/html; charset=utf-8', String(SENT.length), SENT])]),
    );
    expect(events.map(({ type, user_id, description }) => [type, user_id ?? '', description ?? ''])).toEqual([
      ['scpr', id, ''],
      ['fcpr', '', 'User does not exist.'],
      ['fcpr', blocked.id, 'The user is blocked.'],
      ['fcpr', '', 'User does not exist.'],
    ]);
    expect(await mailsTo(world, email)).toHaveLength(1);
    expect(await world.app.stores.mails.list('dev', 1_000)).not.toContainEqual(
      expect.objectContaining({ to: 'stranger@example.org' }),
    );
  });

  it('ignores the password that old SDKs send along', async () => {
    const { email, password } = await createTestUser(world, 'oldsdk');
    await post('change_password', { email, password: 'Chosen-by-a-stranger-1' });
    expect((await passwordGrant(world, { username: email, password })).statusCode).toBe(200);
  });

  it.each([
    ['no application', { client_id: undefined }, 'client_id is required'],
    ['no connection', { connection: undefined }, 'connection is required'],
    ['no address', {}, 'email is required'],
    ['a connection that is not there', { email: 'a@example.org', connection: 'nowhere' }, 'connection not found'],
  ])('names what is wrong with %s', async (_what, body, error) => {
    const response = await post('change_password', body);
    expect([response.statusCode, response.json()]).toEqual([400, { error }]);
  });

  it('is limited by address and place, for known and unknown addresses alike', async () => {
    const { email } = await createTestUser(world, 'flood');
    for (const address of [email, 'flood-of-nobody@example.org']) {
      const statuses: number[] = [];
      for (let count = 0; count < 11; count++)
        statuses.push((await post('change_password', { email: address })).statusCode);
      expect(statuses).toEqual([...Array(10).fill(200), 429]);
    }
  });

  it('is closed where the connection says so', async () => {
    const undo = await options({ disable_self_service_change_password: true });
    const { email } = await createTestUser(world, 'closed');
    expect((await post('change_password', { email })).statusCode).toBe(400);
    expect(await mailsTo(world, email)).toEqual([]);
    await undo();
  });
});

describe('the challenges of /dbconnections', () => {
  it.each(['signup/challenge', 'change_password/challenge'])('%s: none is required', async (path) => {
    const response = await post(path, { state: 'x' });
    expect([response.statusCode, response.json()]).toEqual([200, { required: false }]);
  });
});
