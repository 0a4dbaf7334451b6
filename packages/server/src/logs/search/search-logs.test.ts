import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/test-database.ts';
import { createDatabase } from '../../db/database.ts';
import { DeclaredError } from '../../kit/errors.ts';
import type { AuditEvent } from '../event.ts';
import { toWire } from '../log-row.ts';
import { createLogReader, type LogReader } from '../reading/log-reader.ts';
import { createEventStore } from '../recording/event-store.ts';
import { NEWEST_FIRST, parseSort } from './search-logs.ts';
import { eventsOfUser, parseSearch } from './search-query.ts';

let database: TestDatabase;
let reader: LogReader;

const events: AuditEvent[] = [
  {
    type: 'loginSucceeded',
    userId: 'auth0|1',
    userName: 'ada@example.com',
    clientId: 'app',
    clientName: 'The app',
    ip: '10.0.0.1',
  },
  {
    type: 'wrongPassword',
    userId: 'auth0|1',
    userName: 'ada@example.com',
    description: 'Wrong email or password.',
    ip: '10.0.0.2',
  },
  { type: 'unknownUser', userName: 'eve@example.com', connection: 'Users', strategy: 'auth0', ip: '10.0.0.2' },
  { type: 'managementChanged', description: 'Create a rule', clientId: 'backend', userId: 'x%_\\' },
];

beforeAll(async () => {
  database = await createTestDatabase();
  reader = createLogReader({ pool: database.pool });
  const { record } = createEventStore(createDatabase(database.pool));
  for (const event of events) await record('dev', event);
  await record('other', { type: 'loginSucceeded', userId: 'auth0|1', userName: 'ada@example.com' });
});
afterAll(() => database.drop());

async function found(q: string | undefined, search?: string): Promise<unknown[]> {
  const rows = await reader.search('dev', { query: parseSearch(q, search), sort: NEWEST_FIRST, offset: 0, limit: 50 });
  return rows.map(({ type }) => type);
}

describe('searching the log', () => {
  it.each([
    ['', ['sapi', 'fu', 'fp', 's']],
    ['type:f*', ['fu', 'fp']],
    ['type:(s OR fp)', ['fp', 's']],
    ['NOT type:s', ['sapi', 'fu', 'fp']],
    ['NOT client_id:app', ['sapi', 'fu', 'fp']],
    ['type:F*', []],
    ['user_name:"ada@example.com" AND NOT type:s', ['fp']],
    ['user_name:*example*', ['fu', 'fp', 's']],
    ['description:rule', []],
    ['description:*rule', ['sapi']],
    ['description:"Create a rule"', ['sapi']],
    ['connection:*', ['fu']],
    ['ip:[10.0.0.2 TO *]', ['fu', 'fp']],
    ['ip:{10.0.0.1 TO 10.0.0.2}', []],
    ['strategy:auth0', ['fu']],
    ['"The app"', ['s']],
    ['date:[2020-01-01 TO *]', ['sapi', 'fu', 'fp', 's']],
    ['date:[* TO 2020-01-01}', []],
    ['date:2019', []],
    ['user_id:x%_\\\\', ['sapi']],
    ['user_id:x%*', ['sapi']],
    ['user_id:%*', []],
    ['user_id:_*', []],
  ])('finds %s', async (q, types) => {
    expect(await found(q)).toEqual(types);
    expect(await found(undefined, q)).toEqual(types);
  });

  it('finds an event by its log_id, with and without its field', async () => {
    const [row] = await reader.search('dev', {
      query: parseSearch('type:fu', undefined),
      sort: NEWEST_FIRST,
      offset: 0,
      limit: 1,
    });
    if (row === undefined) throw new Error('There is such an event.');
    const { log_id: id } = toWire(row);
    expect(await found(`log_id:${id}`)).toEqual(['fu']);
    expect(await found(`${id}`)).toEqual(['fu']);
    expect(await found(`log_id:${String(id).slice(0, 30)}*`)).toContain('fu');
  });

  it('sorts by any searchable field, and pages', async () => {
    const query = parseSearch(undefined, undefined);
    const page = async (sort: string, offset: number) =>
      (await reader.search('dev', { query, sort: parseSort(sort), offset, limit: 2 })).map(({ type }) => type);
    expect(await page('date:1', 0)).toEqual(['s', 'fp']);
    expect(await page('date:1', 2)).toEqual(['fu', 'sapi']);
    expect(await page('type:-1', 0)).toEqual(['sapi', 's']);
    expect(await page('log_id:-1', 0)).toEqual(['sapi', 'fu']);
    expect(await page('user_name:1', 0)).toEqual(['s', 'fp']);
    await expect(page('date:1', 999)).rejects.toThrow('first 1000 records');
  });

  it('takes a user id for a value', async () => {
    const search = { sort: NEWEST_FIRST, offset: 0, limit: 50 };
    const of = async (userId: string) =>
      (await reader.search('dev', { ...search, query: eventsOfUser(userId) })).map(({ type }) => type);
    expect(await of('auth0|1')).toEqual(['fp', 's']);
    expect(await of("auth0|1' or '1'='1")).toEqual([]);
    expect(await of('* OR type:s')).toEqual([]);
  });

  it.each([
    "type:s' or 1=1 --",
    "type:(s') or (1=1)",
    `user_id:"'; drop table log_events; --"`,
    '$1',
    'type:$2',
    'ip:\\',
    'ip:"\\"',
    'type:s\0',
    'description:"\ud800"',
    'constructor:x',
    "body->>'x':y",
  ])('is not broken by %j', async (q) => {
    const outcome = await found(q).catch((error: unknown) => error);
    if (!(outcome instanceof DeclaredError)) expect(outcome).toEqual([]);
    expect(await found('')).toHaveLength(4);
  });

  it.each([
    'date',
    'date:2',
    'date:-1; drop table log_events',
    'constructor:1',
    '__proto__:1',
    'body:1',
    'tenant_id:1',
    'at:1',
    "type':1",
  ])('refuses to sort by %s', (sort) => {
    expect(() => parseSort(sort)).toThrow("'sort' must be");
  });

  it('ends a search that takes too long', async () => {
    await database.pool.query(
      `insert into log_events (tenant_id, type, body) select 'busy', 's', jsonb_build_object('description', repeat('aab', 300)) from generate_series(1, 4000)`,
    );
    const q = Array.from({ length: 20 }, (_, index) => `description:*aaa${index}*abc*`).join(' OR ');
    const search = { query: parseSearch(q, undefined), sort: NEWEST_FIRST, offset: 0, limit: 50 };
    const outcome = await reader.search('busy', search).catch((error: unknown) => error);
    if (!Array.isArray(outcome)) expect(outcome).toMatchObject({ status: 503 });
  });
});

describe('a log record on the wire', () => {
  it("has Auth0's members and ids", async () => {
    const [row] = await reader.search('dev', {
      query: parseSearch('type:s', undefined),
      sort: NEWEST_FIRST,
      offset: 0,
      limit: 1,
    });
    if (row === undefined) throw new Error('There is such an event.');
    const wire = toWire(row);
    expect(wire).toEqual({
      date: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      type: 's',
      description: '',
      client_id: 'app',
      client_name: 'The app',
      ip: '10.0.0.1',
      user_id: 'auth0|1',
      user_name: 'ada@example.com',
      log_id: expect.stringMatching(/^900\d{53}$/),
      _id: wire.log_id,
      isMobile: false,
    });
    expect(await reader.find('dev', String(wire.log_id))).toEqual(row);
    expect(await reader.find('dev', 'nonsense')).toBeUndefined();
  });
});
