import type { Response } from 'light-my-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operationNamed } from '../../src/management/catalogue.ts';
import { type ManagementClient, startWorld, type World } from '../world.ts';
import { withoutNames } from './routes.ts';

type Item = Readonly<Record<string, unknown>>;

const MORE = 7;

let world: World;
let manage: ManagementClient;
let paths: Readonly<Record<string, string>>;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
  paths = await fill();
});
afterAll(() => world.stop());

/** Each list, what tells its items apart, and whether it can be walked by checkpoint as well. */
const LISTS = [
  ['/clients', 'client_id'],
  ['/resource-servers', 'id'],
  ['/client-grants', 'id'],
  ['/connections', 'id'],
  ['/users', 'user_id'],
  ['/roles', 'id'],
  ['/rules', 'id'],
  ['/hooks', 'id'],
  ['/roles/{id}/users', 'user_id'],
  ['/roles/{id}/permissions', 'permission_name'],
  ['/users/{id}/roles', 'id'],
  ['/users/{id}/permissions', 'permission_name'],
] as const;
const WALKED_BY_CHECKPOINT = LISTS.filter(([path]) => 'take' in operationNamed(`GET ${path}`).query);
const CHECKPOINT_ONLY = [
  ['/resource-servers/search', 'id'],
  ['/connections/{id}/clients', 'client_id'],
  ['/clients/{id}/connections', 'id'],
] as const;

describe.each(LISTS)('GET %s', (list, id) => {
  const { items = '' } = operationNamed(`GET ${list}`);

  it('walks by page: every item once, in one order, then empty pages', async () => {
    const all = await itemsOf(list, 'per_page=100');
    expect(all.length).toBeGreaterThanOrEqual(MORE);
    const walked: Item[] = [];
    for (let page = 0; page * 3 < all.length; page++) walked.push(...(await itemsOf(list, `per_page=3&page=${page}`)));
    expect(walked).toEqual(all);
    expect(new Set(walked.map((item) => item[id])).size).toBe(all.length);
    expect(await itemsOf(list, 'per_page=3&page=100')).toEqual([]);
    expect((await get(list, '')).json()).toEqual(all.slice(0, 50));
  });

  it('tells totals, of a page past the end too, and a page of none', async () => {
    const total = (await itemsOf(list, 'per_page=100')).length;
    for (const [query, start, limit, length] of [
      ['', 0, 50, Math.min(total, 50)],
      ['&per_page=2&page=1', 2, 2, 2],
      ['&per_page=2&page=90', 180, 2, 0],
      ...(allowsNone(list) ? ([['&per_page=0', 0, 0, 0]] as const) : []),
    ] as const) {
      const answer = (await get(list, `include_totals=true${query}`)).json();
      expect([query, answer.start, answer.limit, answer.total]).toEqual([query, start, limit, total]);
      expect(answer[items]).toHaveLength(length);
    }
  });

  it.each(['per_page=101', 'per_page=-1', 'page=-1', 'page=x', 'per_page=1e1', 'page=1&page=2', 'include_totals=1'])(
    'answers 400 to %s',
    async (query) => {
      expect((await get(list, query)).json()).toMatchObject({ statusCode: 400, errorCode: 'invalid_query_string' });
    },
  );
});

describe.each([...WALKED_BY_CHECKPOINT, ...CHECKPOINT_ONLY])('GET %s by checkpoint', (list, id) => {
  const { items = '' } = operationNamed(`GET ${list}`);

  it('walks every item once and leaves `next` out on the last page', async () => {
    const all: Item[] = (await get(list, 'take=100')).json()[items];
    for (const take of [1, 3, all.length]) {
      const walked: Item[] = [];
      let from: string | undefined;
      do {
        const answer = (await get(list, `take=${take}&include_totals=true${from ? `&from=${from}` : ''}`)).json();
        expect(Object.keys(answer).sort()).toEqual([items, ...(answer.next ? ['next'] : [])].sort());
        expect(answer[items].length).toBeLessThanOrEqual(take);
        walked.push(...answer[items]);
        from = answer.next;
      } while (from !== undefined && walked.length <= all.length);
      expect(walked.map((item) => item[id])).toEqual(all.map((item) => item[id]));
    }
    expect(new Set(all.map((item) => item[id])).size).toBe(all.length);
  });

  it.each(['take=0', `take=${mostOf(list) + 1}`, 'take=x', 'from=%2B%2B', 'from=AAAA%3D', `from=${'A'.repeat(2_000)}`])(
    'answers 400 to %s',
    async (query) => {
      expect((await get(list, query)).json()).toMatchObject({ statusCode: 400, errorCode: 'invalid_query_string' });
    },
  );
});

describe.each(LISTS.filter(([list]) => !allowsNone(list)))('GET %s', (list) => {
  it('answers 400 to a page of none, as its documents say', async () => {
    expect((await get(list, 'per_page=0')).json().message).toBe(
      "Query validation error: 'Value 0 is less than minimum 1' on property per_page.",
    );
  });
});

describe('fields', () => {
  it.each([
    ['/clients', 'name,client_id'],
    ['/connections', 'id,name'],
    ['/users', 'email,user_id'],
    ['/users-by-email?email=lister%40example.com', 'email,user_id'],
  ])('of %s are kept, or left out, in each style', async (path, fields) => {
    const names = fields.split(',').sort();
    const query = `${path}${path.includes('?') ? '&' : '?'}fields=${fields}`;
    const kept: Item[] = (await manage.get(query)).json();
    expect(kept.length).toBeGreaterThan(0);
    for (const item of kept) expect(Object.keys(item).sort()).toEqual(names);
    const rest: Item[] = (await manage.get(`${query}&include_fields=false`)).json();
    for (const item of rest) {
      expect(Object.keys(item).length).toBeGreaterThan(2);
      expect(names.filter((name) => name in item)).toEqual([]);
    }
    if (path.includes('?')) return;
    const totals = (await manage.get(`${query}&include_totals=true`)).json();
    expect(totals.total).toBe(kept.length);
  });
});

describe('more than a thousand records', () => {
  it.each(['/users', '/roles/{id}/users'])('of %s are not reached by page', async (list) => {
    expect((await get(list, 'per_page=100&page=9')).statusCode).toBe(200);
    expect((await get(list, 'per_page=100&page=10')).json()).toEqual({
      statusCode: 400,
      error: 'Bad Request',
      errorCode: 'invalid_paging',
      message:
        list === '/users'
          ? 'You can only page through the first 1000 records. See https://auth0.com/docs/users/search/v3/view-search-results-by-page#limitation'
          : 'Requesting page 10 exceeds the allowed maximum of 1000 records. To fetch results beyond 1000, use the checkpoint pagination method.',
    });
  });
});

/** Some lists take pages of none (`per_page=0`, for the total alone), others answer 400: as their documents say. */
function allowsNone(list: string): boolean {
  return (operationNamed(`GET ${list}`).query.per_page?.minimum ?? 0) === 0;
}

function mostOf(list: string): number {
  return operationNamed(`GET ${list}`).query.take?.maximum ?? 100;
}

function get(list: string, query: string): Promise<Response> {
  const path = paths[withoutNames(list)] ?? list;
  return manage.get(query ? `${path}?${query}` : path);
}

async function itemsOf(list: string, query: string): Promise<Item[]> {
  const response = await get(list, query);
  expect(response.statusCode, response.body).toBe(200);
  return response.json();
}

/** A few of each; the paths of the lists that belong to one thing. */
async function fill(): Promise<Readonly<Record<string, string>>> {
  const made = async (path: string, body: unknown) => (await manage.post(path, body)).json();
  const scopes = Array.from({ length: MORE }, (_, index) => ({ value: `scope-${index}` }));
  const { identifier } = await made('/resource-servers', { identifier: 'https://lists.example/', scopes });
  const permissions = scopes.map(({ value }) => ({ resource_server_identifier: identifier, permission_name: value }));
  const lister = { connection: world.connection, email: 'lister@example.com', password: 'Correct horse 10 battery' };
  const user = `/users/${encodeURIComponent((await made('/users', lister)).user_id)}`;
  const clients: string[] = [];
  const roles: string[] = [];
  const users: string[] = [];
  for (let index = 0; index < MORE; index++) {
    clients.push((await made('/clients', { name: `Client ${index}` })).client_id);
    await made('/client-grants', { client_id: clients.at(-1), audience: identifier, scope: ['scope-0'] });
    await made('/rules', { name: `Rule ${index}`, script: 'x', order: MORE - index });
    await made('/hooks', { name: `Hook ${index}`, script: 'x', triggerId: 'post-change-password' });
    await made('/resource-servers', { identifier: `https://list-${index}.example/` });
    roles.push((await made('/roles', { name: `Role ${index}` })).id);
    users.push((await made('/users', { ...lister, email: `listed-${index}@example.com` })).user_id);
  }
  const connections: string[] = [];
  for (let index = 0; index < MORE; index++) {
    const body = { name: `directory-${index}`, strategy: 'auth0', enabled_clients: clients };
    connections.push((await made('/connections', body)).id);
  }
  const [role] = roles;
  await manage.post(`/roles/${role}/users`, { users });
  await manage.post(`/roles/${role}/permissions`, { permissions });
  await manage.post(`${user}/roles`, { roles });
  await manage.post(`${user}/permissions`, { permissions });
  return {
    '/roles/{}/users': `/roles/${role}/users`,
    '/roles/{}/permissions': `/roles/${role}/permissions`,
    '/users/{}/roles': `${user}/roles`,
    '/users/{}/permissions': `${user}/permissions`,
    '/connections/{}/clients': `/connections/${connections[0]}/clients`,
    '/clients/{}/connections': `/clients/${clients[0]}/connections`,
  };
}
