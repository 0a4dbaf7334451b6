import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { beginEpoch } from '../../src/logs/log-epoch.ts';
import { listPartitionDays, makeDay } from '../../src/logs/partitions/partition-keeper.ts';
import { eventually, type StreamWorld, startStreamWorld } from './stream-world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let streams: StreamWorld;
beforeAll(async () => {
  streams = await startStreamWorld();
});
afterAll(() => streams.stop());
afterEach(() => streams.clean());

describe('a clock that jumps (F7)', () => {
  it('by two hours, back and ahead, makes a stream skip nothing and repeat nothing', async () => {
    const { world, receiver } = streams;
    const { id } = await streams.createStream();
    await streams.api().post(`/log-streams/${id}/rotate-secret`);
    const stamps: number[] = [];
    for (const jump of [0, -2, 4, -2]) {
      later(jump * HOUR);
      const expected = streams.ofType('s').length + 20;
      await streams.happen(20);
      await eventually(() => expect(streams.ofType('s')).toHaveLength(expected));
      const last = receiver.requests.findLast(({ body }) => body.includes('"s"'));
      stamps.push(Number(last?.headers['webhook-timestamp']) - Math.floor(world.now().getTime() / 1_000));
    }
    expect(streams.ofType('s').toSorted()).toEqual((await streams.written()).slice(-80));
    expect(stamps).toEqual([0, 0, 0, 0]);
  });

  it('leaves leases to the database: who has one keeps it, for twelve seconds of the database’s time', async () => {
    const { pool } = streams.world.database;
    const { id } = await streams.createStream({ filters: ['scim.event'] });
    const lease = async () => {
      const { rows } = await pool.query<{ owner: string | null; seconds: number }>(
        `select owner, extract(epoch from lease_until - clock_timestamp())::float8 as seconds
         from log_stream_deliveries where stream_id = $1`,
        [id],
      );
      return rows[0];
    };
    await eventually(async () => expect((await lease())?.owner).toEqual(expect.any(String)));
    const before = await lease();
    for (const jump of [2, -4, 2]) {
      later(jump * HOUR);
      await eventually(async () => {
        const now = await lease();
        expect(now?.owner).toBe(before?.owner);
        expect(now?.seconds).toBeGreaterThan(10);
      });
      expect((await lease())?.seconds).toBeLessThanOrEqual(12);
    }
  });

  it('back, while a receiver was down, does not make its stream wait for the time to come again', async () => {
    const { receiver } = streams;
    receiver.behave({ status: 500 });
    const { id } = await streams.createStream();
    await streams.happen(3);
    await eventually(async () => expect((await streams.health(id)).failures).toBe(1));
    receiver.behave({ status: 200 });
    later(-2 * HOUR);
    await eventually(() => expect(new Set(streams.ofType('s')).size).toBe(3));
    later(2 * HOUR);
  });
});

describe('a transaction id that gets another digit (F6)', () => {
  it('comes behind those that have one less, and a restored database’s events behind all of before', async () => {
    const { pool } = streams.world.database;
    await streams.createStream({ format: 'JSONARRAY' });
    // Above the horizon of this epoch, and final when it is over.
    for (const xid of [10_000_001, 9_999_999, 100_000_000, 10_000_000, 99_999_999])
      await pool.query(
        `insert into log_events (tenant_id, xid, type, body) values ('dev', $1::text::xid8, 's', '{}')`,
        [xid],
      );
    const connection = await pool.connect();
    await beginEpoch(connection, undefined);
    connection.release();
    await streams.happen(2);
    await eventually(() => expect(streams.ofType('s')).toHaveLength(7));
    expect(streams.ofType('s')).toEqual((await streams.written()).slice(-7));
    expect(streams.ofType('s').slice(0, 5).map(xidOf)).toEqual([
      9_999_999, 10_000_000, 10_000_001, 99_999_999, 100_000_000,
    ]);
  });
});

describe('midnight (F10)', () => {
  it('with traffic: events of both days come in one order, once each, and so do those that find no partition', async () => {
    const { pool } = streams.world.database;
    await streams.createStream({ format: 'JSONARRAY' });
    const today = streams.world.now().getTime();
    for (let number = 0; number < 90; number++) {
      // Transactions that began before midnight write behind it, and the other way round; the last day has no partition.
      const days = number > 45 && number % 3 === 2 ? 40 : number % 2;
      const day = new Date(today + days * DAY);
      await pool.query(`insert into log_events (tenant_id, type, body, day) values ('dev', 's', '{}', $1)`, [day]);
    }
    await eventually(() => expect(streams.ofType('s')).toHaveLength(90));
    expect(streams.ofType('s')).toEqual((await streams.written()).slice(-90));
    const { rows } = await pool.query('select from log_events_default');
    expect(rows.length).toBeGreaterThan(10);
  });
});

describe('a stream that is far behind when events end (F14)', () => {
  it('gets those of its week of grace, and is told of those that are over: which, and how many', async () => {
    const { world, receiver } = streams;
    receiver.behave({ status: 500 });
    const { id } = await streams.createStream();
    await pauseSince(id, 40);
    const waiting = await happenedBefore(32, 3);
    const lost = await happenedBefore(38, 4);
    // Days that are long over have nothing that is not final: a stream that has passed one does not look there again.
    await streams.allFinal();
    await streams.api().patch(`/log-streams/${id}`, { status: 'active' });
    await eventually(async () => expect((await streams.health(id)).failures).toBe(1));
    await world.app.logWatch.rollups.catchUp();
    await world.app.logWatch.retention.expire();
    receiver.requests.length = 0;
    receiver.behave({ status: 200 });
    later(10 * MINUTE);
    // What it had read before its time was over may come all the same.
    await eventually(() => expect(streams.ofType('cs')).toEqual(expect.arrayContaining(waiting)));
    await eventually(() => expect(streams.ofType('resource_cleanup')).toHaveLength(1));
    const told = streams.units().find(({ data }) => data.type === 'resource_cleanup');
    expect(told?.data.details).toMatchObject({
      log_gap: { events: 4, first_log_id: lost[0], last_log_id: lost.at(-1) },
    });
  });
});

const xidOf = (logId: string) => Number(logId.slice(6, 26));

function later(milliseconds: number): void {
  streams.world.advance(milliseconds);
  streams.world.app.streams.wake();
}

/** The stream has been where it is for so many days: a position names the day that it was reached on. */
async function pauseSince(id: string, days: number): Promise<void> {
  const { pool } = streams.world.database;
  const owner = async () =>
    (await pool.query('select owner from log_stream_deliveries where stream_id = $1', [id])).rows[0]?.owner;
  // One that nobody has had yet may just be taken, and is where its new owner puts it.
  await eventually(async () => expect(await owner()).toEqual(expect.any(String)));
  await streams.api().patch(`/log-streams/${id}`, { status: 'paused' });
  await eventually(async () => expect(await owner()).toBeNull());
  await pool.query('update log_stream_deliveries set day = $1 where stream_id = $2', [dayBefore(days), id]);
}

function dayBefore(days: number): string {
  return new Date(streams.world.now().getTime() - days * DAY).toISOString().slice(0, 10).replaceAll('-', '');
}

/** Events of so many days ago that the streams of now have not had; their ids. */
async function happenedBefore(days: number, count: number): Promise<string[]> {
  const { pool } = streams.world.database;
  const at = new Date(streams.world.now().getTime() - days * DAY);
  const day = dayBefore(days);
  if (!(await listPartitionDays(pool)).some((partition) => partition.day === day)) await makeDay(pool, day);
  const before = (await streams.written('cs')).length;
  for (let number = 0; number < count; number++)
    await pool.query(`insert into log_events (tenant_id, type, body, day, at) values ('dev', 'cs', '{}', $1, $2)`, [
      day,
      at,
    ]);
  return (await streams.written('cs')).slice(before);
}
