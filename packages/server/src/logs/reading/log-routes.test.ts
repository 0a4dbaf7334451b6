import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/test-database.ts';
import { createDatabase } from '../../db/database.ts';
import type { ManagementCall, QueryValue } from '../../management/call.ts';
import { createEventStore } from '../recording/event-store.ts';
import { createLogReader, type LogReader } from './log-reader.ts';
import { logRoutes } from './log-routes.ts';

let database: TestDatabase;
type Call = ManagementCall<{ logs: LogReader }>;
const handlers = new Map<string, (call: Call) => Promise<unknown>>();
const headers = new Map<string, string>();

beforeAll(async () => {
  database = await createTestDatabase();
  logRoutes({ route: (operation, handler) => handlers.set(operation, handler) });
  const { record } = createEventStore(createDatabase(database.pool));
  for (let number = 0; number < 5; number++) {
    await record('dev', { type: 'loginSucceeded', userId: `auth0|${number % 2}`, description: `${number}` });
  }
  await record('other', { type: 'loginSucceeded', userId: 'auth0|1', description: 'theirs' });
});
afterAll(() => database.drop());

interface Answered {
  readonly log_id: string;
  readonly description: string;
}

describe('GET /logs', () => {
  it('answers an array, newest first', async () => {
    expect(descriptions(await get({}))).toEqual(['4', '3', '2', '1', '0']);
    expect(descriptions(await get({ page: 1, per_page: 2 }))).toEqual(['2', '1']);
    expect(await get({ page: 9, per_page: 2 })).toEqual([]);
  });

  it("answers totals that count the page, as Auth0's third search engine does", async () => {
    const answer = await get({ include_totals: true, page: 1, per_page: 2, sort: 'date:1', q: 'type:s' });
    expect(answer).toMatchObject({
      start: 2,
      limit: 2,
      length: 2,
      total: 2,
      logs: [{ description: '2' }, { description: '3' }],
    });
  });

  it('walks by checkpoint, oldest first, and links to what comes next', async () => {
    const first = await vi.waitFor(
      async () => {
        const page = await get({ take: 3, sort: 'date:-1', q: 'type:fp' });
        expect(descriptions(page)).toEqual(['0', '1', '2']);
        return page as Answered[];
      },
      { timeout: 60_000 },
    );
    const from = first[2]?.log_id ?? '';
    expect(headers.get('link')).toBe(`<https://dev.example/api/v2/logs?from=${from}&take=3>; rel="next"`);
    const rest = await vi.waitFor(
      async () => {
        const page = await get({ from });
        expect(descriptions(page)).toEqual(['3', '4']);
        return page as Answered[];
      },
      { timeout: 60_000 },
    );
    const last = rest[1]?.log_id ?? '';
    expect(await get({ from: last, take: 3 })).toEqual([]);
    expect(headers.get('link')).toContain(`from=${last}&take=3`);
  });

  it.each([
    [{ q: 'password:x' }, "'password' can not be searched"],
    [{ search: 'type:(' }, 'ends too early'],
    [{ sort: 'date' }, "'sort' must be"],
    [{ from: 'x' }, "'from' is not the log_id"],
    [{ page: 10, per_page: 100 }, 'first 1000 records'],
    [{ q: 'date:yesterday' }, "'yesterday' is no date"],
  ])('refuses %j', async (query, message) => {
    await expect(get(query)).rejects.toThrow(message);
  });
});

describe('GET /logs/{id}', () => {
  it('answers one event of the tenant', async () => {
    const [event] = (await get({})) as Answered[];
    expect(await get({}, { id: event?.log_id ?? '' }, 'dev', 'GET /logs/{id}')).toEqual(event);
    await expect(get({}, { id: event?.log_id ?? '' }, 'other', 'GET /logs/{id}')).rejects.toMatchObject({
      status: 404,
    });
    await expect(get({}, { id: '../x' }, 'dev', 'GET /logs/{id}')).rejects.toMatchObject({ status: 404 });
  });
});

describe('GET /users/{id}/logs', () => {
  it("answers a user's events", async () => {
    expect(descriptions(await get({ per_page: 2 }, { id: 'auth0|1' }, 'dev', 'GET /users/{id}/logs'))).toEqual([
      '3',
      '1',
    ]);
  });
});

function get(
  query: Record<string, QueryValue>,
  params = {},
  tenantId = 'dev',
  operation = 'GET /logs',
): Promise<unknown> {
  const handler = handlers.get(operation);
  if (handler === undefined) throw new Error(`${operation} is not declared.`);
  return handler(call(query, params, tenantId));
}

function call(query: Record<string, QueryValue>, params: Record<string, string>, tenantId: string): Call {
  return {
    tenant: { tenantId, environment: 'development', isDefault: true, settings: {}, origins: [] },
    origin: 'https://dev.example',
    actor: { clientId: 'backend', scopes: new Set(['read:logs']) },
    onlyOwnUser: false,
    requester: { ip: '127.0.0.1', clientIp: '127.0.0.1', userAgent: 'test', hostname: 'dev.example' },
    params,
    query,
    body: {},
    bodyList: [],
    stores: { logs: createLogReader({ pool: database.pool }) },
    commit: () => Promise.reject(new Error('Reading changes nothing.')),
    accessedSecrets: () => {},
    setHeader: (name, value) => headers.set(name, value),
    list: () => Promise.reject(new Error('The log pages by its own rules.')),
  };
}

function descriptions(answer: unknown): string[] {
  return (answer as Answered[]).map(({ description }) => description);
}
