import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ManagementClient, startWorld, type World } from '../../test/world.ts';

type Item = Readonly<Record<string, unknown>>;
type Query = Readonly<Record<string, string>>;

let world: World;
let manage: ManagementClient;
const ids = new Map<string, string>();

/** Made in this order, besides the API of the first run and the Management API. */
const APIS = [
  ['Orders', 'https://orders.example/'],
  ['Billing', 'https://billing.example/v1?region=eu'],
  ['billing', 'urn:billing'],
  ['100%_\\ "quoted" ½ \ufffd', 'https://odd.example/%_\\'],
  ['ÉTÉ', 'urn:ete'],
] as const;

beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
  for (const [name, identifier] of APIS) ids.set(identifier, (await create(manage, name, identifier)).id);
  const stranger = world.apiAt(await world.createTenant('acme'));
  await create(stranger, 'Orders', 'https://orders.example/');
  await world.database.pool.query(
    `update resource_servers set updated_at = '2024-02-29T12:00:00.123456Z' where id = $1`,
    [ids.get('https://orders.example/')],
  );
});
afterAll(() => world.stop());

async function create(at: ManagementClient, name: string, identifier: string, more: object = {}) {
  const response = await at.post('/resource-servers', { name, identifier, ...more });
  expect(response.statusCode, response.body).toBe(201);
  return response.json();
}

const search = (query: Query) => manage.get(`/resource-servers/search?${new URLSearchParams(query)}`);

async function found(query: Query): Promise<Item[]> {
  const response = await search(query);
  expect(response.statusCode, response.body).toBe(200);
  return response.json().resource_servers;
}

const namesOf = (items: readonly Item[]) => items.map(({ name }) => name);
const idOf = (identifier: string) => ids.get(identifier) ?? '';

describe('GET /resource-servers/search', () => {
  it('without a query answers all APIs in the order in which they were made, as GET /resource-servers shows them', async () => {
    const all = (await manage.get('/resource-servers')).json();
    expect((await search({})).json()).toEqual({ resource_servers: all });
    expect(namesOf(all)).toEqual(expect.arrayContaining(['Auth0 Management API', ...APIS.map(([name]) => name)]));
  });

  it.each([
    ['name:Orders', ['Orders']],
    ['name:"orders"', ['Orders']],
    ['name:bill*', ['Billing', 'billing']],
    ['name:*ILLIN*', ['Billing', 'billing']],
    ['name:été', ['ÉTÉ']],
    ['name:"100%_\\\\ \\"quoted\\" ½ \ufffd"', [APIS[3][0]]],
    ['name:100%_\\\\*', [APIS[3][0]]],
    ['name:%', []],
    ['name:______', []],
    ['identifier:https://orders.example/', ['Orders']],
    ['identifier:"https://billing.example/v1?region=eu"', ['Billing']],
    ['identifier:URN:billing', []],
    ['identifier:urn* AND NOT name:été', ['billing']],
    ['identifier:[urn:a TO urn:c]', ['billing']],
    ['urn:billing', undefined],
    ['"urn:billing"', ['billing']],
    ['orders OR *example/v1*', ['Orders', 'Billing']],
    ['-name:orders AND -is_system:true AND identifier:urn*', ['billing', 'ÉTÉ']],
    ['is_system:true', ['Auth0 Management API']],
    ['_exists_:updated_at AND name:orders', ['Orders']],
    ['updated_at:2024-02', ['Orders']],
    ['updated_at:"2024-02-29T12:00:00.123Z"', ['Orders']],
    ['updated_at:[2024 TO 2024-02-29]', ['Orders']],
    ['updated_at:{2024-02-29 TO 2025}', []],
    ['updated_at:[* TO 2025]', ['Orders']],
    ['updated_at:[9999 TO *]', []],
    ['updated_at:[* TO 0001]', []],
    ['updated_at:[0000 TO 9999-12-31] AND name:orders', ['Orders']],
  ])('by the Lucene query %s finds %j', async (q, names) => {
    if (names === undefined) expect((await search({ q })).statusCode).toBe(400);
    else expect(namesOf(await found({ q })).sort()).toEqual([...names].sort());
    if (names) expect((await search({ q, parser: 'lucene' })).body).toBe((await search({ q })).body);
  });

  it.each([
    ['name eq "orders"', ['Orders']],
    ['Name EQ "Orders"', ['Orders']],
    ['name sw "bill"', ['Billing', 'billing']],
    ['name co "%_\\\\ \\""', [APIS[3][0]]],
    ['name ew "ing" and not (identifier sw "https")', ['billing']],
    ['name eq "b*"', []],
    ['identifier eq "https://billing.example/v1?region=eu"', ['Billing']],
    ['identifier ew "BILLING"', []],
    ['identifier gt "urn:a" and identifier le "urn:ete"', ['billing', 'ÉTÉ']],
    ['identifier sw "urn:" and name ne "ÉTÉ"', ['billing']],
    ['is_system eq true', ['Auth0 Management API']],
    ['is_system ne false and is_system pr', ['Auth0 Management API']],
    ['name eq "orders" or name eq "été" and identifier eq "x"', ['Orders']],
    ['(name eq "orders" or name eq "été") and identifier sw "urn"', ['ÉTÉ']],
    ['updated_at lt "2025-01-01"', ['Orders']],
    ['updated_at gt "2024-02-29" and updated_at lt "2024-03-01"', ['Orders']],
    ['updated_at eq "2024-02-29T12:00:00.123Z"', ['Orders']],
    ['updated_at eq "2024-02-29"', []],
    ['updated_at ge "9999-12-31T23:59:59.999Z"', []],
  ])('by the SCIM filter %s finds %j', async (q, names) => {
    expect(namesOf(await found({ q, parser: 'scim' })).sort()).toEqual([...names].sort());
  });

  it('finds an API by its id, exactly', async () => {
    const id = idOf('urn:ete');
    for (const query of [{ q: `id:${id}` }, { q: `id eq "${id}"`, parser: 'scim' }, { q: id }]) {
      expect(namesOf(await found(query))).toEqual(['ÉTÉ']);
    }
    expect(await found({ q: `id:${id.toUpperCase()}x` })).toEqual([]);
  });

  it('knows the Management API by the audiences of the tenant, never by the name under which it is stored', async () => {
    const byIdentifier = (identifier: string) => found({ q: `identifier eq "${identifier}"`, parser: 'scim' });
    for (const origin of ['https://localhost:3443', 'http://localhost:3000']) {
      expect(await byIdentifier(`${origin}/api/v2/`)).toMatchObject([
        { is_system: true, identifier: 'https://localhost:3443/api/v2/' },
      ]);
    }
    expect(await byIdentifier('https://acme.localhost:3443/api/v2/')).toEqual([]);
    expect(await found({ q: 'identifier:urn\\:gatewright*' })).toEqual([]);
    expect(namesOf(await found({ q: 'identifier:*3443/api/v2/' }))).toEqual(['Auth0 Management API']);
  });

  it('shows a change at once, and never a secret', async () => {
    const { id } = await create(manage, 'Fresh', 'urn:fresh', { signing_alg: 'HS256' });
    const [fresh] = await found({ q: 'name:Fresh' });
    expect(fresh).toMatchObject({ id, identifier: 'urn:fresh', signing_alg: 'HS256' });
    expect(fresh).not.toHaveProperty('signing_secret');
    await manage.patch(`/resource-servers/${id}`, { name: 'Stale' });
    expect(await found({ q: 'name:Fresh' })).toEqual([]);
    expect((await found({ sort: 'updated_at' })).at(-1)).toMatchObject({ id, name: 'Stale' });
    await manage.delete(`/resource-servers/${id}`);
    expect(await found({ q: 'name:Stale' })).toEqual([]);
  });

  it('keeps or leaves out fields', async () => {
    const fields = 'name,identifier,updated_at';
    expect(await found({ q: 'name:Orders', fields })).toEqual([
      { name: 'Orders', identifier: 'https://orders.example/' },
    ]);
    const [rest] = await found({ q: 'name:Orders', fields, include_fields: 'false' });
    expect(rest).toMatchObject({ id: idOf('https://orders.example/'), scopes: [] });
    expect(rest).not.toHaveProperty('name');
  });

  it('sorts by name, identifier and time of the last change, equals in the order in which they were made', async () => {
    const all = await found({});
    const by = (member: string) => (a: Item, b: Item) => (String(a[member]) < String(b[member]) ? -1 : 1);
    for (const member of ['name', 'identifier']) {
      expect(await found({ sort: member })).toEqual([...all].sort(by(member)));
    }
    expect(namesOf(await found({ sort: 'updated_at' }))[0]).toBe('Orders');
  });
});

describe('a search is refused with 400', () => {
  it.each<[string, Query]>([
    ["the field 'secret' can not be searched.", { q: 'secret:x' }],
    ["the field 'signing_secret' can not be searched.", { q: 'signing_secret:*' }],
    ["the field 'tenant_id' can not be searched.", { q: 'tenant_id eq "acme"', parser: 'scim' }],
    ["the field 'constructor' can not be searched.", { q: 'constructor:x' }],
    ['a parenthesis is not closed (at character 5).', { q: 'name:(a' }],
    ['three literal characters', { q: 'name:*a' }],
    ['a value is a text in quotation marks', { q: 'name eq Orders', parser: 'scim' }],
    ["'yesterday' is no date", { q: 'updated_at:yesterday' }],
    ["'2023-02-29' is no date", { q: 'updated_at gt "2023-02-29"', parser: 'scim' }],
    ['the value of is_system is true or false.', { q: 'is_system:maybe' }],
    ['gt is not supported in is_system', { q: 'is_system gt true', parser: 'scim' }],
    ['too many clauses, maximum 5.', { q: Array(6).fill('a').join(' ') }],
    ['too many clauses, maximum 5.', { q: Array(6).fill('name pr').join(' or '), parser: 'scim' }],
    ['nested too deeply.', { q: `${'('.repeat(400)}a` }],
    ['nested too deeply.', { q: 'not('.repeat(240), parser: 'scim' }],
    ['String is too long (1001 chars), maximum 1000', { q: 'x'.repeat(1_001) }],
    ['String is too long (1001 chars), maximum 1000', { fields: 'x'.repeat(1_001) }],
    ['a text is no JSON string', { q: 'name eq "\\u0000"', parser: 'scim' }],
    ["'No enum match for: sql' on property parser.", { parser: 'sql' }],
    ["'No enum match for: name:-1' on property sort.", { sort: 'name:-1' }],
    ["'No enum match for: created_at' on property sort.", { sort: 'created_at' }],
    ["'Expected type integer but found type number' on property take.", { take: '1.5' }],
    ["'Value 101 is greater than maximum 100' on property take.", { take: '101' }],
    ["'Value 0 is less than minimum 1' on property take.", { take: '0' }],
  ])('with %s', async (message, query) => {
    const body = (await search(query)).json();
    expect(body).toMatchObject({ statusCode: 400, error: 'Bad Request', errorCode: 'invalid_query_string' });
    expect(body.message).toMatch(/^Query validation error: /);
    expect(body.message).toContain(message);
  });

  it('where its cursor is forged, or was made for another order', async () => {
    const { next } = (await search({ sort: 'name', take: '1' })).json();
    const forged = [
      '1',
      '1:name',
      '-1::',
      '1:tenant_id:x',
      `${'9'.repeat(19)}:name:x`,
      "1:name'--:x",
      '::',
      '1:name:\0',
    ];
    const froms = [next, '%', 'A'.repeat(5_000), ...forged.map((text) => Buffer.from(text).toString('base64url'))];
    for (const from of froms) {
      const sort = from === next ? 'identifier' : 'name';
      const body = (await search({ from, sort })).json();
      expect([from, body.message]).toEqual([from, "Query validation error: 'Invalid checkpoint' on property from."]);
    }
    expect((await search({ from: next, sort: 'name' })).statusCode).toBe(200);
  });

  it('or takes what looks like SQL for the value that it is', async () => {
    const all = await found({});
    for (const value of ["' or 1=1 --", '$1', '"; drop table resource_servers; --', "\\' or ''='", '%', '_', 'a%27']) {
      const quoted = JSON.stringify(value);
      for (const field of ['name', 'identifier', 'id']) {
        expect(await found({ q: `${field}:${quoted}` })).toEqual([]);
        expect(await found({ q: `${field} eq ${quoted}`, parser: 'scim' })).toEqual([]);
      }
    }
    expect(await found({})).toEqual(all);
    expect(world.log).toEqual([]);
  });
});

describe('a search that takes too long', () => {
  it('is given up with 504, and the next one is answered', async () => {
    const everything = (await search({})).body;
    const holder = await world.database.pool.connect();
    try {
      await holder.query('begin; lock table resource_servers in access exclusive mode');
      expect((await search({ q: 'name:Orders' })).json()).toMatchObject({
        statusCode: 504,
        error: 'Gateway Timeout',
        errorCode: 'search_timeout',
      });
    } finally {
      await holder.query('rollback');
      holder.release();
    }
    expect((await search({})).body).toBe(everything);
  });
});
