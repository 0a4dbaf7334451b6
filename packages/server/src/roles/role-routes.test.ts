import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, created } from '../../test/protocol.ts';
import { type ManagementClient, startWorld, type World } from '../../test/world.ts';

const api = 'https://api.example/';

let world: World;
let manage: ManagementClient;
let stranger: ManagementClient;
let userId: string;
let apiId: string;

beforeAll(async () => {
  world = await startWorld();
  manage = world.api('create:roles', 'read:roles', 'update:roles', 'delete:roles', 'read:users', 'update:users');
  const other = await world.createTenant('other');
  stranger = world.apiAt(other, 'read:roles', 'delete:roles');
  const scopes = ['read', 'write', 'delete'].map((value) => ({ value, description: `may ${value}` }));
  for (const at of [world.main, other]) {
    const made = await created(world.apiAt(at).post('/resource-servers', { identifier: api, name: 'An API', scopes }));
    if (at === world.main) apiId = String(made.id);
  }
  const body = { connection: world.connection, email: 'ada@example.com', password: 'correct-Horse-7' };
  userId = String((await created(world.api('create:users').post('/users', body))).user_id);
});
afterAll(() => world.stop());

const named = (...names: string[]) => ({
  permissions: names.map((permission_name) => ({ resource_server_identifier: api, permission_name })),
});

async function newRole(name: string): Promise<string> {
  const made = await manage.post('/roles', { name });
  expect(made.statusCode, made.body).toBe(200);
  return made.json().id;
}

describe('/api/v2/roles', () => {
  it('are made, changed, listed by a part of their name, and deleted', async () => {
    const made = await manage.post('/roles', { name: 'Editor', description: 'edits' });
    expect(made.statusCode).toBe(200);
    expect(made.json()).toEqual({
      id: expect.stringMatching(/^rol_[A-Za-z0-9]{16}$/),
      name: 'Editor',
      description: 'edits',
    });
    const { id } = made.json();
    expect((await manage.post('/roles', { name: 'Editor' })).statusCode).toBe(409);
    expect((await manage.patch(`/roles/${id}`, { description: 'edits a lot' })).json()).toEqual({
      id,
      name: 'Editor',
      description: 'edits a lot',
    });
    expect((await manage.get('/roles?name_filter=DIT&include_totals=true&type=tenant')).json()).toMatchObject({
      total: 1,
      start: 0,
      limit: 50,
      roles: [{ id }],
    });
    expect((await manage.get('/roles?type=organization')).json()).toEqual([]);
    expect((await stranger.get(`/roles/${id}`)).statusCode).toBe(404);
    expect((await stranger.delete(`/roles/${id}`)).statusCode).toBe(404);
    expect(await answer(manage.delete(`/roles/${id}`))).toEqual({ status: 200, body: {} });
    expect(await answer(manage.get(`/roles/${id}`))).toEqual({
      status: 404,
      body: { statusCode: 404, error: 'Not Found', message: 'The role does not exist.' },
    });
  });

  it('exist once for a name, however many create it at the same time', async () => {
    const attempts = await Promise.all(Array.from({ length: 20 }, () => manage.post('/roles', { name: 'Racer' })));
    expect(attempts.map(({ statusCode }) => statusCode).sort()).toEqual([200, ...Array(19).fill(409)]);
  });
});

describe('permissions', () => {
  it('of a role are added once, told with the words of their API, and removed', async () => {
    const id = await newRole('Writer');
    for (let time = 0; time < 2; time++) {
      expect(await answer(manage.post(`/roles/${id}/permissions`, named('read', 'write')))).toEqual({
        status: 201,
        body: {},
      });
    }
    expect((await manage.get(`/roles/${id}/permissions?include_totals=true`)).json()).toEqual({
      start: 0,
      limit: 50,
      total: 2,
      permissions: ['read', 'write'].map((permission_name) => ({
        permission_name,
        description: `may ${permission_name}`,
        resource_server_name: 'An API',
        resource_server_identifier: api,
      })),
    });
    expect(await answer(manage.delete(`/roles/${id}/permissions`, named('read')))).toEqual({
      status: 204,
      body: undefined,
    });
    expect((await manage.get(`/roles/${id}/permissions`)).json()).toHaveLength(1);
  });

  it('of an unknown API or name are refused, and then none of the list is added', async () => {
    const id = await newRole('Refused');
    expect((await manage.post(`/roles/${id}/permissions`, named('read', 'fly'))).statusCode).toBe(400);
    const unknown = { permissions: [{ resource_server_identifier: 'https://nowhere/', permission_name: 'read' }] };
    expect((await manage.post(`/roles/${id}/permissions`, unknown)).statusCode).toBe(404);
    expect((await manage.get(`/roles/${id}/permissions`)).json()).toEqual([]);
  });

  it('of the Management API go by the identifier of the origin that is asked', async () => {
    const id = await newRole('Operator');
    const identifier = world.managementAudience;
    const permissions = [{ resource_server_identifier: identifier, permission_name: 'read:users' }];
    expect((await manage.post(`/roles/${id}/permissions`, { permissions })).statusCode).toBe(201);
    expect((await manage.get(`/roles/${id}/permissions`)).json()).toMatchObject(permissions);
    expect((await manage.delete(`/roles/${id}/permissions`, { permissions })).statusCode).toBe(204);
    expect((await manage.get(`/roles/${id}/permissions`)).json()).toEqual([]);
  });

  it('of a user tell their sources, and reach a token from roles as well', async () => {
    const id = await newRole('Reader');
    await manage.post(`/roles/${id}/permissions`, named('read', 'write'));
    expect((await manage.post(`/users/${userId}/roles`, { roles: [id] })).statusCode).toBe(204);
    expect((await manage.post(`/users/${userId}/permissions`, named('read', 'delete'))).statusCode).toBe(201);
    const body = (await manage.get(`/users/${userId}/permissions?include_totals=true`)).json();
    expect(body.total).toBe(3);
    const direct = { source_id: '', source_name: '', source_type: 'DIRECT' };
    const role = { source_id: id, source_name: 'Reader', source_type: 'ROLE' };
    expect(
      body.permissions.map((one: { permission_name: string; sources: unknown }) => [one.permission_name, one.sources]),
    ).toEqual([
      ['delete', [direct]],
      ['read', [direct, role]],
      ['write', [role]],
    ]);
    const permissions = world.app.stores.permissions;
    expect(await permissions.permissionsAt('dev', userId, apiId)).toEqual(['delete', 'read', 'write']);
    expect(await permissions.permissionsAt('other', userId, apiId)).toEqual([]);
    await manage.delete(`/users/${userId}/roles`, { roles: [id] });
    await manage.delete(`/users/${userId}/permissions`, named('delete'));
    expect(await permissions.permissionsAt('dev', userId, apiId)).toEqual(['read']);
  });
});

describe('members of a role', () => {
  it('are assigned from both sides and listed in both styles', async () => {
    const id = await newRole('Team');
    expect(await answer(manage.post(`/roles/${id}/users`, { users: [userId, userId] }))).toEqual({
      status: 200,
      body: {},
    });
    expect((await manage.get(`/users/${userId}/roles`)).json()).toEqual([{ id, name: 'Team', description: null }]);
    const member = { user_id: userId, email: 'ada@example.com', name: 'ada@example.com', picture: expect.any(String) };
    expect((await manage.get(`/roles/${id}/users?include_totals=true`)).json()).toMatchObject({
      total: 1,
      users: [member],
    });
    expect((await manage.get(`/roles/${id}/users?take=1`)).json()).toEqual({ users: [member] });
    await manage.delete(`/roles/${id}`);
    expect((await manage.get(`/users/${userId}/roles`)).json()).toEqual([]);
  });

  it('are refused where the user, or one of the roles, is not there', async () => {
    const id = await newRole('Nobody');
    expect((await manage.post(`/roles/${id}/users`, { users: ['auth0|nobody'] })).statusCode).toBe(404);
    expect((await manage.post('/users/auth0%7Cnobody/roles', { roles: [id] })).statusCode).toBe(404);
    expect((await manage.post(`/users/${userId}/roles`, { roles: [id, 'rol_0000000000000000'] })).statusCode).toBe(404);
    expect((await manage.get(`/users/${userId}/roles`)).json()).toEqual([]);
  });

  it('hold 50 roles at most, also when they are assigned at the same time', async () => {
    const ids = await Promise.all(Array.from({ length: 60 }, (_, n) => newRole(`Many ${n}`)));
    const answers = await Promise.all(ids.map((id) => manage.post(`/roles/${id}/users`, { users: [userId] })));
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(50);
    const refused = answers.find(({ statusCode }) => statusCode !== 200);
    expect(refused?.statusCode).toBe(403);
    expect(refused?.json()).toMatchObject({ errorCode: 'too_many_entities' });
  });
});
