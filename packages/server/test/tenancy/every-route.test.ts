import type { Response } from 'light-my-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operationNamed } from '../../src/management/catalogue.ts';
import { examplesFor, FOR_END_USERS } from '../management/examples.ts';
import { type Home, inhabit } from '../management/inhabited-tenant.ts';
import { routesOf, withoutNames } from '../management/routes.ts';
import { startWorld, type World, type WorldRequest } from '../world.ts';
import { CREDENTIAL_ROUTES, HEAD_ROUTES, PUBLIC_ROUTES } from './protocol-routes.ts';
import { ANSWERS_TO_STRANGERS, names, thingsIn } from './strangers.ts';
import { rowsOf, tablesOf } from './tenant-rows.ts';

const ORIGINS = {
  dev: ['https://localhost:3443', 'http://localhost:3000', 'https://127.0.0.1:3443', 'http://[::1]:3000'],
  acme: ['https://acme.localhost:3443', 'http://acme.localhost:3000'],
};
type Name = keyof typeof ORIGINS;
const PAIRS = [
  ['acme', 'dev'],
  ['dev', 'acme'],
] as const;

let world: World;
const homes = new Map<Name, Home>();
beforeAll(async () => {
  world = await startWorld();
  homes.set('dev', await inhabit(world, world.main));
  homes.set('acme', await inhabit(world, await world.createTenant('acme')));
});
afterAll(() => world.stop());

describe('the walk through every route', () => {
  it('leaves out no route that the server has', () => {
    const walked = names.flatMap((name) => {
      const [method = '', path = ''] = name.split(' ');
      const route = `${method} /api/v2${withoutNames(path)}`;
      return method === 'GET' ? [route, route.replace('GET', 'HEAD')] : [route];
    });
    const routes = new Set(routesOf(world.app.http).map((route) => route.replace(/\/u\/static\/.*/, '/u/static/{}')));
    expect([...routes].sort()).toEqual([...walked, ...CREDENTIAL_ROUTES, ...HEAD_ROUTES, ...PUBLIC_ROUTES].sort());
  });

  it('ends at once where the host is no tenant', async () => {
    for (const origin of ['https://nobody.localhost:3443', 'https://evil.example', 'https://localhost:3444']) {
      for (const route of routesOf(world.app.http)) {
        const [method = '', path = ''] = route.split(' ');
        if (path.startsWith('/health/') || path === '/test' || path === '/testall') continue;
        const token = await tokenOf('dev');
        const asked = { method: method as 'GET', path: path.replaceAll('{}', 'x'), tenant: { origin } };
        const response = await world.request({ ...asked, headers: { authorization: `Bearer ${token}` } });
        expect([route, response.statusCode, response.headers['set-cookie']]).toEqual([route, 404, undefined]);
      }
    }
  });
});

describe.each(PAIRS)('what belongs to %s', (owner, stranger) => {
  it(`opens nothing at ${stranger}: a token, from and at any of their origins`, async () => {
    const before = await rowsOf(world.database.pool, stranger);
    const examples = examplesFor(homeOf(stranger));
    for (const issuedAt of ORIGINS[owner]) {
      const token = await tokenOf(owner, issuedAt);
      for (const origin of ORIGINS[stranger]) {
        for (const name of names) {
          const response = await call(name, examples, token, origin);
          expect([name, response.statusCode, response.json().message]).toEqual([name, 401, 'Invalid token']);
        }
      }
    }
    expect(await rowsOf(world.database.pool, stranger)).toEqual(before);
  });

  it(`is not there for ${stranger}: no id reads, changes or ends it`, async () => {
    const home = homeOf(owner);
    const before = await rowsOf(world.database.pool, owner);
    const token = await tokenOf(stranger);
    const examples = examplesFor(home);
    for (const name of names) {
      const response = await call(name, examples, token, homeOf(stranger).tenant.origin);
      const expected = ANSWERS_TO_STRANGERS[name] ?? 404;
      expect([name, response.statusCode, response.body]).toEqual([name, expected, expect.any(String)]);
      expect([name, thingsIn(response, home)]).toEqual([name, []]);
    }
    expect(await rowsOf(world.database.pool, owner)).toEqual(before);
  });

  it(`is not named to ${stranger} by any filter, search, cursor or checkpoint`, async () => {
    const home = homeOf(owner);
    const { manage } = homeOf(stranger);
    const cursor = async (list: string) => (await home.manage.get(`/${list}?take=1`)).json().next;
    const requests = [
      `/clients?from=${await cursor('clients')}`,
      `/connections?from=${await cursor('connections')}`,
      `/connections?name=${home.connectionName}`,
      `/client-grants?from=${await cursor('client-grants')}`,
      `/client-grants?client_id=${home.client}`,
      `/client-grants?audience=${encodeURIComponent(home.identifier)}`,
      `/resource-servers?identifiers=${encodeURIComponent(home.identifier)}`,
      `/resource-servers/search?q=${encodeURIComponent(`identifier:"${home.identifier}" OR id:${home.api}`)}`,
      `/resource-servers/search?from=${await cursor('resource-servers/search')}`,
      `/roles?name_filter=Keeper`,
      `/users?q=${encodeURIComponent(`email:"${home.email}" OR user_id:"${home.user}"`)}`,
      `/users?q=${encodeURIComponent('email:ada*')}`,
      `/users?connection=${home.connectionName}`,
      `/users-by-email?email=${encodeURIComponent(home.email)}`,
      `/users/${encodeURIComponent(home.user)}/logs`,
      `/actions/actions?actionName=${encodeURIComponent(`Action of ${owner}`)}`,
      '/actions/actions?triggerId=post-login',
      '/hooks?triggerId=credentials-exchange',
    ];
    for (const request of requests) {
      const own = await home.manage.get(request);
      const response = await manage.get(request);
      expect([request, own.statusCode]).toEqual([request, 200]);
      expect([request, response.statusCode, thingsIn(response, home)]).toEqual([request, 200, []]);
    }
  });

  it(`is in no log of ${stranger}, from whichever checkpoint it is read`, async () => {
    const { log, user, client, manage } = homeOf(owner);
    const owned = new Set(idsOf(await manage.get('/logs?per_page=100')));
    expect(owned.size).toBeGreaterThan(10);
    const search = encodeURIComponent(`log_id:"${log}" OR user_id:"${user}" OR client_id:"${client}"`);
    for (const query of [`from=${log}&take=100`, 'take=100', 'per_page=100', `q=${search}`]) {
      const seen = idsOf(await homeOf(stranger).manage.get(`/logs?${query}`));
      expect(seen.filter((id) => owned.has(id))).toEqual([]);
    }
  });

  it(`can not be tied to what belongs to ${stranger}`, async () => {
    const foreign = homeOf(owner);
    const own = homeOf(stranger);
    const user = encodeURIComponent(own.user);
    const permissions = [{ resource_server_identifier: foreign.identifier, permission_name: foreign.permission }];
    const before = await rowsOf(world.database.pool, owner);
    const refusals = [
      await own.manage.post('/client-grants', { client_id: own.client, audience: foreign.identifier, scope: [] }),
      await own.manage.post('/client-grants', { client_id: foreign.client, audience: own.identifier, scope: [] }),
      await own.manage.patch(`/connections/${own.connection}/clients`, [{ client_id: foreign.client, status: true }]),
      await own.manage.patch(`/connections/${own.connection}`, { enabled_clients: [foreign.client] }),
      await own.manage.post('/connections', {
        name: 'with-a-stranger',
        strategy: 'auth0',
        enabled_clients: [foreign.client],
      }),
      await own.manage.patch(`/clients/${own.client}`, {
        token_endpoint_auth_method: null,
        client_authentication_methods: { private_key_jwt: { credentials: [{ id: foreign.credential }] } },
      }),
      await own.manage.get(`/clients/${own.client}/credentials/${foreign.credential}`),
      await own.manage.post(`/roles/${own.role}/users`, { users: [foreign.user] }),
      await own.manage.post(`/users/${user}/roles`, { roles: [foreign.role] }),
      await own.manage.post(`/roles/${own.role}/permissions`, { permissions }),
      await own.manage.post(`/users/${user}/permissions`, { permissions }),
      await own.manage.patch('/actions/triggers/post-login/bindings', {
        bindings: [{ ref: { type: 'action_id', value: foreign.code.action } }],
      }),
      await own.manage.patch('/actions/triggers/post-login/bindings', {
        bindings: [{ ref: { type: 'action_name', value: `Action of ${owner}` } }],
      }),
      await own.manage.patch(`/actions/actions/${own.code.action}`, { modules: [{ module_id: foreign.code.module }] }),
      await own.manage.post(`/actions/modules/${own.code.module}/rollback`, {
        module_version_id: foreign.code.moduleVersion,
      }),
    ];
    for (const response of refusals) expect(response.statusCode, response.body).toBeOneOf([400, 404]);
    expect(await rowsOf(world.database.pool, owner)).toEqual(before);
  });

  it('may have the same names and ids in both, and what one tenant ends stays in the other', async () => {
    const twin = { name: 'Twins', strategy: 'auth0' };
    const person = {
      connection: 'Twins',
      email: 'twin@example.com',
      password: 'Correct horse 3 battery',
      user_id: 'twin',
    };
    for (const { manage } of [homeOf(owner), homeOf(stranger)]) {
      await manage.post('/connections', twin);
      await manage.post('/users', person);
    }
    const own = await homeOf(owner).manage.get('/users/auth0%7Ctwin');
    expect(own.statusCode).toBe(200);
    await homeOf(stranger).manage.delete('/users/auth0%7Ctwin');
    expect((await homeOf(owner).manage.get('/users/auth0%7Ctwin')).json()).toEqual(own.json());
    expect((await homeOf(stranger).manage.get('/users/auth0%7Ctwin')).statusCode).toBe(404);
  });
});

describe.each(PAIRS)('at home in %s', (owner) => {
  it.each(names)('%s is answered with the status of the catalogue, so the walk asked for something', async (name) => {
    const home = homeOf(owner);
    const response = await call(name, examplesFor(home), await tokenOf(owner), home.tenant.origin);
    expect(response.statusCode, response.body).toBe(FOR_END_USERS.has(name) ? 403 : operationNamed(name).status);
  });
});

describe('the database', () => {
  it('has the tenant in every table but those of the installation', async () => {
    const { rows } = await world.database.pool.query(
      `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition`,
    );
    const carrying = new Set(await tablesOf(world.database.pool));
    const others = rows.map(({ relname }) => relname).filter((name) => !carrying.has(name));
    expect(others.sort()).toEqual(['log_epoch', 'log_rollup_state', 'schema_migrations']);
  });
});

function homeOf(name: Name): Home {
  const home = homes.get(name);
  if (!home) throw new Error(`${name} is not inhabited.`);
  return home;
}

const tokens = new Map<string, Promise<string>>();

function tokenOf(name: Name, origin: string = homeOf(name).tenant.origin): Promise<string> {
  const token = tokens.get(origin) ?? world.managementToken([], { ...homeOf(name).tenant, origin });
  tokens.set(origin, token);
  return token;
}

function call(
  name: string,
  examples: ReturnType<typeof examplesFor>,
  token: string,
  origin: string,
): Promise<Response> {
  const example = examples[name];
  if (!example) throw new Error(`${name} has no example.`);
  return world.request({
    method: operationNamed(name).method as WorldRequest['method'] & string,
    path: `/api/v2${example.path}`,
    headers: { authorization: `Bearer ${token}` },
    tenant: { origin },
    ...(example.body !== undefined && { json: example.body }),
  });
}

function idsOf(logs: Response): string[] {
  return logs.json().map(({ log_id }: { log_id: string }) => log_id);
}
