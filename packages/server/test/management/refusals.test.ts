import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../world.ts';
import { type Home, inhabit } from './inhabited-tenant.ts';

const ID = 'x'.repeat(16);

let world: World;
let home: Home;
beforeAll(async () => {
  world = await startWorld();
  home = await inhabit(world, world.main);
});
afterAll(() => world.stop());

describe('what is not there', () => {
  it.each([
    ['/clients/unknown', 'inexistent_client', 'The client does not exist'],
    ['/client-grants/cgr_xxxxxxxxxxxxxxxx', 'inexistent_client_grant', 'The grant does not exist.'],
    [`/connections/con_${ID}`, 'inexistent_connection', 'The connection does not exist'],
    ['/resource-servers/unknown', 'inexistent_resource_server', 'The resource server does not exist'],
    [`/roles/rol_${ID}`, undefined, 'The role does not exist.'],
    ['/users/auth0%7Cunknown', 'inexistent_user', 'The user does not exist.'],
  ])('%s is told as Auth0 was seen to, by every method', async (path, errorCode, message) => {
    const told = { statusCode: 404, error: 'Not Found', message, ...(errorCode && { errorCode }) };
    expect((await home.manage.get(path)).json()).toEqual(told);
    const body = path.startsWith('/client-grants') ? { scope: [] } : path.startsWith('/users') ? { nickname: 'x' } : {};
    expect((await home.manage.patch(path, body)).json()).toEqual(told);
  });

  it('is deleted with the status of a success, but for a role', async () => {
    for (const [path, status] of [
      ['/clients/unknown', 204],
      [`/client-grants/cgr_${ID}`, 204],
      [`/connections/con_${ID}`, 202],
      ['/resource-servers/unknown', 204],
      ['/users/auth0%7Cunknown', 204],
      [`/roles/rol_${ID}`, 404],
    ] as const)
      expect([path, (await home.manage.delete(path)).statusCode]).toEqual([path, status]);
  });
});

describe('what is there already', () => {
  it('is a conflict in the words of its resource, and nothing is written', async () => {
    const { identifier, client, connectionName, email, password, user } = home;
    const before = (await home.manage.get('/roles?include_totals=true')).json().total;
    const conflicts: [string, Record<string, unknown>][] = [
      ['/resource-servers', { identifier }],
      ['/client-grants', { client_id: client, audience: identifier, scope: [] }],
      ['/connections', { name: connectionName, strategy: 'auth0' }],
      ['/connections', { name: 'other', strategy: 'auth0', realms: [connectionName] }],
      ['/users', { connection: connectionName, email: email.toUpperCase(), password }],
      ['/users', { connection: connectionName, email: 'b@example.com', password, user_id: user.replace('auth0|', '') }],
      ['/roles', { name: `Keeper of ${home.tenant.tenant}` }],
    ];
    for (const [path, body] of conflicts) {
      const response = (await home.manage.post(path, body)).json();
      expect([path, response]).toEqual([
        path,
        {
          statusCode: 409,
          error: 'Conflict',
          message: expect.stringContaining('already exists'),
          errorCode: expect.stringMatching(/^[a-z0-9_]+$/),
        },
      ]);
    }
    expect((await home.manage.get('/roles?include_totals=true')).json().total).toBe(before);
    expect((await home.manage.get('/connections?name=other')).json()).toEqual([]);
  });
});

describe('options of a directory that contradict each other', () => {
  const active = { identifier: { active: true } };
  it.each([
    [
      { attributes: { phone_number: { ...active, profile_required: true, signup: { status: 'optional' } } } },
      'attribute phone_number must also be required on signup',
    ],
    [
      { attributes: { email: active }, requires_username: true },
      'Cannot set both options.attributes and options.requires_username',
    ],
    [
      { attributes: { email: active }, validation: { username: { min: 1, max: 5 } } },
      'Cannot set both options.attributes and options.validation',
    ],
    [{ attributes: { email: { identifier: { active: false } } } }, 'attributes must contain one active identifier'],
  ])('%o are refused in Auth0’s words', async (options, message) => {
    const response = await home.manage.post('/connections', { name: 'contradiction', strategy: 'auth0', options });
    expect(response.json()).toEqual({ statusCode: 400, error: 'Bad Request', message, errorCode: 'invalid_body' });
  });
});

describe('a change', () => {
  it('of metadata merges its first level, null removes, and an empty object empties', async () => {
    const path = `/users/${encodeURIComponent(home.user)}`;
    const change = async (body: unknown) => (await home.manage.patch(path, body)).json();
    await change({ user_metadata: { a: { b: 1 }, c: 1 }, app_metadata: { plan: 'x' } });
    const merged = await change({ user_metadata: { a: { d: 2 }, c: null }, nickname: 'Ada' });
    expect(merged).toMatchObject({ user_metadata: { a: { d: 2 } }, app_metadata: { plan: 'x' }, nickname: 'Ada' });
    expect(merged.user_metadata).toEqual({ a: { d: 2 } });
    expect(await change({ user_metadata: {} })).not.toHaveProperty('user_metadata');
    expect(await change({ nickname: null })).not.toHaveProperty('nickname', 'Ada');
  });

  it('of a list replaces it: of two that were read at the same time the later one wins, as with Auth0', async () => {
    const path = `/clients/${home.client}`;
    const patches = ['https://a.example/', 'https://b.example/'].map((url) =>
      home.manage.patch(path, { callbacks: [url] }),
    );
    for (const response of await Promise.all(patches)) expect(response.statusCode).toBe(200);
    expect((await home.manage.get(path)).json().callbacks).toHaveLength(1);
  });

  it('of options replaces them whole, and of clients a connection is told apart', async () => {
    const path = `/connections/${home.connection}`;
    await home.manage.patch(path, { options: { disable_signup: true } });
    expect((await home.manage.get(path)).json().options).toEqual({ disable_signup: true });
    const clients = [{ client_id: home.client, status: false }];
    expect((await home.manage.patch(`${path}/clients`, clients)).statusCode).toBe(204);
    expect((await home.manage.get(path)).json().enabled_clients).not.toContain(home.client);
    await home.manage.patch(path, { enabled_clients: [home.client] });
    expect((await home.manage.get(`${path}/clients`)).json()).toEqual({ clients: [{ client_id: home.client }] });
  });

  it('reads the JSON body of a DELETE', async () => {
    const path = `/users/${encodeURIComponent(home.user)}/roles`;
    expect((await home.manage.get(path)).json()).toHaveLength(1);
    expect((await home.manage.delete(path, { roles: [home.role] })).statusCode).toBe(204);
    expect((await home.manage.get(path)).json()).toEqual([]);
    expect((await home.manage.delete(path)).json().message).toContain('Missing required property: roles');
  });
});
