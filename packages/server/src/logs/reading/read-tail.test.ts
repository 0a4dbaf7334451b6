import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/test-database.ts';
import { beginEpoch } from '../log-epoch.ts';
import type { LogPosition } from '../log-id.ts';
import { createPartitionKeeper } from '../partitions/partition-keeper.ts';
import { createLogReader, type LogReader } from './log-reader.ts';
import { tailSql } from './read-tail.ts';

let database: TestDatabase;
let reader: LogReader;
beforeAll(async () => {
  database = await createTestDatabase();
  await createPartitionKeeper({ pool: database.pool }).keep();
  reader = createLogReader({ pool: database.pool });
});
afterAll(() => database.drop());

describe('the end of the log', () => {
  it('has the events of the tenants that are asked for in one order, across a digit boundary of xid and across days', async () => {
    const { epoch } = await reader.end();
    const today = await day(0);
    // The epoch is over where these stand: all of it is final.
    const connection = await database.pool.connect();
    await beginEpoch(connection, undefined);
    connection.release();
    for (const [tenant, xid, on] of [
      ['a', 998, 0],
      ['b', 999, 1],
      ['a', 1000, 300],
      ['c', 1001, 0],
      ['a', 1002, -1],
      ['b', 1003, 300],
    ] as const)
      await database.pool.query(
        `insert into log_events (tenant_id, epoch, xid, day, type, body) values ($1, $2, $3::xid8, $4::date, $5, '{}')`,
        [tenant, epoch, String(xid), await day(on), `${tenant}${xid}`],
      );
    const from: LogPosition = { epoch, xid: '0', seq: '0', day: today };
    const types = async (take: number) => (await reader.tail(['a', 'b'], from, take)).rows.map(({ type }) => type);
    expect(await types(100)).toEqual(['a998', 'b999', 'a1000', 'a1002', 'b1003']);
    // One by one, across a day that has no partition of its own.
    const single: string[] = [];
    for (let position = from; single.length < 5; ) {
      const { rows, reached } = await reader.tail(['a', 'b'], position, 1);
      single.push(...rows.map(({ type }) => type));
      position = reached;
      if (rows.length === 0) break;
    }
    expect(single).toEqual(['a998', 'b999', 'a1000', 'a1002', 'b1003']);
    const page = await reader.tail(['a', 'b'], from, 2);
    expect(page.reached).toMatchObject({ xid: '999' });
    expect((await reader.tail(['a', 'b'], page.reached, 2)).rows.map(({ type }) => type)).toEqual(['a1000', 'a1002']);
    expect((await reader.tail(['nobody'], from, 2)).rows).toEqual([]);
  });

  it('shows an event when nothing can come before it any more, and its reader moves on where there is nothing', async () => {
    const from = await reader.end();
    const late = await database.pool.connect();
    await late.query('begin');
    await late.query(`insert into log_events (tenant_id, type, body) values ('d', 'late', '{}')`);
    await database.pool.query(`insert into log_events (tenant_id, type, body) values ('d', 'early', '{}')`);
    const before = await reader.tail(['d'], from, 10);
    expect(before.rows).toEqual([]);
    await late.query('commit');
    late.release();
    await vi.waitFor(
      async () => {
        const { rows } = await reader.tail(['d'], before.reached, 10);
        expect(rows.map(({ type }) => type)).toEqual(['late', 'early']);
      },
      { timeout: 60_000, interval: 50 },
    );
  });

  it('is read by its index, and nothing is sorted, in a plan for any values too', async () => {
    const today = await day(0);
    await database.pool.query(
      `insert into log_events (tenant_id, epoch, xid, day, type, body)
       select 'dev', 0, n::text::xid8, $1::date, 's', '{}' from generate_series(1, 5000) n`,
      [today],
    );
    await database.pool.query('analyze log_events');
    const client = await database.pool.connect();
    await client.query('set plan_cache_mode = force_generic_plan');
    await client.query(
      `prepare tail (text[], smallint, text, text, smallint, text, bigint) as ${tailSql([`log_events_${today}`])
        .replace('$3::xid8', '$3::text::xid8')
        .replace('$4::bigint', '$4::text::bigint')
        .replace('$6::xid8', '$6::text::xid8')}`,
    );
    const plan = await client.query<{ 'QUERY PLAN': string }>(
      `explain execute tail('{dev}', 0::smallint, '2500', '0', 1::smallint, '1', 50)`,
    );
    await client.query('deallocate all; reset plan_cache_mode');
    client.release();
    const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toMatch(/Index Scan using \S*epoch_xid_seq/);
    expect(text).not.toContain('Sort');
  });
});

async function day(offset: number): Promise<string> {
  const { rows } = await database.pool.query<{ day: string }>(
    `select to_char((clock_timestamp() at time zone 'UTC')::date + $1::integer, 'YYYYMMDD') as day`,
    [offset],
  );
  return rows[0]?.day ?? '';
}
