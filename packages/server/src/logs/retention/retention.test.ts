import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startWorld, type World, type WorldTenant } from '../../../test/world.ts';
import { encodeLogId, type LogPosition } from '../log-id.ts';
import { listPartitionDays, makeDay } from '../partitions/partition-keeper.ts';
import type { ReaderCursor } from './cursors-of-readers.ts';
import { DAY } from './retention.ts';
import { retentionCommands } from './retention-commands.ts';
import { createRetentionKeeper } from './retention-keeper.ts';
import { createTellGap } from './tell-gap.ts';

let world: World;
let acme: WorldTenant;
beforeAll(async () => {
  world = await startWorld();
  acme = await world.createTenant('acme');
});
afterAll(() => world.stop());
beforeEach(async () => {
  const { pool } = world.database;
  for (const { day, table } of await listPartitionDays(pool))
    if (day < dayBefore(1)) await pool.query(`drop table ${table}`);
  await pool.query(`delete from log_events where type in ('fn', 'resource_cleanup', 'sapi')`);
  for (const table of ['log_retention', 'log_gaps']) await pool.query(`delete from ${table}`);
  for (const tenant of ['dev', 'acme']) world.app.forget(tenant);
});

describe('the log after its time', () => {
  it('is gone with its day, partition and all, once no tenant keeps it', async () => {
    await happened('dev', 31.5, 'old');
    await happened('acme', 31.5, 'old');
    await happened('dev', 2, 'new');
    expect(await expire()).toMatchObject({ days: [dayBefore(31.5)], removed: 0, isMore: false });
    expect(await partitionDays()).not.toContain(dayBefore(31.5));
    expect(await stored()).toEqual(['dev new']);
  });

  it('is found by nobody from the very moment, while another tenant keeps the same day', async () => {
    const old = await happened('acme', 3, 'three days ago');
    await happened('acme', 0.99, 'today');
    await happened('dev', 3, 'three days ago');
    await keep('acme', '1');
    const { get } = world.apiAt(acme, 'read:logs');
    const descriptions = async (path: string) =>
      (await get(path)).json().map(({ description }: { description: string }) => description);
    expect(await descriptions('/logs?q=type:fn')).toEqual(['today']);
    expect(await descriptions('/logs?q=type:fn%20OR%20description:"three%20days%20ago"')).toEqual(['today']);
    expect((await get(`/logs/${old}`)).statusCode).toBe(404);
    await vi.waitFor(async () => expect(await descriptions('/logs?take=100')).toContain('today'), 60_000);
    expect(await descriptions('/logs?take=100')).not.toContain('three days ago');
    expect(await descriptions(`/logs?take=100&from=${old}`)).not.toContain('three days ago');

    expect(await stored()).toHaveLength(3);
    expect(await expire()).toMatchObject({ days: [], removed: 1 });
    expect(await stored()).toEqual(['acme today', 'dev three days ago']);
  });

  it('takes the dead letters of its events along, and leaves those of events that are kept', async () => {
    const sink = { httpEndpoint: 'http://127.0.0.1:9/' };
    const stream = (await world.api().post('/log-streams', { type: 'http', sink })).json();
    await world.api().patch(`/log-streams/${stream.id}`, { status: 'paused' });
    const [old, young] = [await happened('dev', 33, 'old'), await happened('dev', 3, 'young')];
    for (const logId of [old, young])
      await world.database.pool.query(
        `insert into log_stream_dead_letters (tenant_id, stream_id, log_id, tries, first_failed_at, failed_at, problem)
         values ('dev', $1, $2, 10, now(), now(), 'refused')`,
        [stream.id, logId],
      );
    await world.app.logWatch.retention.expire();
    const letters = (await world.api().get(`/log-streams/${stream.id}/dead-letters`)).json();
    expect(letters).toMatchObject([{ log_id: young }]);
    // Others keep the day that this tenant's events are over.
    await keep('dev', '1');
    await world.app.logWatch.retention.expire();
    expect((await world.api().get(`/log-streams/${stream.id}/dead-letters`)).json()).toEqual([]);
    await world.api().delete(`/log-streams/${stream.id}`);
  });

  it('ends to the millisecond', async () => {
    const { rows } = await world.database.pool.query<{ at: Date }>(
      `insert into log_events (tenant_id, type, body, at) values ('dev', 'fn', '{}', $1) returning at`,
      [new Date(world.now().getTime() - 86_400_000 * 7)],
    );
    await keep('dev', '7');
    const find = async () => (await world.api('read:logs').get('/logs?q=type:fn')).json().length;
    expect([rows.length, await find()]).toEqual([1, 1]);
    world.advance(1);
    expect(await find()).toBe(0);
    world.advance(-1);
  });

  it('is removed from the default partition as well, where a wrong clock put it', async () => {
    await happened('dev', 100, 'in no partition', false);
    await happened('acme', 20, 'in no partition', false);
    expect(await expire()).toMatchObject({ removed: 1 });
    expect(await stored()).toEqual(['acme in no partition']);
  });

  it('is kept as long as its operator says, and the log tells who shortened it', async () => {
    expect(await keep('dev', '365')).toEqual({ tenant: 'dev', days: 365, is_default: false });
    await happened('dev', 300, 'long ago');
    await happened('acme', 300, 'long ago');
    expect(await expire()).toMatchObject({ days: [], removed: 1 });
    expect(await stored()).toEqual(['dev long ago']);
    expect(await keep('dev', 'default')).toEqual({ tenant: 'dev', days: 30, is_default: true });
    const [event] = (await world.events()).filter(({ type }) => type === 'sapi');
    expect(event).toMatchObject({ details: { log_retention: { days: 30, before: 365 } } });
    expect(await expire()).toMatchObject({ days: [dayBefore(300)] });
  });

  it.each(['0', '3651', '-1', '1.5', 'a week', ''])('is never kept for %j days', async (days) => {
    await expect(keep('dev', days)).rejects.toThrow('whole days from 1 to 3650');
  });
});

describe('events that a log stream has not had', () => {
  const behind = (position: LogPosition | undefined): ReaderCursor => ({ tenantId: 'dev', position });

  it('stay a week longer, and only theirs', async () => {
    await happened('dev', 33, 'unread');
    await happened('acme', 33, 'of somebody else');
    expect(await expire([behind(undefined)])).toMatchObject({ days: [], removed: 1 });
    expect(await stored()).toEqual(['dev unread']);
    expect(await expire([behind(await end())])).toMatchObject({ days: [dayBefore(33)] });
  });

  it('go at last, and the tenant is told which and how many, once', async () => {
    const first = await happened('dev', 39, 'first');
    await happened('dev', 39, 'second');
    const last = await happened('dev', 39, 'third');
    await happened('acme', 39, 'not theirs');
    // A round that told of the gap and was killed before it removed anything:
    const killed = createRetentionKeeper({
      ...parts([behind(undefined)]),
      tellGap: async (...gap) => {
        await createTellGap({ transact: world.app.transact, now: world.now })(...gap);
        throw new Error('killed');
      },
    });
    await expect(killed.expire()).rejects.toThrow('killed');
    expect(await stored()).toHaveLength(4);

    expect(await expire([behind(undefined)])).toMatchObject({ days: [dayBefore(39)] });
    const gaps = (await world.events()).filter(({ type }) => type === 'resource_cleanup');
    expect(gaps).toHaveLength(1);
    expect(gaps[0]).toMatchObject({
      description: expect.stringMatching(/^log_gap: 3 events of \d{4}-\d{2}-\d{2} are removed/),
      details: { log_gap: { events: 3, first_log_id: first, last_log_id: last } },
    });
    expect((await world.events(acme)).filter(({ type }) => type === 'resource_cleanup')).toEqual([]);
  });

  it('are those behind the place where an active stream is, and nobody waits for a paused one', async () => {
    await happened('dev', 33, 'unread');
    const stream = await world.api().post('/log-streams', {
      name: 'Nobody listens',
      type: 'http',
      sink: { httpEndpoint: 'http://127.0.0.1:9/', httpContentFormat: 'JSONLINES' },
      startFrom: new Date(world.now().getTime() - 35 * DAY).toISOString(),
    });
    expect(stream.statusCode, stream.body).toBe(200);
    const keeper = createRetentionKeeper({ ...parts([]), cursors: world.app.stores.streamDeliveries.cursors });
    expect(await keeper.expire()).toMatchObject({ days: [] });
    await world.api().patch(`/log-streams/${stream.json().id}`, { status: 'paused' });
    expect(await keeper.expire()).toMatchObject({ days: [dayBefore(33)] });
  });

  it('that somebody else reads for all tenants are waited for as well, without a word', async () => {
    await happened('acme', 32, 'not counted yet');
    expect(await expire([{ tenantId: undefined, position: undefined }])).toMatchObject({ days: [] });
    world.advance(7 * DAY);
    expect((await expire([{ tenantId: undefined, position: undefined }]))?.days).toContain(dayBefore(39));
    world.advance(-7 * DAY);
    expect((await world.events(acme)).filter(({ type }) => type === 'resource_cleanup')).toEqual([]);
  });
});

describe('several at once', () => {
  it('processes leave the work to the one that has begun', async () => {
    await happened('dev', 40, 'old');
    const all = await Promise.all(Array.from({ length: 4 }, () => expire()));
    expect(all.filter((done) => done?.days.length === 1)).toHaveLength(1);
    expect(await stored()).toEqual([]);
  });

  it('a search that is under way is not ended: the day goes in the next round, and who writes waits a moment at most', async () => {
    await happened('dev', 40, 'old');
    const reader = await world.database.pool.connect();
    await reader.query('begin');
    await reader.query('select count(*) from log_events');
    const round = expire();
    const written = happened('dev', 0.1, 'new');
    expect(await round).toMatchObject({ days: [], isMore: true });
    await written;
    await reader.query('rollback');
    reader.release();
    expect(await expire()).toMatchObject({ days: [dayBefore(40)] });
    expect(await stored()).toEqual(['dev new']);
  });

  it('readers of a day that goes meanwhile read on without it', async () => {
    await happened('dev', 40, 'old');
    await happened('dev', 0.1, 'new');
    await keep('dev', '3650');
    const before = await world.database.pool.query(`select 1`);
    expect(before.rows).toHaveLength(1);
    const reading = Promise.all(Array.from({ length: 20 }, () => world.api('read:logs').get('/logs?take=5')));
    await world.database.pool.query(`drop table log_events_${dayBefore(40)}`);
    expect((await reading).map(({ statusCode }) => statusCode)).toEqual(Array(20).fill(200));
  });
});

const parts = (readers: readonly ReaderCursor[]) => ({
  pool: world.database.pool,
  cursors: async () => readers,
  tellGap: createTellGap({ transact: world.app.transact, now: world.now }),
  expireWith: async () => {},
  log: { info: () => {}, warn: () => {}, error: () => {} },
  now: world.now,
});

function expire(readers: readonly ReaderCursor[] = []) {
  return createRetentionKeeper(parts(readers)).expire();
}

function keep(tenant: string, days: string) {
  return retentionCommands(world.app)['logs-set-retention']?.({ tenant, days });
}

/** An event of so many days ago, in the partition of its day; its id. */
async function happened(tenantId: string, daysAgo: number, description: string, hasPartition = true): Promise<string> {
  const at = new Date(world.now().getTime() - daysAgo * DAY);
  const day = dayBefore(daysAgo);
  if (hasPartition && !(await partitionDays()).includes(day)) await makeDay(world.database.pool, day);
  const { rows } = await world.database.pool.query<{ epoch: number; xid: string; seq: string }>(
    `insert into log_events (tenant_id, type, body, day, at) values ($1, 'fn', $2, $3, $4)
     returning epoch, xid::text as xid, seq::text as seq`,
    [tenantId, { description }, day, at],
  );
  const [row] = rows;
  if (!row) throw new Error('It is not stored.');
  return encodeLogId({ ...row, day });
}

async function end(): Promise<LogPosition> {
  const { rows } = await world.database.pool.query<{ xid: string }>('select pg_current_xact_id()::text as xid');
  return { epoch: 0, xid: rows[0]?.xid ?? '0', seq: '0', day: dayBefore(0) };
}

function dayBefore(days: number): string {
  return new Date(world.now().getTime() - days * DAY).toISOString().slice(0, 10).replaceAll('-', '');
}

async function partitionDays(): Promise<string[]> {
  return (await listPartitionDays(world.database.pool)).map(({ day }) => day);
}

/** Those of the tests, in the table itself. */
async function stored(): Promise<string[]> {
  const { rows } = await world.database.pool.query<{ text: string }>(
    `select tenant_id || ' ' || (body ->> 'description') as text from log_events where type = 'fn' order by 1`,
  );
  return rows.map(({ text }) => text);
}
