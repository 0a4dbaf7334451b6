import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectOf } from '../../src/kit/json-values.ts';
import { created, createTestClient, createTestUser, type LogRecord } from '../protocol.ts';
import { type ManagementClient, startWorld, type World } from '../world.ts';
import { action, deployAction, setActions } from './actions.ts';

let world: World;
let manage: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
});
afterAll(() => world.stop());

/** It throws what it was given: the log has that in full. */
const TELL = 'throw new Error(JSON.stringify(event));';
/** The log hides tokens, by their names and by what they are. */
const TELL_TOKENS = `const { transaction } = event;
  for (const name of ['subject_token', 'actor_token']) {
    transaction[name + '_in_letters'] = [...transaction[name]].join(' ');
    delete transaction[name];
  }
  throw new Error(JSON.stringify(event));`;
const PASSWORD = 'Correct-horse-battery-7';
const MOMENT = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);

/** `event` of the newest execution of a trigger, whole. */
async function told(triggerId: string): Promise<unknown> {
  const find = async () =>
    ((await world.events()) as LogRecord[]).find(
      ({ type, details }) => type === 'actions_execution_failed' && objectOf(details).trigger_id === triggerId,
    );
  await expect.poll(find).toBeDefined();
  return JSON.parse(String(objectOf(objectOf((await find())?.details).error).message));
}

const signUp = (email: string) =>
  world.request({
    path: '/dbconnections/signup',
    headers: { 'user-agent': 'a-browser', 'x-forwarded-for': '192.0.2.7' },
    json: {
      client_id: world.spa_client.client_id,
      connection: world.connection,
      email,
      password: PASSWORD,
      given_name: 'Ada',
      user_metadata: { colour: 'blue' },
    },
  });

const connection = async () => {
  const [{ id }] = (await manage.get(`/connections?name=${world.connection}`)).json();
  return { id, name: world.connection, strategy: 'auth0' };
};
const request = { geoip: {}, hostname: 'localhost:3443', ip: '192.0.2.7', method: 'POST', user_agent: 'a-browser' };

describe('the whole event', () => {
  it('of pre-user-registration', async () => {
    await setActions(world, 'pre-user-registration', [action('onExecutePreUserRegistration', TELL)]);
    expect((await signUp('before@example.org')).statusCode).toBe(400);
    await setActions(world, 'pre-user-registration', []);
    const { client_id } = world.spa_client;
    expect(await told('pre-user-registration')).toEqual({
      client: { client_id, metadata: {}, name: expect.any(String) },
      connection: await connection(),
      request: {
        ...request,
        language: 'en',
        body: {
          client_id,
          connection: world.connection,
          email: 'before@example.org',
          given_name: 'Ada',
          user_metadata: { colour: 'blue' },
        },
      },
      secrets: {},
      tenant: { id: 'dev' },
      user: {
        app_metadata: {},
        email: 'before@example.org',
        given_name: 'Ada',
        user_metadata: { colour: 'blue' },
      },
    });
  });

  it('of post-user-registration', async () => {
    await setActions(world, 'post-user-registration', [action('onExecutePostUserRegistration', TELL)]);
    const { _id } = (await signUp('after@example.org')).json();
    expect(await told('post-user-registration')).toEqual({
      connection: await connection(),
      request: { ...request, language: 'en' },
      secrets: {},
      tenant: { id: 'dev' },
      user: {
        app_metadata: {},
        created_at: MOMENT,
        email: 'after@example.org',
        email_verified: false,
        given_name: 'Ada',
        identities: [{ connection: world.connection, isSocial: false, provider: 'auth0', user_id: _id }],
        name: 'after@example.org',
        nickname: 'after',
        picture: expect.any(String),
        updated_at: MOMENT,
        user_id: `auth0|${_id}`,
        user_metadata: { colour: 'blue' },
      },
    });
    await setActions(world, 'post-user-registration', []);
  });

  it('of post-change-password', async () => {
    const user = await createTestUser(world, 'changing');
    await setActions(world, 'post-change-password', [action('onExecutePostChangePassword', TELL)]);
    expect((await manage.patch(`/users/${user.id}`, { password: PASSWORD })).statusCode).toBe(200);
    expect(await told('post-change-password')).toEqual({
      connection: await connection(),
      request: { ...request, ip: expect.any(String), user_agent: expect.any(String) },
      secrets: {},
      tenant: { id: 'dev' },
      transaction: {},
      user: {
        email: user.email,
        email_verified: true,
        last_password_reset: MOMENT,
        user_id: user.id,
      },
    });
    await setActions(world, 'post-change-password', []);
  });

  it('of custom-token-exchange', async () => {
    const client = await createTestClient(world, {
      client_metadata: { team: 'blue' },
      token_exchange: { allow_any_profile_of_type: ['custom_authentication'] },
    });
    const subject_token_type = 'urn:acme:whole';
    await created(
      manage.post('/token-exchange-profiles', {
        name: 'Whole',
        type: 'custom_authentication',
        subject_token_type,
        action_id: await deployAction(
          world,
          'custom-token-exchange',
          action('onExecuteCustomTokenExchange', TELL_TOKENS),
        ),
      }),
    );
    const form = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 'a-session-of-old',
      subject_token_type,
      actor_token: 'an-agent',
      actor_token_type: 'urn:acme:agent',
      audience: world.main.api.identifier,
      scope: 'openid email',
      colour: 'blue',
    };
    const headers = { 'user-agent': 'a-browser', 'x-forwarded-for': '192.0.2.7' };
    const refused = await world.request({ path: '/oauth/token', headers, form: { ...form, ...client } });
    expect(refused.statusCode).toBe(400);
    const event = objectOf(await told('custom-token-exchange'));
    const { client_secret, subject_token, actor_token, ...shown } = { ...form, ...client };
    expect(event).toEqual({
      client: { client_id: client.client_id, metadata: { team: 'blue' }, name: 'Test' },
      request: { ...request, body: expect.objectContaining({ client_id: client.client_id, colour: 'blue' }) },
      resource_server: { identifier: world.main.api.identifier },
      secrets: {},
      tenant: { id: 'dev' },
      transaction: {
        actor_token_in_letters: [...actor_token].join(' '),
        actor_token_type: 'urn:acme:agent',
        requested_scopes: ['openid', 'email'],
        requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        subject_token_in_letters: [...subject_token].join(' '),
        subject_token_type,
      },
    });
    expect(Object.keys(objectOf(objectOf(event.request).body)).toSorted()).toEqual(
      expect.arrayContaining(Object.keys(shown)),
    );
    expect(JSON.stringify(event)).not.toContain(client_secret);
  });
});
