import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { passwordGrant } from '../../../test/protocol.ts';
import { startWorld, type World, type WorldTenant } from '../../../test/world.ts';
import { createDatabase } from '../../db/database.ts';
import { type Listener, listen } from '../../http/listen.ts';
import { createLog } from '../../kit/log.ts';
import type { RecordEvent } from '../event.ts';
import { encodeLogId } from '../log-id.ts';
import { createEventStore } from '../recording/event-store.ts';
import { createLiveTails, LIVE_LIMITS, type LiveLimits } from './live-tails.ts';

const PATH = '/api/v2/gatewright/logs/stream';
/** What is committed appears once nothing in the cluster can come before it: other tests' transactions delay it. */
const PATIENCE = 60_000;
const UNUSED = { epoch: 0, xid: '1', seq: '1', day: '20261122' };

let world: World;
let acme: WorldTenant;
let listener: Listener;
beforeAll(async () => {
  world = await startWorld();
  acme = await world.createTenant('acme');
  listener = await listen({ handler: world.app.http.routing, hosts: ['127.0.0.1'], port: 0 });
});
afterAll(async () => {
  await listener.close(0);
  await world.stop();
});

interface Received {
  readonly id: string;
  readonly data: { readonly type: string; readonly log_id: string; readonly user_name?: string } | undefined;
}

/** As an EventSource reads it: what came, and the id to go on from. */
async function follow(
  query: string,
  {
    lastEventId,
    tenant = world.main,
    port = listener.port,
  }: { lastEventId?: string; tenant?: WorldTenant; port?: number } = {},
) {
  const token = await world.managementToken(['read:logs'], tenant);
  const headers = {
    host: new URL(tenant.origin).host,
    'x-forwarded-proto': 'https',
    authorization: `Bearer ${token}`,
    ...(lastEventId && { 'last-event-id': lastEventId }),
  };
  const asked = request({ host: '127.0.0.1', port, path: `${PATH}${query}`, headers, agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const received: Received[] = [];
  let rest = '';
  const ended = new Promise<void>((resolve) => response.once('close', resolve));
  response
    .on('error', () => undefined)
    .on('data', (piece: Buffer) => {
      const blocks = (rest + piece.toString()).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const members = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
        received.push({
          id: String(members.id),
          data: members.data === undefined ? undefined : JSON.parse(members.data),
        });
      }
    });
  return {
    response,
    ended,
    types: () => received.flatMap(({ data }) => (data ? [data.type] : [])),
    ids: () => received.flatMap(({ data }) => (data ? [data.log_id] : [])),
    lastId: () => received.at(-1)?.id,
    close: () => void asked.destroy(),
  };
}

const eventually = <Value>(value: () => Value) => expect.poll(value, { timeout: PATIENCE });
const record: RecordEvent = (tenantId, event) =>
  createEventStore(createDatabase(world.database.pool)).record(tenantId, event);
const logIn = async (tenant = world.main) => expect((await passwordGrant(world, {}, tenant)).statusCode).toBe(200);
const fail = (tenant = world.main) => passwordGrant(world, { password: 'wrong' }, tenant);

describe('GET /gatewright/logs/stream', () => {
  it('tells of events as they happen: those of its tenant that it was asked for', async () => {
    const reader = await follow(`?q=${encodeURIComponent('type:(sepft OR fp) AND NOT user_name:eve*')}`);
    expect(reader.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
    });
    await eventually(reader.lastId).toMatch(/^900\d{53}$/);
    await logIn(acme);
    await fail();
    await passwordGrant(world, { username: 'eve@example.com' });
    await logIn();
    await eventually(reader.types).toEqual(['fp', 'sepft']);
    const [newest] = (await world.api('read:logs').get('/logs?q=type:sepft&per_page=1')).json();
    expect(reader.ids().at(-1)).toBe(newest.log_id);
    reader.close();
  });

  it('goes on where it was cut off, without a gap or a repeat, while others write', async () => {
    const whole = await follow('?q=type:fp');
    await eventually(whole.lastId).toBeDefined();
    const start = whole.lastId() ?? '';
    const writing = Promise.all(
      Array.from({ length: 40 }, (_, index) => record('dev', { type: 'wrongPassword', description: `${index}` })),
    );
    const seen: string[] = [];
    let lastEventId = start;
    for (const end = performance.now() + PATIENCE; seen.length < 40 && performance.now() < end; ) {
      const part = await follow('?q=type:fp', { lastEventId });
      await eventually(part.lastId).toBeDefined();
      part.close();
      seen.push(...part.ids());
      lastEventId = part.lastId() ?? lastEventId;
    }
    await writing;
    await eventually(() => whole.ids().length).toBe(40);
    expect(seen).toEqual(whole.ids());
    expect(seen).toEqual([...new Set(seen)].toSorted());
    whole.close();
  });

  it('ends with what is there where it is not to follow', async () => {
    const whole = async () => {
      const reader = await follow(`?follow=false&from=${encodeLogId(UNUSED)}`);
      await reader.ended;
      return reader;
    };
    await eventually(async () => (await whole()).types()).toContain('seccft');
    const { lastId } = await whole();
    const rest = await follow('?follow=false', { lastEventId: lastId() ?? '' });
    await rest.ended;
    expect(rest.lastId()).toMatch(/^900/);
  });

  it.each([
    ['?q=password:x', 400],
    ['?q=type:(', 400],
    ['?from=nonsense', 400],
    ['?from=90099900000000000000000001000000000000000000120261122000', 400],
    ['?page=1&other=2', 400],
    [`?q=${'x'.repeat(4_001)}`, 414],
  ])('refuses %s', async (query, status) => {
    const { response, close } = await follow(query);
    expect(response.statusCode).toBe(status);
    close();
  });

  it('is for tokens with read:logs', async () => {
    expect((await world.request({ path: PATH })).statusCode).toBe(401);
    expect((await world.api('read:users').get('/gatewright/logs/stream')).statusCode).toBe(403);
  });

  it('has room for ten readers of a tenant, and leaves the others theirs', async () => {
    const readers = await Promise.all(
      Array.from({ length: LIVE_LIMITS.perTenant }, () => follow('', { tenant: acme })),
    );
    expect(readers.map(({ response }) => response.statusCode)).toEqual(readers.map(() => 200));
    expect((await follow('', { tenant: acme })).response.statusCode).toBe(429);
    const other = await follow('');
    expect(other.response.statusCode).toBe(200);
    for (const { close } of [...readers, other]) close();
    await eventually(async () => {
      const again = await follow('', { tenant: acme });
      again.close();
      return again.response.statusCode;
    }).toBe(200);
  });

  it('holds up no server that stops', async () => {
    const stopping = await listen({ handler: world.app.http.routing, hosts: ['127.0.0.1'], port: 0 });
    const reader = await follow('', { port: stopping.port });
    await eventually(reader.lastId).toBeDefined();
    await stopping.close(60_000);
    await reader.ended;
  });
});

describe('a reader', () => {
  const open = (limits: Partial<LiveLimits>, from = UNUSED) => {
    const tails = createLiveTails({ logs: world.app.stores.logs, log: createLog('json', () => undefined), limits });
    return tails.open({ tenantId: 'slow', query: { kind: 'all' }, from, follows: true });
  };

  it('that takes nothing is cut off, and reads the rest when it comes again', async () => {
    const description = 'x'.repeat(900);
    await Promise.all(Array.from({ length: 200 }, () => record('slow', { type: 'wrongPassword', description })));
    const slow = await open({ patienceMilliseconds: 300 });
    const closed = new Promise((resolve) => slow.once('close', resolve));
    slow.once('readable', () => undefined);
    await closed;
    const records = (text: string) => text.match(/^data: .*\n\n/gm) ?? [];
    const again = await open({ lookMilliseconds: 50 });
    expect(records(await textUntil(again, (text) => records(text).length >= 200))).toHaveLength(200);
  });

  it('hears where it is while nothing happens', async () => {
    const quiet = await open({ heartbeatMilliseconds: 0, lookMilliseconds: 20 });
    const told = /: all is read up to here\nid: 900\d{53}\n\n/;
    expect(await textUntil(quiet, (text) => told.test(text))).toMatch(told);
  });

  /** What it is told until that is enough. */
  async function textUntil(reader: Readable, isEnough: (text: string) => boolean): Promise<string> {
    let text = '';
    for await (const piece of reader) {
      text += piece;
      if (isEnough(text)) break;
    }
    return text;
  }
});
