import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectOf } from '../../src/kit/json-values.ts';
import { createCustomDirectory, TABLE } from '../custom-databases/custom-directory.ts';
import { created, eventsOf } from '../protocol.ts';
import { type ManagementClient, startWorld, type World } from '../world.ts';
import { action, setActions } from './actions.ts';

let world: World;
let manage: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
});
afterAll(() => world.stop());

const before = (...bodies: string[]) =>
  setActions(
    world,
    'pre-user-registration',
    bodies.map((body) => action('onExecutePreUserRegistration', body)),
  );

let serial = 0;
const PASSWORD = 'Correct-horse-battery-7';

const signUp = (body: Record<string, unknown> = {}) =>
  world.request({
    path: '/dbconnections/signup',
    json: {
      client_id: world.spa_client.client_id,
      connection: world.connection,
      email: `new-${++serial}@example.org`,
      password: PASSWORD,
      ...body,
    },
  });

const byEmail = async (email: string) => (await manage.get(`/users-by-email?email=${email}`)).json();

describe('actions at pre-user-registration', () => {
  it('give a new user metadata, and see who signs up where, but no password', async () => {
    await before(
      `api.user.setUserMetadata('seen', { body: event.request.body, client: event.client.client_id, email: event.user.email });`,
      `api.user.setAppMetadata('before', event.user.user_metadata.seen.email);`,
    );
    const response = await signUp({ email: 'meta@example.org', user_metadata: { colour: 'blue' } });
    expect(response.statusCode, response.body).toBe(200);
    const [user] = await byEmail('meta@example.org');
    expect(user).toMatchObject({
      user_metadata: { colour: 'blue', seen: { client: world.spa_client.client_id, email: 'meta@example.org' } },
      app_metadata: { before: 'meta@example.org' },
    });
    expect(JSON.stringify(user)).not.toContain(PASSWORD);
  });

  it('deny a sign-up in their own words, which the log explains', async () => {
    await before(`api.access.deny('on a list', 'Please ask for an invitation.');`);
    const events = await eventsOf(world, async () => {
      const response = await signUp({ email: 'denied@example.org' });
      expect([response.statusCode, response.json()]).toMatchObject([
        400,
        {
          code: 'extensibility_error',
          description: 'Please ask for an invitation.',
          friendly_message: 'Please ask for an invitation.',
        },
      ]);
    });
    expect(await byEmail('denied@example.org')).toEqual([]);
    expect(events).toMatchObject([
      { type: 'fs', details: { reason: 'on a list', action: { id: expect.any(String), name: expect.any(String) } } },
    ]);
  });

  it('refuse the sign-up where one of them fails, without its words', async () => {
    await before(`throw new Error('secret of the author');`);
    const events = await eventsOf(world, async () => {
      const response = await signUp({ email: 'failed@example.org' });
      expect(response.statusCode).toBe(400);
      expect(response.body).not.toContain('secret');
    });
    expect(events.map(({ type }) => type)).toEqual(['actions_execution_failed', 'fs']);
    const details = objectOf(events[0]?.details);
    expect(events[1]?.details).toMatchObject({ action: { id: details.action_id, failure: 'threw' } });
    const execution = (await manage.get(`/actions/executions/${details.execution_id}`)).json();
    expect(execution).toMatchObject({
      trigger_id: 'pre-user-registration',
      status: 'partial',
      results: [{ error: { id: 'Error', msg: 'secret of the author' } }],
    });
  });

  it('are asked about users of POST /users as well', async () => {
    await before(`if (!event.client) api.user.setAppMetadata('made', 'by an operator');`);
    const body = { connection: world.connection, email: 'operator@example.org', password: PASSWORD };
    expect(await created(manage.post('/users', body))).toMatchObject({ app_metadata: { made: 'by an operator' } });
  });

  it('RUL.29: give a profile no more than 16 KB, and no script of a directory is asked about one that is larger', async () => {
    const directory = await createCustomDirectory(
      world,
      'elsewhere',
      {
        ...TABLE,
        create: 'function (user, callback) { callback(new Error("the script was asked")); }',
      },
      { configuration: { USERS: '[]' } },
    );
    await before(`api.user.setUserMetadata('notes', 'x'.repeat(16_400));`);
    for (const connection of [world.connection, directory.name]) {
      const email = `large-${connection}@example.org`.toLowerCase();
      const events = await eventsOf(world, async () => {
        const refused = await signUp({ email, connection });
        expect([refused.statusCode, refused.json().description]).toEqual([
          400,
          'The registration could not be completed: its user_metadata is too large.',
        ]);
      });
      expect(events).toMatchObject([{ type: 'fs', details: { error: expect.stringContaining('16384 bytes') } }]);
      expect(await byEmail(email)).toEqual([]);
    }
    await before(`api.user.setAppMetadata('broken', '\\ud800');`);
    expect((await signUp()).json()).toMatchObject({ code: 'extensibility_error' });
    const hook = await created(
      manage.post('/hooks', {
        name: 'large',
        triggerId: 'pre-user-registration',
        enabled: true,
        script: `module.exports = (user, context, cb) => cb(null, { user: { app_metadata: { notes: 'x'.repeat(16_400) } } });`,
      }),
    );
    await before();
    expect((await signUp()).json().description).toContain('its app_metadata is too large');
    await manage.delete(`/hooks/${hook.id}`);
  });

  it('are shown on the page in their words', async () => {
    await before(`api.access.deny('no', 'Not <b>today</b>.');`);
    const visitor = world.visitor();
    const form = (await visitor.authorize({ screen_hint: 'signup' })).response;
    const page = await visitor.submit(form, { email: 'page@example.org', password: PASSWORD });
    expect(page.body).toContain('Not &lt;b&gt;today&lt;/b&gt;.');
    await before();
  });

  it('deny with a secret of theirs: who signs up is told, and the log does not have it', async () => {
    const code = action(
      'onExecutePreUserRegistration',
      `api.access.deny('list ' + event.secrets.KEY, 'Ask with ' + event.secrets.KEY);`,
    );
    const secrets = [{ name: 'KEY', value: 'key-of-a-partner' }];
    await setActions(world, 'pre-user-registration', [{ code, secrets }]);
    const events = await eventsOf(world, async () => {
      expect((await signUp()).json().description).toBe('Ask with key-of-a-partner');
    });
    expect(events).toMatchObject([{ type: 'fs', description: 'Ask with *****', details: { reason: 'list *****' } }]);
    expect(JSON.stringify(events)).not.toContain('key-of-a-partner');
    await before();
  });
});

describe('actions after the fact', () => {
  it('run after a sign-up, and nobody waits for them', async () => {
    await setActions(world, 'post-user-registration', [
      action('onExecutePostUserRegistration', `throw new Error('new: ' + event.user.user_id + event.user.email);`),
    ]);
    const { _id } = (await signUp({ email: 'after@example.org' })).json();
    await expect
      .poll(() => world.events())
      .toContainEqual(
        expect.objectContaining({
          type: 'actions_execution_failed',
          description: expect.stringContaining(`new: auth0|${_id}after@example.org`),
        }),
      );
    await setActions(world, 'post-user-registration', []);
  });

  it('run after a new password, of PATCH /users', async () => {
    await setActions(world, 'post-change-password', [
      action('onExecutePostChangePassword', `throw new Error('changed: ' + event.user.email + event.connection.name);`),
    ]);
    const [user] = await byEmail('after@example.org');
    await manage.patch(`/users/${user.user_id}`, { password: 'Another-horse-battery-8' });
    await expect
      .poll(() => world.events())
      .toContainEqual(
        expect.objectContaining({
          type: 'actions_execution_failed',
          description: expect.stringContaining(`changed: after@example.org${world.connection}`),
        }),
      );
  });
});

describe('hooks of registrations', () => {
  const hook = (triggerId: string, script: string) =>
    created(manage.post('/hooks', { name: triggerId, script, triggerId, enabled: true }));

  it('add metadata before the actions, and see the password of a new user', async () => {
    const made = await hook(
      'pre-user-registration',
      `module.exports = (user, context, cb) => cb(null, { user: { ...user, app_metadata: {
        length: user.password.length, connection: context.connection.name } } });`,
    );
    await before(`api.user.setAppMetadata('seen', event.user.app_metadata.length);`);
    await signUp({ email: 'hooked@example.org' });
    const [user] = await byEmail('hooked@example.org');
    expect(user.app_metadata).toEqual({ length: PASSWORD.length, connection: world.connection, seen: PASSWORD.length });
    await manage.delete(`/hooks/${made.id}`);
    await before();
  });

  it('deny a sign-up with the words for the user', async () => {
    const made = await hook(
      'pre-user-registration',
      `module.exports = (user, context, cb) => cb(new PreUserRegistrationError('for the log', 'For the user.'));`,
    );
    const events = await eventsOf(world, async () => {
      expect((await signUp()).json()).toMatchObject({ code: 'extensibility_error', description: 'For the user.' });
    });
    expect(events).toMatchObject([{ type: 'fs', details: { hook: { error: 'for the log' } } }]);
    await manage.delete(`/hooks/${made.id}`);
  });

  it('that call back twice are warned of, with the trigger and the hook', async () => {
    const made = await hook(
      'pre-user-registration',
      'module.exports = (user, context, cb) => { cb(null, {}); cb(new Error("twice")); };',
    );
    const events = await eventsOf(world, async () => expect((await signUp()).statusCode).toBe(200));
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'w',
        details: {
          warning: 'callback_twice',
          trigger_id: 'pre-user-registration',
          hook: { id: made.id, name: 'pre-user-registration' },
        },
      }),
    );
    await manage.delete(`/hooks/${made.id}`);
  });

  it('that throw the user they were given tell the log no password', async () => {
    const made = await hook(
      'pre-user-registration',
      'module.exports = (user, context, cb) => cb(new Error(JSON.stringify(user)));',
    );
    const events = await eventsOf(world, async () => {
      expect((await signUp({ email: 'thrown@example.org' })).statusCode).toBe(400);
    });
    expect(events).toMatchObject([{ type: 'fs', details: { hook: { error: expect.stringContaining('thrown@') } } }]);
    expect(JSON.stringify(events)).not.toContain(PASSWORD);
    await manage.delete(`/hooks/${made.id}`);
  });

  it.each([
    ['post-user-registration', 'fpurh', () => signUp()],
    [
      'post-change-password',
      'fcph',
      async () => {
        const [user] = await byEmail('hooked@example.org');
        return manage.patch(`/users/${user.user_id}`, { password: 'Another-horse-battery-9' });
      },
    ],
  ])('run at %s, and their failures are events', async (triggerId, type, act) => {
    const made = await hook(triggerId, `module.exports = (user, context, cb) => cb(new Error('for ' + user.email));`);
    expect((await act()).statusCode).toBeLessThan(300);
    await expect
      .poll(() => world.events())
      .toContainEqual(expect.objectContaining({ type, description: expect.stringContaining('@example.org') }));
    await manage.delete(`/hooks/${made.id}`);
  });
});
