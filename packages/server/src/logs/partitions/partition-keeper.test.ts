import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/test-database.ts';
import { createPartitionKeeper, listPartitionDays } from './partition-keeper.ts';

let database: TestDatabase;
const noon = new Date('2031-05-31T12:00:00Z');
const days = ['20310530', '20310531', '20310601', '20310602', '20310603'];

beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const keeper = (now = () => noon) => createPartitionKeeper({ pool: database.pool, now });
const kept = async () => (await listPartitionDays(database.pool)).map(({ day }) => day);

describe('the log partitions', () => {
  it('reach from yesterday to three days ahead, and grow with the days', async () => {
    await keeper().keep();
    expect(await kept()).toEqual(days);
    await keeper(() => new Date('2031-06-01T00:00:01Z')).keep();
    expect(await kept()).toEqual([...days, '20310604']);
  });

  it('are made once when several processes start together', async () => {
    await Promise.all([keeper().keep(), keeper().keep(), keeper().keep()]);
    expect(await kept()).toEqual(days);
  });

  it('are made while a transaction writes events', async () => {
    const writer = await database.pool.connect();
    try {
      await writer.query('begin');
      await writer.query(`insert into log_events (tenant_id, type, body, day) values ('dev', 's', '{}', '2030-01-01')`);
      const errors: unknown[] = [];
      const busy = createPartitionKeeper({
        pool: database.pool,
        now: () => noon,
        onError: (cause) => errors.push(cause),
      });
      await busy.start();
      await busy.stop();
      // The writer holds the default partition: the keeper gives way and says so, instead of queueing every reader behind it.
      expect(errors).toHaveLength(1);
      await writer.query('commit');
    } finally {
      writer.release();
    }
    await keeper().keep();
    expect(await kept()).toEqual(days);
  });

  it('leave a day in the default partition that has events there, make the others, and tell their operator', async () => {
    const strays: string[] = [];
    await database.pool.query(
      `insert into log_events (tenant_id, type, body, day) values ('dev', 's', '{}', '2031-05-31')`,
    );
    await createPartitionKeeper({ pool: database.pool, now: () => noon, onStray: (day) => strays.push(day) }).keep();
    expect(strays).toEqual(['20310531']);
    expect(await kept()).toEqual(days.filter((day) => day !== '20310531'));
    const { rows } = await database.pool.query(`select type from log_events where day = '2031-05-31'`);
    expect(rows).toHaveLength(1);
  });

  it('begin an epoch when the database has moved to another cluster', async () => {
    const epoch = async () => {
      await database.pool.query(`delete from log_events`);
      const { rows } = await database.pool.query(
        `insert into log_events (tenant_id, type, body) values ('dev', 's', '{}') returning epoch`,
      );
      return rows[0].epoch as number;
    };
    await keeper().keep();
    expect(await epoch()).toBe(0);
    await database.pool.query(`update log_epoch set cluster_id = 'elsewhere'`);
    await keeper().keep();
    await keeper().keep();
    expect(await epoch()).toBe(1);
  });
});
