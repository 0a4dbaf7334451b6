import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { created, createTestClient, createTestUser, decodeJwt, eventsOf, type TestClient } from '../protocol.ts';
import { type ManagementClient, startWorld, type World } from '../world.ts';
import { action, deployAction, setActions } from './actions.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';

let world: World;
let manage: ManagementClient;
let client: TestClient;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
  client = await createTestClient(world, { token_exchange: { allow_any_profile_of_type: ['custom_authentication'] } });
});
afterAll(() => world.stop());

let serial = 0;

/** Exchanges a token for which an action with these statements is responsible. */
async function exchange(body: string, changes: Record<string, string> = {}) {
  const type = `urn:acme:token-${++serial}`;
  await created(
    manage.post('/token-exchange-profiles', {
      name: `Profile ${serial}`,
      type: 'custom_authentication',
      subject_token_type: type,
      action_id: await deployAction(world, 'custom-token-exchange', action('onExecuteCustomTokenExchange', body)),
    }),
  );
  return world.token({
    grant_type: GRANT,
    ...client,
    subject_token: 'a-session-of-old',
    subject_token_type: type,
    ...changes,
  });
}

describe('an action at custom-token-exchange', () => {
  it('names a user by id, who gets tokens as after a login, through the post-login actions', async () => {
    const user = await createTestUser(world, 'by-id');
    await setActions(world, 'post-login', [
      action('onExecutePostLogin', `api.idToken.setCustomClaim('protocol', event.transaction.protocol);`),
    ]);
    const events = await eventsOf(world, async () => {
      const response = await exchange(
        `if (event.transaction.subject_token !== 'a-session-of-old') throw new Error('no token');
         api.user.setAppMetadata('exchanged', true);
         api.authentication.setUserById('${user.id}');`,
        { scope: 'openid email', audience: world.main.api.identifier },
      );
      expect(response.statusCode, response.body).toBe(200);
      expect(decodeJwt(response.json().id_token).claims).toMatchObject({
        sub: user.id,
        email: user.email,
        protocol: 'oauth2-token-exchange',
      });
      expect(decodeJwt(response.json().access_token).claims).toMatchObject({ sub: user.id });
    });
    expect(events.map(({ type }) => type)).toContain('secte');
    expect(JSON.stringify(events)).not.toContain('a-session-of-old');
    expect((await manage.get(`/users/${user.id}`)).json()).toMatchObject({
      app_metadata: { exchanged: true },
      logins_count: 1,
    });
    await setActions(world, 'post-login', []);
  });

  it('makes a user of a directory who was not there, once, and changes one who is', async () => {
    const body = (name: string) =>
      `api.authentication.setUserByConnection('${world.connection}',
        { user_id: 'moved', email: 'moved@example.org', email_verified: true, name: '${name}' },
        { creationBehavior: 'create_if_not_exists', updateBehavior: 'replace' });`;
    for (const name of ['First', 'Second']) {
      const response = await exchange(body(name), { scope: 'openid profile' });
      expect(response.statusCode, response.body).toBe(200);
      expect(decodeJwt(response.json().id_token).claims).toMatchObject({ sub: 'auth0|moved', name });
    }
  });

  it('makes a user with an event of its own, and none in a directory whose users are elsewhere', async () => {
    const body = (connection: string) =>
      `api.authentication.setUserByConnection('${connection}', { user_id: 'made', email: 'made@example.org' },
        { creationBehavior: 'create_if_not_exists' });`;
    const events = await eventsOf(world, async () => {
      expect((await exchange(body(world.connection))).statusCode).toBe(200);
    });
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'ss', user_id: 'auth0|made', connection: world.connection }),
    );
    for (const import_mode of [true, false]) {
      const name = import_mode ? 'moving' : 'elsewhere';
      const customScripts = { login: 'function (email, password, callback) { callback(); }' };
      const options = { enabledDatabaseCustomization: true, import_mode, customScripts };
      await created(
        manage.post('/connections', { name, strategy: 'auth0', options, enabled_clients: [client.client_id] }),
      );
      expect((await exchange(body(name))).json()).toMatchObject({
        error: 'invalid_request',
        error_description: expect.stringContaining('not supported'),
      });
      expect((await manage.get('/users-by-email?email=made@example.org')).json()).toHaveLength(1);
    }
  });

  it('that names an id of one directory gets nobody of another one, and the user to whom it is linked', async () => {
    const connection = await created(
      manage.post('/connections', { name: 'partners', strategy: 'auth0', enabled_clients: [client.client_id] }),
    );
    const password = 'Correct-horse-5';
    const make = async (name: string, user_id: string) =>
      created(manage.post('/users', { connection: name, user_id, email: `${user_id}@example.org`, password }));
    await make(world.connection, '7');
    await make('partners', 'ab12');
    await created(
      manage.post('/users/auth0|7/identities', { provider: 'auth0', user_id: 'ab12', connection_id: connection.id }),
    );
    const named = (id: string, behavior: string) =>
      exchange(
        `api.authentication.setUserByConnection('partners', { user_id: '${id}', email: 'x${id}@example.org' },
          { creationBehavior: '${behavior}' });`,
        { scope: 'openid' },
      );
    for (const behavior of ['none', 'create_if_not_exists'])
      expect((await named('7', behavior)).json()).toMatchObject({ error: 'invalid_request' });
    const linked = await named('ab12', 'create_if_not_exists');
    expect(linked.statusCode, linked.body).toBe(200);
    expect(decodeJwt(linked.json().id_token).claims).toMatchObject({ sub: 'auth0|7' });
  });

  it('that names a connection that is not enabled for the application gets nobody of it, and makes nobody there', async () => {
    const { id } = await created(manage.post('/connections', { name: 'closed', strategy: 'auth0' }));
    const password = 'Correct-horse-5';
    await created(manage.post('/users', { connection: 'closed', user_id: 'c1', email: 'c1@example.org', password }));
    const named = (user: string) =>
      exchange(
        `api.authentication.setUserByConnection('closed', { user_id: '${user}', email: '${user}@example.org' },
          { creationBehavior: 'create_if_not_exists' });`,
      );
    for (const user of ['c1', 'c2'])
      expect((await named(user)).json()).toEqual({
        error: 'invalid_request',
        error_description:
          'The connection that the action of the token exchange profile named is not enabled for the client',
      });
    expect((await manage.get('/users-by-email?email=c2@example.org')).json()).toEqual([]);
    await created(manage.patch(`/connections/${id}`, { enabled_clients: [client.client_id] }));
    for (const user of ['c1', 'c2']) expect((await named(user)).statusCode).toBe(200);
  });

  it.each([
    ['names nobody', '', 400, 'invalid_request'],
    ['names an unknown user', `api.authentication.setUserById('auth0|unknown');`, 400, 'invalid_request'],
    [
      'names two',
      `api.authentication.setUserById('auth0|moved'); api.authentication.setUserById('auth0|moved');`,
      400,
      'invalid_request',
    ],
    ['denies', `api.access.deny('invalid_target', 'Not here.');`, 400, 'invalid_target'],
    ['rejects the token', `api.access.rejectInvalidSubjectToken('It is forged.');`, 400, 'invalid_request'],
    ['throws', `throw new Error('hidden words');`, 400, 'invalid_request'],
    [
      'asks for an organization',
      `api.authentication.setUserById('auth0|moved'); api.authentication.setOrganization('org_1');`,
      400,
      'invalid_request',
    ],
    [
      'asks for a user of no known connection',
      `api.authentication.setUserByConnection('gatewright-admins', { user_id: 'x' }, { creationBehavior: 'create_if_not_exists' });`,
      400,
      'invalid_request',
    ],
  ])('that %s gives no tokens', async (_what, body, status, error) => {
    const response = await exchange(body);
    expect([response.statusCode, response.json().error], response.body).toEqual([status, error]);
    expect(response.body).not.toContain('hidden');
  });

  it('that denies has its reason told without control characters', async () => {
    const { error_description } = (
      await exchange(`api.access.deny('invalid_target', '\\n Not\\u001b[31m here.\\r');`)
    ).json();
    expect(error_description).toBe('Not [31m here.');
  });

  it('can not name an administrator of this installation, nor somebody who is blocked', async () => {
    const admin = await world.app.stores.users.findLogin(
      'dev',
      (await world.app.stores.connections.findByName('dev', 'gatewright-admins'))?.id ?? '',
      { email: world.admin.email, username: undefined, phone: undefined },
    );
    expect(admin).toBeDefined();
    const named = await exchange(`api.authentication.setUserById('${admin?.user.userId}');`);
    expect(named.json().error).toBe('invalid_request');
    const user = await createTestUser(world, 'blocked');
    await manage.patch(`/users/${user.id}`, { blocked: true });
    const blocked = await exchange(
      `api.user.setAppMetadata('role', 'admin'); api.authentication.setUserById('${user.id}');`,
    );
    expect([blocked.statusCode, blocked.json().error]).toEqual([403, 'unauthorized']);
    expect((await manage.get(`/users/${user.id}`)).json()).not.toHaveProperty('app_metadata.role');
  });
});
