import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/test-database.ts';
import { createPatientPool } from '../../db/database.ts';
import { readNewEvents, sectionSql } from '../../log-rollups/read-new-events.ts';
import { beginEpoch } from '../log-epoch.ts';
import { encodeLogId, type LogPosition } from '../log-id.ts';
import { createPartitionKeeper } from '../partitions/partition-keeper.ts';
import { NEWEST_FIRST } from '../search/search-logs.ts';
import { parseSearch } from '../search/search-query.ts';
import { checkpointSql } from './checkpoint.ts';
import { createLogReader, type LogReader } from './log-reader.ts';
import { LAG_SQL } from './measure-lag.ts';
import { readInOrder } from './read-in-order.ts';
import { tailSql } from './read-tail.ts';

const EVENTS = 100_000;
const TAKE = 50;
/** Most of the day lies before it. */
const DEEP = 90_000;

let database: TestDatabase;
let pool: pg.Pool;
let reader: LogReader;
let today: string;
let deep: LogPosition;

beforeAll(async () => {
  database = await createTestDatabase();
  // One connection, so that its prepared statements and its counters are the readers'.
  pool = createPatientPool(database.poolOptions);
  reader = createLogReader({ pool });
  await createPartitionKeeper({ pool }).keep();
  const { rows } = await pool.query(`select to_char(clock_timestamp() at time zone 'UTC', 'YYYYMMDD') as day`);
  today = rows[0].day;
  deep = { epoch: 0, xid: String(DEEP), seq: '0', day: today };
  await pool.query(`alter table log_events_${today} set (autovacuum_enabled = false)`);
  await pool.query(
    `insert into log_events (tenant_id, epoch, xid, day, type, body)
     select case when n % 2 = 0 then 'busy' when n % 50 = 1 then 'small' else 'other' || n % 3 end, 0, n::text::xid8, $1::date, 's', '{}'
     from generate_series(1, ${EVENTS}) n`,
    [today],
  );
  // An epoch that is over is final: all of it may be read.
  const connection = await pool.connect();
  await beginEpoch(connection, undefined);
  connection.release();
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const values = (tenantId: string) => [tenantId, deep.epoch, deep.xid, deep.seq];
const horizon = [1, '1'];
const table = () => `log_events_${today}`;

const statements = (): [who: string, text: string, values: unknown[]][] => [
  [
    'a page of GET /logs, of an export or a stream',
    checkpointSql(table()),
    [...values('busy'), ...horizon, TAKE, null],
  ],
  ['the same within a retention', checkpointSql(table()), [...values('busy'), ...horizon, TAKE, new Date(0)]],
  ['a first page', checkpointSql(table()), ['small', -1, '0', '0', ...horizon, TAKE, null]],
  [
    'streams and live readers at the end',
    tailSql([table()]),
    [['busy', 'small'], ...values('').slice(1), ...horizon, TAKE],
  ],
  ['the counts', sectionSql([table()]), [...values('').slice(1), ...horizon, 5_000]],
  ['how far a stream is behind', LAG_SQL, [...values('small'), 1_000]],
];

/** What a look may cost: of the tail every second event is another tenant's. */
const reads = (): [who: string, events: number, read: () => Promise<unknown>][] => [
  ['GET /logs and the export', TAKE, () => reader.after('busy', deep, TAKE)],
  ['a small tenant among busy ones', TAKE, () => reader.after('small', deep, TAKE)],
  ['a tenant without events', 0, () => reader.after('nobody', deep, TAKE)],
  ['a stream that is behind', TAKE, () => reader.page('busy', deep, TAKE)],
  ['a live reader that comes back', TAKE, () => reader.follow('busy', deep, TAKE)],
  ['streams and live readers at the end', 2 * TAKE, () => reader.tail(['busy', 'small'], deep, TAKE)],
  ['the counts', TAKE, () => readNewEvents(pool, deep, TAKE)],
  ['how far a stream is behind', EVENTS / 50, () => reader.lag('small', deep)],
  ['a search by type', TAKE, () => search('busy', 'type:s')],
  ['a search by type and user', TAKE, () => search('busy', 'type:s AND user_id:"auth0|7"')],
  ['the newest', TAKE, () => search('busy', '')],
  ['a search for one of many types', TAKE, () => search('small', 'type:(f OR fp OR fu)')],
  ['a search by log_id', 1, () => search('busy', `log_id:${encodeLogId({ ...deep, seq: '1' })}`)],
  ['where a stream begins that starts from a time', 1, () => reader.before('busy', new Date(0))],
];

describe.each([
  ['that nobody has analyzed', async () => {}],
  ['that is analyzed', async () => void (await pool.query(`analyze ${table()}`))],
  ['that grew a tenant after it was analyzed', addNewcomer],
])('a day of many events %s', (_state, prepare) => {
  beforeAll(prepare);

  it('has no reader whose statement sorts or collects what it reads', async () => {
    for (const [who, text, given] of statements()) {
      const plan = await readInOrder<{ 'QUERY PLAN': string }>(pool, { text: `explain ${text}`, values: given });
      const lines = plan.map((row) => row['QUERY PLAN']).join('\n');
      expect(lines, who).toContain('Index Scan using');
      expect(lines, who).not.toMatch(/Sort {2}|Bitmap|Seq Scan/);
    }
  });

  it('has no reader that fetches more events than it gives back, or walks to where it begins', async () => {
    for (const [who, events, read] of reads()) {
      // Often enough for the plans of prepared statements that serve any values.
      for (let time = 0; time < 8; time++) {
        const before = await counters();
        await read();
        const after = await counters();
        expect(after.events - before.events, who).toBeLessThanOrEqual(events + 10);
        expect(after.indexBlocks - before.indexBlocks, who).toBeLessThanOrEqual(30);
      }
    }
  });
});

it('a reader whose day went in between, or whose statement fails, leaves its connection as it was', async () => {
  await expect(readInOrder(pool, { text: 'select from log_events_20010101', values: [] })).rejects.toMatchObject({
    code: '42P01',
  });
  await expect(readInOrder(pool, { text: `delete from log_events`, values: [] })).rejects.toMatchObject({
    code: '25006',
  });
  const { rows } = await pool.query(
    `select current_setting('enable_sort') as sort, current_setting('transaction_read_only') as reading`,
  );
  expect(rows).toEqual([{ sort: 'on', reading: 'off' }]);
});

function search(tenantId: string, q: string): Promise<unknown> {
  return reader.search(tenantId, { query: parseSearch(q, undefined), sort: NEWEST_FIRST, offset: 0, limit: TAKE });
}

async function addNewcomer(): Promise<void> {
  await pool.query(
    `insert into log_events (tenant_id, epoch, xid, day, type, body)
     select 'busy', 0, n::text::xid8, $1::date, 's', '{}' from generate_series(${EVENTS + 1}, ${1.2 * EVENTS}) n`,
    [today],
  );
}

async function counters(): Promise<{ events: number; indexBlocks: number }> {
  await pool.query('select pg_stat_force_next_flush()');
  const { rows } = await pool.query(
    `select (idx_tup_fetch + seq_tup_read)::integer as events, (idx_blks_hit + idx_blks_read)::integer as "indexBlocks"
     from pg_stat_user_tables join pg_statio_user_tables using (relid) where relid = $1::regclass`,
    [table()],
  );
  return rows[0];
}
