import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabaseUser } from '../users/create-user.ts';
import { type DirectoryApp, startDirectoryApp } from '../users/directory-test-app.ts';
import { createConnectionDirectory } from './connection-directory.ts';

let world: DirectoryApp;

beforeAll(async () => {
  world = await startDirectoryApp();
  await world.connection('gatewright-admins', {}, true);
  for (const id of ['client1', 'client2', 'client3']) {
    await sql`insert into clients (tenant_id, client_id, name, body) values ('acme', ${id}, ${id}, '{}')`.execute(
      world.db,
    );
  }
});
afterAll(() => world.stop());

const admin = () =>
  world.api('create:connections', 'read:connections', 'update:connections', 'delete:connections', 'delete:users');

let count = 0;
async function newConnection(more: Record<string, unknown> = {}) {
  count += 1;
  const answer = await admin().post('/connections', { name: `directory-${count}`, strategy: 'auth0', ...more });
  expect(answer).toMatchObject({ status: 201 });
  return answer.body;
}

describe('/api/v2/connections', () => {
  it('are made with the options of a new directory, and realms of their name', async () => {
    const { body } = await admin().post('/connections', {
      name: 'people',
      strategy: 'auth0',
      display_name: 'People',
      options: { passwordPolicy: 'low', disable_signup: true },
      enabled_clients: ['client2', 'client1'],
      metadata: { a: 'b' },
    });
    expect(body).toMatchObject({
      id: expect.stringMatching(/^con_[A-Za-z0-9]{16}$/),
      name: 'people',
      strategy: 'auth0',
      display_name: 'People',
      is_domain_connection: false,
      realms: ['people'],
      metadata: { a: 'b' },
      options: { passwordPolicy: 'low', disable_signup: true, brute_force_protection: true, mfa: { active: true } },
    });
    expect(body.enabled_clients.sort()).toEqual(['client1', 'client2']);
    const read = await admin().get(`/connections/${body.id}`);
    expect({ ...read.body, enabled_clients: read.body.enabled_clients.sort() }).toEqual(body);
  });

  it.each([
    [{ strategy: 'google-oauth2' }, 400],
    [{ name: 'gatewright-admins' }, 400],
    [{ name: 'Gatewright-Admins' }, 400],
    [{ name: 'under_score' }, 400],
    [{ name: '-dash' }, 400],
    [{ options: { attributes: { email: { unique: false, identifier: { active: true } } } } }, 400],
    [{ options: { attributes: { email: {} }, requires_username: true } }, 400],
    [{ options: { attributes: { username: { profile_required: true } } } }, 400],
    [{ enabled_clients: ['nobody'] }, 404],
  ])('are refused for %j', async (change, status) => {
    const answer = await admin().post('/connections', { name: 'refused', strategy: 'auth0', ...change });
    expect(answer).toMatchObject({ status, body: { statusCode: status } });
    expect((await admin().get('/connections?name=refused')).body).toEqual([]);
  });

  it('exist once for a name, and answer to realms of no other', async () => {
    const attempts = await Promise.all(
      Array.from({ length: 10 }, () => admin().post('/connections', { name: 'once', strategy: 'auth0' })),
    );
    expect(attempts.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)]);
    expect(await admin().post('/connections', { name: 'twice', strategy: 'auth0', realms: ['once'] })).toMatchObject({
      status: 409,
    });
  });

  it('change what is named, options as a whole, and neither name nor strategy', async () => {
    const { id, name } = await newConnection({ options: { disable_signup: true } });
    const change = (body: unknown) => admin().patch(`/connections/${id}`, body);
    expect((await change({ options: { passwordPolicy: 'none' } })).body).toMatchObject({
      name,
      options: { passwordPolicy: 'none' },
    });
    expect((await admin().get(`/connections/${id}`)).body.options).toEqual({ passwordPolicy: 'none' });
    expect((await change({ display_name: 'New' })).body).toMatchObject({
      display_name: 'New',
      options: { passwordPolicy: 'none' },
    });
    expect(await change({ name: 'other' })).toMatchObject({ status: 400 });
    expect(await change({ strategy: 'waad' })).toMatchObject({ status: 400 });
    expect((await change({ enabled_clients: ['client3'] })).body.enabled_clients).toEqual(['client3']);
  });

  it('are listed in all three styles, filtered by strategy and name, without the reserved one', async () => {
    const { id, name } = await newConnection();
    const all = (await admin().get('/connections?per_page=100')).body;
    expect(all.map((one: { name: string }) => one.name)).not.toContain('gatewright-admins');
    expect((await admin().get(`/connections?name=${name}&include_totals=true`)).body).toMatchObject({
      total: 1,
      connections: [{ id }],
    });
    expect((await admin().get(`/connections?strategy=auth0&strategy=waad&name=${name}`)).body).toHaveLength(1);
    expect((await admin().get(`/connections?strategy=waad`)).body).toEqual([]);
    const seen: string[] = [];
    for (let next = ''; ; ) {
      const { body } = await admin().get(`/connections?take=2${next}`);
      seen.push(...body.connections.map((one: { id: string }) => one.id));
      if (body.next === undefined) break;
      next = `&from=${body.next}`;
    }
    expect(seen).toEqual(all.map((one: { id: string }) => one.id));
    expect(await admin().get('/connections?take=2&from=forged')).toMatchObject({ status: 400 });
  });

  it('keep the reserved one and those of other tenants out of reach', async () => {
    const reserved = await world.stores.connections.findByName('acme', 'gatewright-admins');
    const own = await newConnection();
    const other = world.apiOfOther('read:connections', 'update:connections', 'delete:connections', 'delete:users');
    for (const [api, id] of [
      [admin(), reserved?.id],
      [other, own.id],
    ] as const) {
      expect(await api.get(`/connections/${id}`)).toEqual({
        status: 404,
        body: {
          statusCode: 404,
          error: 'Not Found',
          message: 'The connection does not exist',
          errorCode: 'inexistent_connection',
        },
      });
      expect(await api.patch(`/connections/${id}`, { display_name: 'x' })).toMatchObject({ status: 404 });
      expect(await api.get(`/connections/${id}/clients`)).toMatchObject({ status: 404 });
      expect(await api.patch(`/connections/${id}/clients`, [{ client_id: 'client1', status: true }])).toMatchObject({
        status: 404,
      });
      expect(
        await api.delete(`/connections/${id}/users?email=root@example.com`, { email: 'root@example.com' }),
      ).toMatchObject({ status: 404 });
      expect(await api.delete(`/connections/${id}`)).toMatchObject({ status: 202 });
    }
    expect(await world.stores.connections.findByName('acme', 'gatewright-admins')).toBeDefined();
    expect(await admin().get(`/connections/${own.id}`)).toMatchObject({ status: 200 });
  });

  it('take their users with them', async () => {
    const { id, name } = await newConnection();
    const connection = await world.stores.connections.findByName('acme', name);
    if (!connection) throw new Error('no connection');
    const user = await createDatabaseUser(world.stores, 'acme', connection, { email: 'gone@example.com' }, 'hash');
    const other = await createDatabaseUser(world.stores, 'acme', connection, { email: 'mail@example.com' }, 'hash');
    expect(
      await admin().delete(`/connections/${id}/users?email=MAIL@example.com`, { email: 'MAIL@example.com' }),
    ).toMatchObject({ status: 204 });
    expect(await world.stores.users.find('acme', other.userId)).toBeUndefined();
    expect(await admin().delete(`/connections/${id}`)).toEqual({
      status: 202,
      body: { deleted_at: expect.any(String) },
    });
    expect(await world.stores.users.find('acme', user.userId)).toBeUndefined();
    expect(await admin().get(`/connections/${id}`)).toMatchObject({ status: 404 });
  });
});

describe('/api/v2/connections/{id}/clients', () => {
  it('switches single clients, and parallel switches lose nothing', async () => {
    const { id } = await newConnection({ enabled_clients: ['client1'] });
    await Promise.all([
      admin().patch(`/connections/${id}/clients`, [{ client_id: 'client2', status: true }]),
      admin().patch(`/connections/${id}/clients`, [{ client_id: 'client3', status: true }]),
      admin().patch(`/connections/${id}/clients`, [{ client_id: 'client1', status: false }]),
    ]);
    const { body } = await admin().get(`/connections/${id}/clients`);
    expect(body.clients.map((one: { client_id: string }) => one.client_id).sort()).toEqual(['client2', 'client3']);
    const first = (await admin().get(`/connections/${id}/clients?take=1`)).body;
    const second = (await admin().get(`/connections/${id}/clients?take=1&from=${first.next}`)).body;
    expect([...first.clients, ...second.clients]).toEqual(body.clients);
    expect(second.next).toBeUndefined();
  });

  it('does all or nothing', async () => {
    const { id } = await newConnection({ enabled_clients: ['client1'] });
    const switches = [
      { client_id: 'client1', status: false },
      { client_id: 'nobody', status: true },
    ];
    expect(await admin().patch(`/connections/${id}/clients`, switches)).toMatchObject({ status: 404 });
    expect((await admin().get(`/connections/${id}/clients`)).body.clients).toEqual([{ client_id: 'client1' }]);
    const tooMany = Array.from({ length: 51 }, () => ({ client_id: 'client1', status: true }));
    expect(await admin().patch(`/connections/${id}/clients`, tooMany)).toMatchObject({ status: 400 });
  });

  it('tells the protocol which connections a client may use, from the cache', async () => {
    const { name } = await newConnection({ enabled_clients: ['client2'], realms: ['a-realm'] });
    const asked: string[] = [];
    const directory = createConnectionDirectory({
      connections: world.stores.connections,
      cache: {
        get(tenantId, key, load) {
          asked.push(`${tenantId} ${key}`);
          return load();
        },
      },
    });
    const names = (await directory.connectionsOfClient('acme', 'client2')).map((connection) => connection.name);
    expect(names).toContain(name);
    expect(await directory.connectionsOfClient('other', 'client2')).toEqual([]);
    expect(await directory.findConnectionByRealm('acme', 'a-realm')).toMatchObject({ name });
    expect(await directory.findConnectionByName('acme', 'a-realm')).toBeUndefined();
    const before = asked.length;
    expect(await directory.findConnectionByName('acme', 'x'.repeat(10_000))).toBeUndefined();
    expect(asked).toHaveLength(before);
  });
});
