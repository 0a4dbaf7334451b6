import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/test-database.ts';
import { createDatabase, createPool, type Database } from './database.ts';
import { isDatabaseAway } from './database-away.ts';
import { AWAITED_AT_COMMIT } from './prepared-statements.ts';

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  // One connection: what it prepared is seen by the next statement.
  const pool = createPool({ ...database.poolOptions, max: 1 });
  db = createDatabase(pool);
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

async function preparedTexts(): Promise<string[]> {
  const { rows } = await sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(db);
  return rows.map(({ statement }) => statement);
}

it('prepares a statement that comes again, and not one that came once', async () => {
  for (let value = 0; value < 4; value++) {
    const { rows } = await sql<{ often: number }>`select ${value}::integer as often`.execute(db);
    expect(rows).toEqual([{ often: value }]);
  }
  await sql`select ${1}::integer as once`.execute(db);
  const texts = await preparedTexts();
  expect(texts).toContain('select $1::integer as often');
  expect(texts).not.toContain('select $1::integer as once');
});

it('undoes a transaction that fails, from its first statement on, and leaves a clean connection', async () => {
  await sql`create table kept (value integer)`.execute(db);
  const failing = db.transaction().execute(async (transaction) => {
    await sql`insert into kept values (${1})`.execute(transaction);
    await sql`select 1 / ${0}::integer`.execute(transaction);
  });
  await expect(failing).rejects.toThrow('division by zero');
  const first = db.transaction().execute((transaction) => sql`select 1 / ${0}::integer`.execute(transaction));
  await expect(first).rejects.toThrow('division by zero');
  await db.transaction().execute((transaction) => sql`insert into kept values (${2})`.execute(transaction));
  expect((await sql`select value from kept`.execute(db)).rows).toEqual([{ value: 2 }]);
});

describe('a table that a newer server changes', () => {
  const read = (on: Database) => sql<Record<string, number>>`select * from growing where a = ${1}`.execute(on);

  it('is read on, also through a statement that was prepared before', async () => {
    await sql`create table growing (a integer)`.execute(db);
    await sql`insert into growing values (1)`.execute(db);
    for (let often = 0; often < 4; often++) await read(db);
    expect(await preparedTexts()).toContain('select * from growing where a = $1');
    await sql`alter table growing add column b integer default 2`.execute(db);
    for (let often = 0; often < 4; often++) expect((await read(db)).rows).toEqual([{ a: 1, b: 2 }]);
    expect(await preparedTexts()).toContain('select * from growing where a = $1');
  });

  it('ends the transaction that meets the change, and none after it', async () => {
    await sql`alter table growing add column c integer default 3`.execute(db);
    const inTransaction = () => db.transaction().execute((transaction) => read(transaction));
    const first = await inTransaction().catch((error: unknown) => error);
    // Whoever asked is told to come again, like after a deadlock.
    expect(isDatabaseAway(first)).toBe(true);
    for (let often = 0; often < 4; often++) expect((await inTransaction()).rows).toEqual([{ a: 1, b: 2, c: 3 }]);
  });
});

describe('a statement that is awaited at the commit', () => {
  const note = (on: Database, value: number) =>
    sql`${sql.raw(AWAITED_AT_COMMIT)}insert into notes values (1 / ${value}::integer)`.execute(on);
  const noted = async () => (await sql<{ value: number }>`select value from notes`.execute(db)).rows;

  it('is part of its transaction, with what follows it', async () => {
    await sql`create table notes (value integer)`.execute(db);
    await db.transaction().execute(async (transaction) => {
      await note(transaction, 1);
      expect((await sql`select value from notes`.execute(transaction)).rows).toEqual([{ value: 1 }]);
    });
    expect(await noted()).toEqual([{ value: 1 }]);
  });

  it('fails its transaction, of which nothing stays, and leaves a clean connection', async () => {
    const failing = db.transaction().execute(async (transaction) => {
      await sql`insert into notes values (${7})`.execute(transaction);
      await note(transaction, 0);
    });
    await expect(failing).rejects.toThrow('division by zero');
    await expect(db.transaction().execute((transaction) => note(transaction, 0))).rejects.toThrow('division by zero');
    expect(await noted()).toEqual([{ value: 1 }]);
  });

  it('is undone with a transaction that fails after it', async () => {
    const failing = db.transaction().execute(async (transaction) => {
      await note(transaction, 1);
      throw new Error('Changed my mind.');
    });
    await expect(failing).rejects.toThrow('Changed my mind.');
    expect(await noted()).toEqual([{ value: 1 }]);
  });

  it('is awaited at once outside a transaction', async () => {
    await expect(note(db, 0)).rejects.toThrow('division by zero');
  });
});
