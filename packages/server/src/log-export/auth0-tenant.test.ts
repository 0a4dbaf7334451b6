import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  events,
  logId,
  rateLimit,
  startTenantStandIn,
  type TenantStandIn,
} from '../../test/log-export/tenant-stand-in.ts';
import { createOutgoing } from '../outgoing/http-client.ts';
import { createLogSource, type LogSource } from './log-source.ts';

const START = Date.UTC(2026, 10, 22, 12);

let tenant: TenantStandIn;
const outgoing = createOutgoing({ allowed: ['127.0.0.0/8'] });
let time = START;
let pauses: number[] = [];
let waits: string[] = [];
beforeAll(async () => {
  tenant = await startTenantStandIn();
});
beforeEach(() => {
  time = START;
  pauses = [];
  waits = [];
  tenant.has(events(250));
});
afterEach(() => {
  tenant.intercept(undefined);
  tenant.asked.length = 0;
});
afterAll(() => Promise.all([tenant.stop(), outgoing.stop()]));

/** What it waits is added to its clock, and noted. */
function source(change: { readonly audience?: string } = {}): LogSource {
  return createLogSource({
    settings: {
      origin: tenant.origin,
      audience: `${tenant.origin}/api/v2/`,
      clientId: 'id',
      clientSecret: 'right',
      ...change,
    },
    callOut: outgoing.callOut,
    now: () => time,
    onWait: (words) => waits.push(words),
    signal: new AbortController().signal,
    sleep: async (milliseconds) => {
      pauses.push(milliseconds);
      time += milliseconds;
    },
  });
}

/** The first answers of /api/v2/logs; then the tenant's own. */
function first(
  ...answers: { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown }[]
) {
  tenant.intercept((request, response) => {
    const answer = request.url?.startsWith('/api/') ? answers.shift() : undefined;
    if (answer === undefined) return false;
    response.writeHead(answer.status, answer.headers).end(JSON.stringify(answer.body ?? []));
    return true;
  });
}

const TOO_MANY = {
  statusCode: 429,
  error: 'Too Many Requests',
  message: 'Global limit has been reached',
  errorCode: 'too_many_requests',
};

describe('an export from a tenant at Auth0', () => {
  it('asks for a hundred records a page, by checkpoint, with one token for the audience of the Management API', async () => {
    const { read } = source();
    const ids = (await read(logId(0), 100)).map(({ id }) => id);
    expect(ids).toEqual(events(100).map(({ log_id }) => log_id));
    expect(await read(ids.at(-1), 100)).toHaveLength(100);
    expect(await read(logId(250), 100)).toEqual([]);
    expect(tenant.asked).toEqual([
      'POST /oauth/token',
      `GET /api/v2/logs?from=${logId(0)}&take=100`,
      `GET /api/v2/logs?from=${logId(100)}&take=100`,
      `GET /api/v2/logs?from=${logId(250)}&take=100`,
    ]);
  });

  it('waits until x-ratelimit-reset after a 429, to the second, and asks for the same page again', async () => {
    first({ status: 429, headers: rateLimit(0, START + 7_000), body: TOO_MANY });
    expect(await source().read(logId(5), 10)).toHaveLength(10);
    expect(pauses).toEqual([7_000]);
    expect(waits).toEqual([expect.stringContaining('The rate limit of the tenant is used up: waiting 7.0 s')]);
    expect(tenant.asked.slice(1)).toEqual(Array(2).fill(`GET /api/v2/logs?from=${logId(5)}&take=10`));
  });

  it('asks nothing more where an answer says that nothing is left, and goes on when the limit opens', async () => {
    first({ status: 200, headers: rateLimit(0, START + 3_000), body: events(1) });
    const { read } = source();
    expect(await read(logId(0), 100)).toHaveLength(1);
    expect(pauses).toEqual([]);
    await read(logId(1), 100);
    expect(pauses).toEqual([3_000]);
  });

  it('waits a minute at most at a time, and gives up with the tenant’s words where it stays closed', async () => {
    first(...Array(4).fill({ status: 429, headers: rateLimit(0, START + 3_600_000), body: TOO_MANY }));
    await expect(source().read(logId(0), 100)).rejects.toThrow('answered 429: Global limit has been reached');
    expect(pauses).toEqual([60_000, 60_000, 60_000]);
  });

  it('goes on with the oldest event that is kept, where its checkpoint is older than the log', async () => {
    tenant.has(events(3, 'f', 200));
    expect((await source().read(logId(7), 100)).map(({ id }) => id)).toEqual([logId(200), logId(201), logId(202)]);
  });

  it('says what to do where the tenant refuses the checkpoint', async () => {
    const message = "Query validation error: 'Invalid log id' on property from.";
    first({ status: 400, body: { statusCode: 400, error: 'Bad Request', message } });
    await expect(source().read('of-another-time', 100)).rejects.toThrow(
      /answered 400: Query validation error: 'Invalid log id'.*The checkpoint of-another-time may be of another tenant, or too old/,
    );
  });

  it('says which scope is missing', async () => {
    const message = 'Insufficient scope, expected any of: read:logs,read:logs_users';
    first({ status: 403, body: { statusCode: 403, error: 'Forbidden', message, errorCode: 'insufficient_scope' } });
    await expect(source().read(undefined, 100)).rejects.toThrow(`answered 403: ${message}`);
  });

  it('says that the application may not have a token for this audience', async () => {
    const audience = 'https://another.example/api/v2/';
    await expect(source({ audience }).read(undefined, 100)).rejects.toThrow(
      `No token for ${audience} from ${tenant.origin}: it answered 403: Service not enabled within domain: ${audience}`,
    );
  });

  it('renews its token a minute before it ends', async () => {
    const { read } = source();
    await read(logId(0), 1);
    time += 86_400_000 - 61_000;
    await read(logId(1), 1);
    time += 2_000;
    await read(logId(2), 1);
    expect(tenant.asked.filter((line) => line === 'POST /oauth/token')).toHaveLength(2);
  });
});
