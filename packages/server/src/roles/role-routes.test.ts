import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabaseUser } from '../users/create-user.ts';
import { type DirectoryApp, ORIGIN, startDirectoryApp } from '../users/directory-test-app.ts';

let world: DirectoryApp;
let userId: string;
const api = 'https://api.example/';

beforeAll(async () => {
  world = await startDirectoryApp();
  const people = await world.connection('people');
  ({ userId } = await createDatabaseUser(world.stores, 'acme', people, { email: 'ada@example.com' }, 'hash'));
  const scopes = JSON.stringify({
    scopes: ['read', 'write', 'delete'].map((value) => ({ value, description: `may ${value}` })),
  });
  await sql`insert into resource_servers (tenant_id, id, identifier, name, is_system, body) values
    ('acme', 'rs1', ${api}, 'An API', false, ${scopes}::jsonb),
    ('acme', 'rs0', 'urn:gatewright:management', 'Auth0 Management API', true, '{}'),
    ('other', 'rs1', ${api}, 'Another API', false, ${scopes}::jsonb)`.execute(world.db);
});
afterAll(() => world.stop());

const admin = () =>
  world.api('create:roles', 'read:roles', 'update:roles', 'delete:roles', 'read:users', 'update:users');
const named = (...names: string[]) => ({
  permissions: names.map((permission_name) => ({ resource_server_identifier: api, permission_name })),
});

async function newRole(name: string): Promise<string> {
  const { status, body } = await admin().post('/roles', { name });
  expect(status).toBe(200);
  return body.id;
}

describe('/api/v2/roles', () => {
  it('are made, changed, listed by a part of their name, and deleted', async () => {
    const made = await admin().post('/roles', { name: 'Editor', description: 'edits' });
    expect(made).toEqual({
      status: 200,
      body: { id: expect.stringMatching(/^rol_[A-Za-z0-9]{16}$/), name: 'Editor', description: 'edits' },
    });
    const { id } = made.body;
    expect(await admin().post('/roles', { name: 'Editor' })).toMatchObject({ status: 409 });
    expect((await admin().patch(`/roles/${id}`, { description: 'edits a lot' })).body).toEqual({
      id,
      name: 'Editor',
      description: 'edits a lot',
    });
    expect((await admin().get('/roles?name_filter=DIT&include_totals=true&type=tenant')).body).toMatchObject({
      total: 1,
      start: 0,
      limit: 50,
      roles: [{ id }],
    });
    expect((await admin().get('/roles?type=organization')).body).toEqual([]);
    expect(await world.apiOfOther('read:roles').get(`/roles/${id}`)).toMatchObject({ status: 404 });
    expect(await world.apiOfOther('delete:roles').delete(`/roles/${id}`)).toMatchObject({ status: 404 });
    expect(await admin().delete(`/roles/${id}`)).toEqual({ status: 200, body: {} });
    expect(await admin().get(`/roles/${id}`)).toEqual({
      status: 404,
      body: { statusCode: 404, error: 'Not Found', message: 'The role does not exist.' },
    });
  });

  it('exist once for a name, however many create it at the same time', async () => {
    const attempts = await Promise.all(Array.from({ length: 20 }, () => admin().post('/roles', { name: 'Racer' })));
    expect(attempts.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(409)]);
  });
});

describe('permissions', () => {
  it('of a role are added once, told with the words of their API, and removed', async () => {
    const id = await newRole('Writer');
    for (let time = 0; time < 2; time++) {
      expect(await admin().post(`/roles/${id}/permissions`, named('read', 'write'))).toEqual({ status: 201, body: {} });
    }
    expect((await admin().get(`/roles/${id}/permissions?include_totals=true`)).body).toEqual({
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
    expect(await admin().delete(`/roles/${id}/permissions`, named('read'))).toEqual({ status: 204, body: undefined });
    expect((await admin().get(`/roles/${id}/permissions`)).body).toHaveLength(1);
  });

  it('of an unknown API or name are refused, and then none of the list is added', async () => {
    const id = await newRole('Refused');
    expect(await admin().post(`/roles/${id}/permissions`, named('read', 'fly'))).toMatchObject({ status: 400 });
    const unknown = { permissions: [{ resource_server_identifier: 'https://nowhere/', permission_name: 'read' }] };
    expect(await admin().post(`/roles/${id}/permissions`, unknown)).toMatchObject({ status: 404 });
    expect((await admin().get(`/roles/${id}/permissions`)).body).toEqual([]);
  });

  it('of the Management API go by the identifier of the origin that is asked', async () => {
    const id = await newRole('Operator');
    const identifier = `${ORIGIN}/api/v2/`;
    const permissions = [{ resource_server_identifier: identifier, permission_name: 'read:users' }];
    expect(await admin().post(`/roles/${id}/permissions`, { permissions })).toMatchObject({ status: 201 });
    expect((await admin().get(`/roles/${id}/permissions`)).body).toMatchObject(permissions);
    expect(await admin().delete(`/roles/${id}/permissions`, { permissions })).toMatchObject({ status: 204 });
    expect((await admin().get(`/roles/${id}/permissions`)).body).toEqual([]);
  });

  it('of a user tell their sources, and reach a token from roles as well', async () => {
    const id = await newRole('Reader');
    await admin().post(`/roles/${id}/permissions`, named('read', 'write'));
    expect(await admin().post(`/users/${userId}/roles`, { roles: [id] })).toMatchObject({ status: 204 });
    expect(await admin().post(`/users/${userId}/permissions`, named('read', 'delete'))).toMatchObject({ status: 201 });
    const { body } = await admin().get(`/users/${userId}/permissions?include_totals=true`);
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
    const permissions = world.stores.permissions;
    expect(await permissions.permissionsAt('acme', userId, 'rs1')).toEqual(['delete', 'read', 'write']);
    expect(await permissions.permissionsAt('other', userId, 'rs1')).toEqual([]);
    await admin().delete(`/users/${userId}/roles`, { roles: [id] });
    await admin().delete(`/users/${userId}/permissions`, named('delete'));
    expect(await permissions.permissionsAt('acme', userId, 'rs1')).toEqual(['read']);
  });
});

describe('members of a role', () => {
  it('are assigned from both sides and listed in both styles', async () => {
    const id = await newRole('Team');
    expect(await admin().post(`/roles/${id}/users`, { users: [userId, userId] })).toEqual({ status: 200, body: {} });
    expect((await admin().get(`/users/${userId}/roles`)).body).toEqual([{ id, name: 'Team', description: null }]);
    const member = { user_id: userId, email: 'ada@example.com', name: 'ada@example.com', picture: expect.any(String) };
    expect((await admin().get(`/roles/${id}/users?include_totals=true`)).body).toMatchObject({
      total: 1,
      users: [member],
    });
    expect((await admin().get(`/roles/${id}/users?take=1`)).body).toEqual({ users: [member] });
    await admin().delete(`/roles/${id}`);
    expect((await admin().get(`/users/${userId}/roles`)).body).toEqual([]);
  });

  it('are refused where the user, or one of the roles, is not there', async () => {
    const id = await newRole('Nobody');
    expect(await admin().post(`/roles/${id}/users`, { users: ['auth0|nobody'] })).toMatchObject({ status: 404 });
    expect(await admin().post('/users/auth0%7Cnobody/roles', { roles: [id] })).toMatchObject({ status: 404 });
    expect(await admin().post(`/users/${userId}/roles`, { roles: [id, 'rol_0000000000000000'] })).toMatchObject({
      status: 404,
    });
    expect((await admin().get(`/users/${userId}/roles`)).body).toEqual([]);
  });

  it('hold 50 roles at most, also when they are assigned at the same time', async () => {
    const ids = await Promise.all(Array.from({ length: 60 }, (_, n) => newRole(`Many ${n}`)));
    const answers = await Promise.all(ids.map((id) => admin().post(`/roles/${id}/users`, { users: [userId] })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
    expect(answers.find(({ status }) => status !== 200)).toMatchObject({
      status: 403,
      body: { errorCode: 'too_many_entities' },
    });
  });
});
