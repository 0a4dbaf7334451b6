import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/test-database.ts';
import { beginEpoch } from '../log-epoch.ts';
import { encodeLogId } from '../log-id.ts';
import { type LogRow, logIdOf } from '../log-row.ts';
import { createPartitionKeeper } from '../partitions/partition-keeper.ts';
import { checkpointSql } from './checkpoint.ts';
import { createLogReader, type LogReader, parsePosition } from './log-reader.ts';
import { readInOrder } from './read-in-order.ts';

let database: TestDatabase;
let reader: LogReader;

beforeAll(async () => {
  database = await createTestDatabase();
  reader = createLogReader({ pool: database.pool });
  await createPartitionKeeper({ pool: database.pool }).keep();
  // Rows of epoch 0 are final from here on: tests choose their xids.
  await newEpoch();
});
afterAll(() => database.drop());
beforeEach(() => database.pool.query('truncate log_events'));

describe('reading the log by checkpoint', () => {
  it('delivers across a digit boundary of xid in order, page by page', async () => {
    const today = await databaseDay(0);
    for (const [xid, seq] of [
      [1000, 12],
      [999, 11],
      [10_001, 2],
      [99, 13],
      [1000, 9],
    ])
      await insertOld(xid, seq, today);
    const types = (await readAll(2)).map((row) => row.type);
    expect(types).toEqual(['99/13', '999/11', '1000/9', '1000/12', '10001/2']);
  });

  it('skips nothing when a transaction commits late', async () => {
    const slow = await database.pool.connect();
    try {
      await slow.query('begin');
      await insert(slow, 'early');
      await insert(database.pool, 'late');
      // `late` is committed; what came before it is not, so neither may be delivered.
      expect(await reader.after('dev', undefined, 10)).toEqual([]);
      await slow.query('commit');
    } finally {
      slow.release();
    }
    await eventually(async () => expect(await typesAfter(undefined)).toEqual(['early', 'late']));
  });

  it('goes on from the last event and ends with an empty page', async () => {
    await insert(database.pool, 'one');
    await insert(database.pool, 'two');
    await eventually(async () => expect(await typesAfter(undefined)).toEqual(['one', 'two']));
    const [first, second] = await reader.after('dev', undefined, 1).then(async ([row]) => [row, (await next(row))[0]]);
    expect([first?.type, second?.type]).toEqual(['one', 'two']);
    expect(await next(second)).toEqual([]);
  });

  it('loses nothing at midnight or when the clock is set back over it', async () => {
    const [yesterday, today, tomorrow] = await Promise.all([databaseDay(-1), databaseDay(0), databaseDay(1)]);
    // xid 20 began before midnight and wrote after 10 did; at 30 the clock had been set back.
    await insertOld(10, 1, today);
    await insertOld(20, 2, yesterday);
    await insertOld(30, 3, tomorrow);
    await insertOld(40, 4, yesterday);
    await insertOld(50, 5, today);
    expect((await readAll(1)).map((row) => row.xid)).toEqual(['10', '20', '30', '40', '50']);
  });

  it('ends on the database’s day, however wrong the clock of the server is', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30 * 86_400_000 });
    try {
      const end = await reader.end();
      expect(end.day).toBe(await databaseDay(0));
      await insert(database.pool, 'seen');
      await eventually(async () =>
        expect((await reader.page('dev', end, 10)).rows.map(({ type }) => type)).toEqual(['seen']),
      );
      expect((await reader.tail(['dev'], end, 10)).rows).toHaveLength(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it('delivers, in its place, what found no partition', async () => {
    const today = await databaseDay(0);
    await insertOld(10, 1, today);
    await insertOld(20, 2, '20010101');
    await insertOld(30, 3, '20990101');
    await insertOld(40, 4, today);
    expect((await readAll(1)).map((row) => row.xid)).toEqual(['10', '20', '30', '40']);
  });

  it('puts the events of a restored database before those that come after, whatever their xids', async () => {
    await insertOld(10_000_000, 7, await databaseDay(0));
    await newEpoch();
    await insert(database.pool, 'new');
    await eventually(async () => expect(await typesAfter(undefined)).toEqual(['10000000/7', 'new']));
    const [old] = await reader.after('dev', undefined, 1);
    expect((await next(old)).map((row) => row.type)).toEqual(['new']);
  });

  it('shows a tenant its own events only, by position and by id', async () => {
    await insert(database.pool, 'mine');
    await insert(database.pool, 'theirs', 'other');
    const theirs = await vi.waitUntil(async () => (await reader.after('other', undefined, 10))[0], PATIENCE);
    expect(await typesAfter(undefined)).toEqual(['mine']);
    expect(await reader.find('dev', logIdOf(theirs))).toBeUndefined();
    expect(await reader.find('other', logIdOf(theirs))).toMatchObject({ type: 'theirs' });
    expect(await reader.after('dev', parsePosition(logIdOf(theirs)), 10)).toEqual([]);
  });

  it('refuses a position that no event of this installation can have', async () => {
    expect(() => parsePosition("900' or 1=1 --")).toThrow("'from' is not the log_id");
    const future = encodeLogId({ epoch: 999, xid: '1', seq: '1', day: '20261122' });
    await expect(reader.after('dev', parsePosition(future), 10)).rejects.toThrow("'from' is not the log_id");
  });

  it("reads by the tenant's key, sorts nothing and passes nobody else's events", async () => {
    const today = await databaseDay(0);
    await database.pool.query(
      `insert into log_events (tenant_id, epoch, xid, day, type, body)
       select case when n % 100 = 0 then 'dev' else 'busy' end, 0, n::text::xid8, $1::date, 's', '{}' from generate_series(1, 5000) n`,
      [today],
    );
    await database.pool.query('analyze log_events');
    const plan = await readInOrder<{ 'QUERY PLAN': string }>(database.pool, {
      text: `explain ${checkpointSql(`log_events_${today}`)}`,
      values: ['dev', 0, '2500', '0', 1, '1', 50, new Date(0)],
    });
    const text = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toContain(`Index Scan using log_events_${today}_pkey`);
    expect(text).not.toContain('Sort');
  });
});

/** The horizon is the whole cluster's: other tests' transactions delay delivery. */
const PATIENCE = { timeout: 60_000, interval: 50 };
const eventually = (check: () => Promise<void>) => vi.waitFor(check, PATIENCE);

const typesAfter = async (from: LogRow | undefined) => (await next(from)).map((row) => row.type);

function next(from: LogRow | undefined): Promise<LogRow[]> {
  return reader.after('dev', from && parsePosition(logIdOf(from)), 100);
}

async function readAll(take: number): Promise<LogRow[]> {
  const found: LogRow[] = [];
  for (;;) {
    const last = found.at(-1);
    const page = await reader.after('dev', last && parsePosition(logIdOf(last)), take);
    if (page.length === 0) return found;
    found.push(...page);
  }
}

async function insert(
  connection: Pick<pg.ClientBase, 'query'> | pg.Pool,
  type: string,
  tenantId = 'dev',
): Promise<void> {
  await connection.query(`insert into log_events (tenant_id, type, body) values ($1, $2, '{}')`, [tenantId, type]);
}

/** A row of an epoch that has ended: its xid may be any. */
async function insertOld(xid = 0, seq = 0, day = ''): Promise<void> {
  await database.pool.query(
    `insert into log_events (tenant_id, epoch, xid, seq, day, type, body) values ('dev', 0, $1::xid8, $2, $3, $4, '{}')`,
    [String(xid), seq, day, `${xid}/${seq}`],
  );
}

async function newEpoch(): Promise<void> {
  const connection = await database.pool.connect();
  try {
    await beginEpoch(connection, undefined);
  } finally {
    connection.release();
  }
}

async function databaseDay(offset: number): Promise<string> {
  const { rows } = await database.pool.query<{ day: string }>(
    `select to_char((clock_timestamp() at time zone 'UTC')::date + $1::integer, 'YYYYMMDD') as day`,
    [offset],
  );
  return rows[0]?.day ?? '';
}
