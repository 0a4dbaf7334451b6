import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMachinery, type Machinery } from '../../test/management-machinery.ts';
import type { ListSource } from './call.ts';

let world: Machinery;
let size = 0;

const source: ListSource<number> = {
  page: async (offset, limit) => numbers().slice(offset, offset + limit),
  count: async () => size,
  async after(cursor, limit) {
    if (cursor !== undefined && !/^\d{1,9}$/.test(cursor)) {
      throw Object.assign(new Error('invalid input syntax for type bigint'), { code: '22P02' });
    }
    return numbers()
      .filter((item) => item > Number(cursor ?? -1))
      .slice(0, limit);
  },
  cursorOf: String,
  toWire: (item) => ({ id: item, name: `n${item}` }),
};
const numbers = () => Array.from({ length: size }, (_, index) => index);

beforeAll(async () => {
  world = await createMachinery((management) => {
    for (const [operation, key] of [
      ['GET /clients', 'clients'],
      ['GET /users', 'users'],
      ['GET /roles/{id}/users', 'users'],
      ['GET /connections/{id}/clients', 'clients'],
    ] as const) {
      management.route(operation, (call) => call.list(key, source));
    }
  });
});
afterAll(() => world.app.close());

const scopes = 'read:clients read:users read:role_members read:roles read:connections';
const get = (path: string) => world.call(scopes, { method: 'GET', url: `/api/v2${path}` });
const wire = (from: number, to: number) =>
  numbers()
    .slice(from, to)
    .map((id) => ({ id, name: `n${id}` }));

describe('lists by page', () => {
  it('are bare arrays of at most 50 items', async () => {
    size = 101;
    expect((await get('/clients')).body).toEqual(wire(0, 50));
  });

  it('carry exact totals where they are asked for', async () => {
    size = 101;
    expect((await get('/clients?include_totals=true&page=2&per_page=50')).body).toEqual({
      start: 100,
      limit: 50,
      total: 101,
      clients: wire(100, 101),
    });
    expect((await get('/users?include_totals=true&page=0&per_page=2')).body).toEqual({
      start: 0,
      limit: 2,
      length: 2,
      total: 101,
      users: wire(0, 2),
    });
  });

  it('are empty past the end, and not an error', async () => {
    size = 1;
    expect(await get('/clients?page=7&per_page=100')).toMatchObject({ status: 200, body: [] });
    expect(await get('/clients?page=999999999999&include_totals=true')).toMatchObject({
      status: 200,
      body: { clients: [], total: 1 },
    });
  });

  it.each([
    ['per_page=101', "'Value 101 is greater than maximum 100' on property per_page"],
    ['page=-1', "'Value -1 is less than minimum 0' on property page"],
    ['page=a', "'Expected type integer but found type string' on property page"],
    ['per_page=1.5', "'Expected type integer but found type number' on property per_page"],
    ['include_totals=yes', "'Expected type boolean but found type string' on property include_totals"],
    ['page=1&page=2', "'Expected type integer but found type array' on property page"],
    ['take=0', "'Value 0 is less than minimum 1' on property take"],
    ['take=101', "'Value 101 is greater than maximum 100' on property take"],
    ['colour=red&size=1', "'Additional properties not allowed: colour,size'"],
    ['fields=%ff', "'Invalid percent-encoding'"],
  ])('refuse ?%s', async (query, problem) => {
    expect(await get(`/clients?${query}`)).toMatchObject({
      status: 400,
      body: { error: 'Bad Request', message: `Query validation error: ${problem}.`, errorCode: 'invalid_query_string' },
    });
  });

  it('end after a thousand records where Auth0 says so', async () => {
    size = 2000;
    expect(await get('/users?page=9&per_page=100')).toMatchObject({ status: 200 });
    expect(await get('/users?page=10&per_page=100')).toMatchObject({
      status: 400,
      body: {
        message:
          'You can only page through the first 1000 records. See https://auth0.com/docs/users/search/v3/view-search-results-by-page#limitation',
        errorCode: 'invalid_paging',
      },
    });
    expect(await get('/roles/rol_1/users?page=10&per_page=100')).toMatchObject({
      status: 400,
      body: {
        message:
          'Requesting page 10 exceeds the allowed maximum of 1000 records. To fetch results beyond 1000, use the checkpoint pagination method.',
        errorCode: 'invalid_paging',
      },
    });
    expect(await get('/clients?page=15&per_page=100')).toMatchObject({ status: 200 });
  });

  it('keep the fields that were asked for in each item', async () => {
    size = 2;
    expect((await get('/clients?fields=id')).body).toEqual([{ id: 0 }, { id: 1 }]);
    expect((await get('/clients?fields=id&include_fields=false&include_totals=true')).body).toMatchObject({
      clients: [{ name: 'n0' }, { name: 'n1' }],
      total: 2,
    });
  });
});

describe('lists by checkpoint', () => {
  it.each([0, 1, 50, 51, 101])('walk all of %i items once and leave `next` out at the end', async (count) => {
    size = count;
    const found: unknown[] = [];
    let query = 'take=50';
    for (let pages = 0; pages < 5; pages++) {
      const { body } = await get(`/clients?${query}`);
      const { clients, next, ...rest } = body as { clients: unknown[]; next?: string };
      expect(rest).toEqual({});
      found.push(...clients);
      if (next === undefined) break;
      query = `take=50&from=${next}`;
    }
    expect(found).toEqual(wire(0, count));
  });

  it('win over totals and pages', async () => {
    size = 3;
    expect((await get('/clients?take=50&include_totals=true&page=0')).body).toEqual({ clients: wire(0, 3) });
  });

  it('are the only style where the catalogue has no pages', async () => {
    size = 60;
    expect((await get('/connections/con_0123456789abcdef/clients')).body).toEqual({
      clients: wire(0, 50),
      next: expect.any(String),
    });
  });

  it.each(['!!', 'AA', Buffer.from("1'; drop table users").toString('base64url'), '____', 'x'.repeat(2000)])(
    'refuse the cursor %s',
    async (from) => {
      expect(await get(`/clients?take=10&from=${encodeURIComponent(from)}`)).toMatchObject({
        status: 400,
        body: { errorCode: 'invalid_query_string' },
      });
    },
  );
});
