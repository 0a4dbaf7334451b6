import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('The schema', () => {
  it('begins the key of every table with the tenant', async () => {
    const { rows } = await database.pool.query<{ table: string; first: string | null }>(`
      select c.relname as table, (
        select a.attname from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
        where i.indrelid = c.oid and i.indisprimary
      ) as first
      from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and c.relname not in ('schema_migrations', 'log_epoch')
    `);
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter(({ first }) => first !== 'tenant_id')).toEqual([]);
  });
});
