import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/test-database.ts';
import { createPool } from './database.ts';
import { expands, migrate, readMigrations } from './migrate.ts';

const one = { number: 1, name: '0001_one.sql', sql: 'create table one (n int); insert into one values (1)' };
const two = { number: 2, name: '0002_two.sql', sql: 'create table two (n int); insert into two values (2)' };
const narrow = {
  number: 4,
  name: '0004_narrow.sql',
  sql: '-- contracts: nobody reads one.n\nalter table one drop column n',
};
const broken = { number: 3, name: '0003_broken.sql', sql: 'create table three (n int); select no_such_function()' };

/** Kept for the installation, not for a tenant: each says in its migration why. */
const OF_NO_TENANT = ['schema_migrations', 'log_epoch', 'log_rollup_state'];

/** The first version's: no older one runs beside it. */
const BEFORE_THE_RULE = 15;

let empty: TestDatabase;
beforeAll(async () => {
  empty = await createTestDatabase({ migrated: false });
});
afterAll(() => empty.drop());

describe('A migration', () => {
  it('is applied once when two servers start at once', async () => {
    const others = [createPool(empty.poolOptions), createPool(empty.poolOptions)];
    await Promise.all([empty.pool, ...others].map((pool) => migrate(pool, [one, two])));
    await Promise.all(others.map((pool) => pool.end()));
    expect(await column(empty.pool, 'select n from one union all select n from two order by 1')).toEqual([1, 2]);
    expect(await column(empty.pool, 'select number from schema_migrations order by 1')).toEqual([1, 2]);
  });

  it('leaves nothing when it fails, and what came before it stays', async () => {
    await expect(migrate(empty.pool, [one, two, broken])).rejects.toThrow(
      'Migration 0003_broken.sql failed; nothing of it was applied.',
    );
    expect(await column(empty.pool, `select to_regclass('three')`)).toEqual([null]);
    expect(await column(empty.pool, 'select max(number) from schema_migrations')).toEqual([2]);
  });

  it('gives its lock back after a failure, so that the next start is not kept waiting', async () => {
    await expect(migrate(empty.pool, [one, two, broken])).rejects.toThrow();
    await migrate(empty.pool, [one, two]);
    expect(
      await column(
        empty.pool,
        `select count(*)::int from pg_locks where locktype = 'advisory' and database = (
      select oid from pg_database where datname = current_database())`,
      ),
    ).toEqual([0]);
  });

  it('of a newer version is lived with where it only adds: an older server starts during an upgrade, and after a rollback', async () => {
    expect(await migrate(empty.pool, [one])).toEqual(['0002_two.sql']);
    expect(await column(empty.pool, 'select max(number) from schema_migrations')).toEqual([2]);
  });

  it('of a newer version that takes something away is refused, and nothing is changed', async () => {
    await migrate(empty.pool, [one, two, narrow]);
    await expect(migrate(empty.pool, [one])).rejects.toThrow(
      /written by a newer Gatewright: it has 0004_narrow\.sql, this version knows migrations up to 1\. Start the newer version, or restore/,
    );
    expect(await column(empty.pool, 'select max(number) from schema_migrations')).toEqual([4]);
  });

  it('of a version from before it was noted what they do is refused when it is unknown', async () => {
    await empty.pool.query('alter table schema_migrations drop column expands');
    await expect(migrate(empty.pool, [one])).rejects.toThrow(/it has 0002_two\.sql, 0004_narrow\.sql/);
  });
});

describe('The schema', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('is numbered without two files of one number', async () => {
    const numbers = (await readMigrations()).map(({ number }) => number);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('only expands from one version to the next, or says what it contracts', async () => {
    // What an older version, which serves beside the newer one, would trip over.
    const narrowing =
      /\b(drop (table|column|function|type)|rename (to|column|constraint)|alter column \w+ (set not null|type|set data type))\b/i;
    const silent = (await readMigrations()).filter(
      (migration) => migration.number > BEFORE_THE_RULE && expands(migration) && narrowing.test(migration.sql),
    );
    expect(silent.map(({ name }) => name)).toEqual([]);
  });

  it('begins the key of every table with the tenant', async () => {
    const { rows } = await database.pool.query<{ table: string; first: string | null }>(
      `select c.relname as table, (
         select a.attname from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
         where i.indrelid = c.oid and i.indisprimary
       ) as first
       from pg_class c
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
         and c.relname <> all ($1)`,
      [OF_NO_TENANT],
    );
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter(({ first }) => first !== 'tenant_id')).toEqual([]);
  });

  it('never lets a row refer to a row of another tenant', async () => {
    const crossing = await column(
      database.pool,
      `select conname from pg_constraint c
       where contype = 'f' and connamespace = 'public'::regnamespace and not exists (
         select from unnest(conkey, confkey) as pair (own, other)
         join pg_attribute a on a.attrelid = conrelid and a.attnum = own and a.attname = 'tenant_id'
         join pg_attribute b on b.attrelid = confrelid and b.attnum = other and b.attname = 'tenant_id')`,
    );
    expect(crossing).toEqual([]);
  });
});

async function column(pool: pg.Pool, sql: string): Promise<unknown[]> {
  const { rows } = await pool.query({ text: sql, rowMode: 'array' });
  return rows.map(([value]) => value);
}
