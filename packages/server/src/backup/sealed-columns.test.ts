import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/test-database.ts';
import { SEALED_COLUMNS } from './sealed-columns.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it('every column of sealed values has its fate for the day on which the key is lost', async () => {
  const { rows } = await database.pool.query<{ name: string; nullable: boolean }>(
    `select table_name || '.' || column_name as name, is_nullable = 'YES' as nullable from information_schema.columns
     where table_schema = 'public' and data_type = 'bytea'
       and table_name not in (select relname from pg_class where relispartition)`,
  );
  expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(SEALED_COLUMNS).sort());
  const emptied = rows.filter(({ name }) => SEALED_COLUMNS[name] === 'emptied');
  expect(emptied.filter(({ nullable }) => !nullable)).toEqual([]);
});
