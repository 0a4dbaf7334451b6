import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, created } from '../../test/protocol.ts';
import { type ManagementClient, startWorld, type World } from '../../test/world.ts';
import { createDatabaseUser } from '../users/create-user.ts';
import { createConnectionDirectory } from './connection-directory.ts';

const SCOPES = ['create:connections', 'read:connections', 'update:connections', 'delete:connections', 'delete:users'];

interface NewConnection {
  readonly id: string;
  readonly name: string;
  readonly enabled_clients: string[];
}

let world: World;
let manage: ManagementClient;
let stranger: ManagementClient;
let client1: string;
let client2: string;
let client3: string;

beforeAll(async () => {
  world = await startWorld();
  manage = world.api(...SCOPES);
  stranger = world.apiAt(await world.createTenant('other'), ...SCOPES);
  const clients = world.api('create:clients');
  const newClient = async () => String((await created(clients.post('/clients', { name: 'Client' }))).client_id);
  [client1, client2, client3] = await Promise.all([newClient(), newClient(), newClient()]);
});
afterAll(() => world.stop());

let count = 0;
async function newConnection(more: Record<string, unknown> = {}): Promise<NewConnection> {
  count += 1;
  const made = await manage.post('/connections', { name: `directory-${count}`, strategy: 'auth0', ...more });
  expect(made.statusCode, made.body).toBe(201);
  return made.json();
}

describe('/api/v2/connections', () => {
  it('are made with the options of a new directory, and realms of their name', async () => {
    const body = await newConnection({
      name: 'people',
      display_name: 'People',
      options: { passwordPolicy: 'low', disable_signup: true },
      enabled_clients: [client2, client1],
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
    expect(body.enabled_clients.sort()).toEqual([client1, client2].sort());
    const read: NewConnection = (await manage.get(`/connections/${body.id}`)).json();
    expect({ ...read, enabled_clients: read.enabled_clients.sort() }).toEqual(body);
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
    const refused = await manage.post('/connections', { name: 'refused', strategy: 'auth0', ...change });
    expect(refused.statusCode).toBe(status);
    expect(refused.json()).toMatchObject({ statusCode: status });
    expect((await manage.get('/connections?name=refused')).json()).toEqual([]);
  });

  it('exist once for a name, and answer to realms of no other', async () => {
    const attempts = await Promise.all(
      Array.from({ length: 10 }, () => manage.post('/connections', { name: 'once', strategy: 'auth0' })),
    );
    expect(attempts.map(({ statusCode }) => statusCode).sort()).toEqual([201, ...Array(9).fill(409)]);
    expect((await manage.post('/connections', { name: 'twice', strategy: 'auth0', realms: ['once'] })).statusCode).toBe(
      409,
    );
  });

  it('change what is named, options as a whole, and neither name nor strategy', async () => {
    const { id, name } = await newConnection({ options: { disable_signup: true } });
    const change = (body: unknown) => manage.patch(`/connections/${id}`, body);
    expect((await change({ options: { passwordPolicy: 'none' } })).json()).toMatchObject({
      name,
      options: { passwordPolicy: 'none' },
    });
    expect((await manage.get(`/connections/${id}`)).json().options).toEqual({ passwordPolicy: 'none' });
    expect((await change({ display_name: 'New' })).json()).toMatchObject({
      display_name: 'New',
      options: { passwordPolicy: 'none' },
    });
    expect((await change({ name: 'other' })).statusCode).toBe(400);
    expect((await change({ strategy: 'waad' })).statusCode).toBe(400);
    expect((await change({ enabled_clients: [client3] })).json().enabled_clients).toEqual([client3]);
  });

  it('are listed in all three styles, filtered by strategy and name, without the reserved one', async () => {
    const { id, name } = await newConnection();
    const all = (await manage.get('/connections?per_page=100')).json();
    expect(all.map((one: { name: string }) => one.name)).not.toContain('gatewright-admins');
    expect((await manage.get(`/connections?name=${name}&include_totals=true`)).json()).toMatchObject({
      total: 1,
      connections: [{ id }],
    });
    expect((await manage.get(`/connections?strategy=auth0&strategy=waad&name=${name}`)).json()).toHaveLength(1);
    expect((await manage.get(`/connections?strategy=waad`)).json()).toEqual([]);
    const seen: string[] = [];
    for (let next = ''; ; ) {
      const body = (await manage.get(`/connections?take=2${next}`)).json();
      seen.push(...body.connections.map((one: { id: string }) => one.id));
      if (body.next === undefined) break;
      next = `&from=${body.next}`;
    }
    expect(seen).toEqual(all.map((one: { id: string }) => one.id));
    expect((await manage.get('/connections?take=2&from=forged')).statusCode).toBe(400);
  });

  it('keep the reserved one and those of other tenants out of reach', async () => {
    const reserved = await world.app.stores.connections.findByName('dev', 'gatewright-admins');
    const own = await newConnection();
    for (const [api, id] of [
      [manage, reserved?.id],
      [stranger, own.id],
    ] as const) {
      expect(await answer(api.get(`/connections/${id}`))).toEqual({
        status: 404,
        body: {
          statusCode: 404,
          error: 'Not Found',
          message: 'The connection does not exist',
          errorCode: 'inexistent_connection',
        },
      });
      expect((await api.patch(`/connections/${id}`, { display_name: 'x' })).statusCode).toBe(404);
      expect((await api.get(`/connections/${id}/clients`)).statusCode).toBe(404);
      expect((await api.patch(`/connections/${id}/clients`, [{ client_id: client1, status: true }])).statusCode).toBe(
        404,
      );
      expect(
        (await api.delete(`/connections/${id}/users?email=root@example.com`, { email: 'root@example.com' })).statusCode,
      ).toBe(404);
      expect((await api.delete(`/connections/${id}`)).statusCode).toBe(202);
    }
    expect(await world.app.stores.connections.findByName('dev', 'gatewright-admins')).toBeDefined();
    expect((await manage.get(`/connections/${own.id}`)).statusCode).toBe(200);
  });

  it('take their users with them', async () => {
    const { id, name } = await newConnection();
    const connection = await world.app.stores.connections.findByName('dev', name);
    if (!connection) throw new Error('no connection');
    const user = await createDatabaseUser(world.app.stores, 'dev', connection, { email: 'gone@example.com' }, 'hash');
    const other = await createDatabaseUser(world.app.stores, 'dev', connection, { email: 'mail@example.com' }, 'hash');
    expect(
      (await manage.delete(`/connections/${id}/users?email=MAIL@example.com`, { email: 'MAIL@example.com' }))
        .statusCode,
    ).toBe(204);
    expect(await world.app.stores.users.find('dev', other.userId)).toBeUndefined();
    expect(await answer(manage.delete(`/connections/${id}`))).toEqual({
      status: 202,
      body: { deleted_at: expect.any(String) },
    });
    expect(await world.app.stores.users.find('dev', user.userId)).toBeUndefined();
    expect((await manage.get(`/connections/${id}`)).statusCode).toBe(404);
  });
});

describe('/api/v2/connections/{id}/clients', () => {
  it('switches single clients, and parallel switches lose nothing', async () => {
    const { id } = await newConnection({ enabled_clients: [client1] });
    await Promise.all([
      manage.patch(`/connections/${id}/clients`, [{ client_id: client2, status: true }]),
      manage.patch(`/connections/${id}/clients`, [{ client_id: client3, status: true }]),
      manage.patch(`/connections/${id}/clients`, [{ client_id: client1, status: false }]),
    ]);
    const body = (await manage.get(`/connections/${id}/clients`)).json();
    expect(body.clients.map((one: { client_id: string }) => one.client_id).sort()).toEqual([client2, client3].sort());
    const first = (await manage.get(`/connections/${id}/clients?take=1`)).json();
    const second = (await manage.get(`/connections/${id}/clients?take=1&from=${first.next}`)).json();
    expect([...first.clients, ...second.clients]).toEqual(body.clients);
    expect(second.next).toBeUndefined();
  });

  it('does all or nothing', async () => {
    const { id } = await newConnection({ enabled_clients: [client1] });
    const switches = [
      { client_id: client1, status: false },
      { client_id: 'nobody', status: true },
    ];
    expect((await manage.patch(`/connections/${id}/clients`, switches)).statusCode).toBe(404);
    expect((await manage.get(`/connections/${id}/clients`)).json().clients).toEqual([{ client_id: client1 }]);
    const tooMany = Array.from({ length: 51 }, () => ({ client_id: client1, status: true }));
    expect((await manage.patch(`/connections/${id}/clients`, tooMany)).statusCode).toBe(400);
  });

  it('tells the protocol which connections a client may use, from the cache', async () => {
    const { name } = await newConnection({ enabled_clients: [client2], realms: ['a-realm'] });
    const asked: string[] = [];
    const ofClient2 = { clientId: client2, isFirstParty: true };
    const directory = createConnectionDirectory({
      connections: world.app.stores.connections,
      cache: {
        get(tenantId, key, load) {
          asked.push(`${tenantId} ${key}`);
          return load();
        },
      },
    });
    const names = (await directory.connectionsOfClient('dev', ofClient2)).map((connection) => connection.name);
    expect(names).toContain(name);
    expect(await directory.connectionsOfClient('other', ofClient2)).toEqual([]);
    expect(await directory.findConnectionByRealm('dev', 'a-realm')).toMatchObject({ name });
    expect(await directory.findConnectionByName('dev', 'a-realm')).toBeUndefined();
    const before = asked.length;
    expect(await directory.findConnectionByName('dev', 'x'.repeat(10_000))).toBeUndefined();
    expect(asked).toHaveLength(before);
  });
});
