import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Recorder, startRecorder } from '../../test/log-export/recorder.ts';
import { event, events, logId, startTenantStandIn, type TenantStandIn } from '../../test/log-export/tenant-stand-in.ts';
import { type GivenSettings, readExportSettings } from './export-settings.ts';
import { exportOnce } from './open-export.ts';
import type { ExportReport } from './run-export.ts';

let tenant: TenantStandIn;
let webhook: Recorder;
let checkpoint: string | undefined;
let waits: string[];
beforeAll(async () => {
  [tenant, webhook] = await Promise.all([startTenantStandIn(), startRecorder()]);
});
beforeEach(() => {
  checkpoint = undefined;
  waits = [];
});
afterEach(() => {
  webhook.reset();
  tenant.intercept(undefined);
  tenant.asked.length = 0;
});
afterAll(() => Promise.all([tenant.stop(), webhook.stop()]));

function run(change: GivenSettings = {}, signal = new AbortController().signal): Promise<ExportReport> {
  const settings = readExportSettings({
    AUTH0_DOMAIN: tenant.origin,
    AUTH0_CLIENT_ID: 'id',
    AUTH0_CLIENT_SECRET: 'right',
    WEBHOOK_URL: webhook.url,
    ...change,
  });
  const state = {
    load: async () => checkpoint,
    save: async (id: string) => {
      checkpoint = id;
    },
  };
  return exportOnce({
    settings,
    allowed: [],
    checkpoint: state,
    onProgress: () => {},
    onWait: (words) => waits.push(words),
    signal,
  });
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => logId(from + index));

describe('an export', () => {
  it('sends every event once, in the order of the log, and goes on there the next time', async () => {
    tenant.has(events(250));
    expect(await run({ WEBHOOK_CONCURRENT_CALLS: '1' })).toMatchObject({
      outcome: 'complete',
      read: 250,
      sent: 250,
      skipped: 0,
    });
    expect(webhook.ids()).toEqual(numbers(1, 250));
    tenant.adds(event(251));
    expect(await run()).toMatchObject({ outcome: 'complete', sent: 1 });
    expect(webhook.ids()).toEqual(numbers(1, 251));
    expect(await run()).toMatchObject({ outcome: 'complete', read: 0 });
  });

  it('sends records with the members in the order of the old extension, both names of the id, and the id as webhook-id', async () => {
    const details = { body: { password: '*****' }, qs: {}, connection: 'My-Users' };
    const record = {
      ...event(1),
      client_ip: '::1',
      hostname: 'h',
      strategy_type: 'database',
      strategy: 'auth0',
      user_name: '',
    };
    tenant.has([
      {
        ...record,
        user_id: '',
        details,
        user_agent: 'a',
        ip: '11.22.33.44',
        client_name: 'Default App',
        client_id: 'c',
        connection: 'My-Users',
      },
    ]);
    await run();
    const [{ headers, body } = { headers: {}, body: {} }] = webhook.received;
    expect(Object.keys(body)).toEqual([
      ...['date', 'type', 'description', 'connection', 'client_id', 'client_name', 'ip', 'user_agent', 'details'],
      ...['user_id', 'user_name', 'strategy', 'strategy_type', '_id', 'isMobile', 'log_id', 'client_ip', 'hostname'],
    ]);
    expect(headers).toMatchObject({ 'webhook-id': logId(1), 'content-type': 'application/json' });
    expect(body).toMatchObject({ _id: logId(1), log_id: logId(1), details });
  });

  it('begins with the oldest page as the old extensions asked for it, loses nothing where that has another order, and repeats nothing', async () => {
    // By date the first hundred are others than by id.
    const late = { date: '2026-10-31T00:00:00.000Z' };
    tenant.has([...events(130).slice(0, 119), event(120, 'f', late), ...events(10, 'f', 121)]);
    expect(await run()).toMatchObject({ outcome: 'complete', sent: 130 });
    expect(tenant.asked[1]).toContain('/api/v2/logs?per_page=100&page=0&sort=date:1');
    expect(webhook.ids().toSorted()).toEqual(numbers(1, 130));
    expect(checkpoint).toBe(logId(130));
  });

  it('reads old records, which have _id alone and another form of it', async () => {
    const id = '49556539073893675610923042044589174982043486779166687234';
    tenant.has([{ date: '2016-02-25T13:42:08.791Z', type: 'f', _id: id }, event(1)]);
    await run();
    expect(webhook.received.map(({ body }) => [body._id, body.log_id])).toEqual([
      [id, id],
      [logId(1), logId(1)],
    ]);
    expect(checkpoint).toBe(logId(1));
  });

  it('filters by level and by type; what is filtered out moves the checkpoint too', async () => {
    tenant.has([event(1, 's'), event(2, 'limit_wc'), event(3, 'sapi'), event(4, 'brand_new'), event(5, 'fp')]);
    expect(await run({ LOG_LEVEL: '4' })).toMatchObject({ outcome: 'complete', read: 5, sent: 2, skipped: 3 });
    expect(webhook.received.map(({ body }) => body.type)).toEqual(['limit_wc', 'brand_new']);
    expect(checkpoint).toBe(logId(5));
    checkpoint = undefined;
    webhook.reset();
    await run({ LOG_LEVEL: '1', LOG_TYPES: 's, fp, sapi' });
    expect(webhook.received.map(({ body }) => body.type)).toEqual(['s', 'fp']);
  });

  it.each([1, 5, 30])('has %i requests in flight, and never more', async (calls) => {
    tenant.has(events(100));
    webhook.gathers(calls);
    await run({ WEBHOOK_CONCURRENT_CALLS: String(calls) });
    expect(webhook.mostFlying()).toBe(calls);
  });

  it('stops at the first answer other than 200: at most 36 and those in flight arrive, and the batch comes again', async () => {
    tenant.has(events(100));
    webhook.takes(5);
    webhook.answers((number) => (number === 37 ? 500 : 200));
    const report = await run({ WEBHOOK_CONCURRENT_CALLS: '5' });
    expect(report).toMatchObject({ outcome: 'failed', error: 'the webhook answered 500: the disk is full' });
    expect(numbers(33, 41)).toContain(report.failed?.logId);
    expect(webhook.received.length).toBeGreaterThanOrEqual(37);
    expect(webhook.received.length).toBeLessThanOrEqual(36 + 5);
    expect(checkpoint).toBeUndefined();
    webhook.reset();
    expect(await run()).toMatchObject({ outcome: 'complete', sent: 100 });
    expect(webhook.ids().toSorted()).toEqual(numbers(1, 100));
  });

  it('keeps what it has delivered of earlier batches when a later one fails', async () => {
    tenant.has(events(250));
    webhook.answers((number) => (number === 237 ? 404 : 200));
    expect(await run({ WEBHOOK_CONCURRENT_CALLS: '1' })).toMatchObject({
      outcome: 'failed',
      failed: { logId: logId(237), type: 'f' },
      sent: 236,
    });
    expect(checkpoint).toBe(logId(200));
  });

  it.each([
    [201, 'the webhook answered 201: ok'],
    [204, 'the webhook answered 204'],
    [302, 'the webhook answered 302 (redirects are not followed)'],
    [410, 'the webhook answered 410: ok'],
  ])('takes 200 alone for success, not %i', async (status, error) => {
    tenant.has(events(1));
    webhook.answers(() => status);
    expect(await run()).toMatchObject({ outcome: 'failed', error });
    expect(webhook.received).toHaveLength(1);
  });

  it.each([[201], [204]])('takes %i for success with WEBHOOK_SUCCESS=2xx', async (status) => {
    tenant.has(events(3));
    webhook.answers(() => status);
    expect(await run({ WEBHOOK_SUCCESS: '2xx' })).toMatchObject({ outcome: 'complete', sent: 3 });
  });

  it('lets a body go, however long it is: the status says it all', async () => {
    let sent = 0;
    const endless = createServer((_request, response) => {
      response.on('close', () => clearInterval(timer));
      const timer = setInterval(() => {
        sent += 100_000;
        response.write('x'.repeat(100_000));
      }, 1);
    });
    endless.listen(0, '127.0.0.1');
    await once(endless, 'listening');
    tenant.has(events(2));
    const report = await run({ WEBHOOK_URL: `http://127.0.0.1:${(endless.address() as AddressInfo).port}/` });
    expect(report).toMatchObject({ outcome: 'complete', sent: 2 });
    expect(sent).toBeLessThan(50_000_000);
    endless.closeAllConnections();
    endless.close();
  });

  it('says that nobody is there', async () => {
    tenant.has(events(1));
    expect(await run({ WEBHOOK_URL: 'http://127.0.0.1:1/' })).toMatchObject({
      outcome: 'failed',
      error: 'WEBHOOK_URL: No connection to the address',
    });
  });

  it.each([
    'http://10.1.2.3/',
    'http://169.254.169.254/latest/meta-data/',
    'http://192.168.0.1:8080/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://2852039166/',
    'http://[fd00::1]/',
    'http://0.0.0.0:9/',
  ])('reaches no private network: WEBHOOK_URL=%s', async (url) => {
    tenant.has(events(1));
    expect(await run({ WEBHOOK_URL: url })).toMatchObject({
      outcome: 'failed',
      error: expect.stringContaining('leads to a private network: name its address or network in WEBHOOK_ALLOW'),
    });
    expect(checkpoint).toBeUndefined();
  });

  it('asks again after a failure of the tenant, and waits for its rate limit', async () => {
    tenant.has(events(3));
    const answers = [503, 429];
    tenant.intercept((request, response) => {
      const status = request.url?.startsWith('/api/') ? answers.shift() : undefined;
      if (status === undefined) return false;
      response.writeHead(status, status === 429 ? { 'retry-after': '1' } : {}).end();
      return true;
    });
    expect(await run()).toMatchObject({ outcome: 'complete', sent: 3 });
    expect(waits).toEqual([
      expect.stringMatching(/answered 503: waiting 1\.0 s\./),
      expect.stringMatching(/The rate limit of the tenant is used up: waiting (0\.9|1\.0) s\./),
    ]);
  });

  it('gets a new token where the old one is not good any more', async () => {
    tenant.has(events(101));
    let isRevoked = false;
    tenant.intercept((request) => {
      if (request.url?.includes('from=') && !isRevoked) {
        isRevoked = true;
        tenant.revokeTokens();
      }
      return false;
    });
    expect(await run()).toMatchObject({ outcome: 'complete', sent: 101 });
  });

  it('says what the tenant says about wrong credentials', async () => {
    expect(await run({ AUTH0_CLIENT_SECRET: 'wrong' })).toMatchObject({
      outcome: 'failed',
      error: `No token for ${tenant.origin}/api/v2/ from ${tenant.origin}: it answered 401: Unauthorized.`,
    });
  });

  it('does not take a page of somebody else for a log', async () => {
    tenant.intercept((request, response) => {
      if (request.url?.startsWith('/oauth/')) return false;
      response.end('<html>');
      return true;
    });
    expect(await run()).toMatchObject({
      outcome: 'failed',
      error: expect.stringContaining('did not answer with JSON'),
    });
  });

  it('ends by a signal once those in flight have arrived, and repeats none of them', async () => {
    tenant.has(events(100));
    webhook.takes(10);
    const stopping = new AbortController();
    webhook.answers((number) => {
      if (number === 20) stopping.abort();
      return 200;
    });
    expect(await run({ WEBHOOK_CONCURRENT_CALLS: '4' }, stopping.signal)).toMatchObject({ outcome: 'stopped' });
    const before = webhook.ids();
    expect(before.length).toBeLessThan(30);
    webhook.answers(() => 200);
    expect(await run()).toMatchObject({ outcome: 'complete', sent: 100 - before.length });
    expect(webhook.ids().toSorted()).toEqual(numbers(1, 100));
  });
});
