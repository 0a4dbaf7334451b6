import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import { isOutdatedPlan } from './database-away.ts';

/** Each costs PostgreSQL some memory in each connection; searches could make any number of texts. */
const MOST_STATEMENTS = 300;
const WORTHWHILE_USES = 3;

/**
 * Marks a statement whose answer a transaction does not need before its commit: an event. It travels with what follows, and
 * the commit fails where it failed (PostgreSQL then rolls back, whatever was asked). Outside a transaction it means nothing.
 */
export const AWAITED_AT_COMMIT = '/* awaited at commit */ ';
/** The same at the beginning of a statement that Kysely's `sql` makes: an insert of a fresh id, whose success is a matter of course. */
export const awaitedAtCommit = sql.raw(AWAITED_AT_COMMIT);

/**
 * The pool as Kysely sees it, with names for statements that come again: PostgreSQL then parses and plans them once a
 * connection. Planning takes several times as long as running one of our short statements. `begin` waits for no answer.
 */
export function withPreparedStatements(pool: pg.Pool): PostgresPool {
  const { nameOf, forgetAll } = createStatementNames();
  const clients = new WeakMap<pg.PoolClient, PostgresPoolClient>();

  // One for each connection: Kysely recognises a connection by its client.
  function wrap(client: pg.PoolClient): PostgresPoolClient {
    const known = clients.get(client);
    if (known) return known;
    let begun: Promise<unknown> | undefined;
    let isInTransaction = false;
    let unanswered: Promise<unknown>[] = [];
    function query<Row>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<Row>>;
    function query<Row>(cursor: PostgresCursor<Row>): PostgresCursor<Row>;
    function query(text: unknown, values: readonly unknown[] = []): unknown {
      if (typeof text !== 'string') throw new Error('Rows are never streamed: there is no cursor.');
      if (text === 'begin') return begin();
      const before = begun ? [begun] : [];
      begun = undefined;
      const name = values.length === 0 ? undefined : nameOf(text);
      const result = run({ text, values: [...values], name, mayRepeat: !isInTransaction });
      if (text === 'commit' || text === 'rollback') return end(text, result, before);
      if (isInTransaction && text.startsWith(AWAITED_AT_COMMIT)) return postpone([result, ...before]);
      return answerOf(result, before);
    }
    /** Its own answer, once those that it depends on came as well. */
    function answerOf(result: Promise<unknown>, others: readonly Promise<unknown>[]): Promise<unknown> {
      return others.length === 0 ? result : Promise.all([result, ...others]).then(([answer]) => answer);
    }
    function postpone(results: readonly Promise<unknown>[]) {
      for (const result of results) result.catch(() => {});
      unanswered.push(...results);
      return Promise.resolve({ command: 'INSERT', rowCount: 1, rows: [] });
    }
    function end(text: 'commit' | 'rollback', result: Promise<unknown>, before: readonly Promise<unknown>[]) {
      const others = [...unanswered, ...before];
      unanswered = [];
      isInTransaction = false;
      // What failed is rolled back with the rest: nobody asks for it any more.
      return text === 'rollback' ? result : answerOf(result, others);
    }
    async function run({ text, values, name, mayRepeat }: Statement): Promise<unknown> {
      if (name === undefined) return client.query({ text, values });
      try {
        return await client.query({ text, values, name });
      } catch (cause) {
        if (!isOutdatedPlan(cause)) throw cause;
        forgetAll();
        // Nothing of it has been done. A transaction has ended with it, though: whoever began that one begins again.
        if (!mayRepeat) throw cause;
        return client.query({ text, values });
      }
    }
    /** Not awaited: it travels with the first statement, which fails where it failed. */
    function begin() {
      isInTransaction = true;
      begun = client.query('begin');
      begun.catch(() => {});
      return Promise.resolve({ command: 'BEGIN', rows: [] });
    }
    const wrapped: PostgresPoolClient = { query, release: (destroy) => client.release(destroy) };
    clients.set(client, wrapped);
    return wrapped;
  }

  return {
    options: pool.options,
    connect: async () => wrap(await pool.connect()),
    end: () => pool.end(),
  };
}

interface Statement {
  readonly text: string;
  readonly values: unknown[];
  readonly name: string | undefined;
  readonly mayRepeat: boolean;
}

function createStatementNames() {
  const names = new Map<string, string>();
  const uses = new LRUCache<string, number>({ max: MOST_STATEMENTS });
  let lastName = 0;

  function nameOf(text: string): string | undefined {
    const known = names.get(text);
    if (known !== undefined || names.size >= MOST_STATEMENTS) return known;
    const used = (uses.get(text) ?? 0) + 1;
    uses.set(text, used);
    if (used < WORTHWHILE_USES) return undefined;
    const name = `s${lastName++}`;
    names.set(text, name);
    return name;
  }

  /** A newer server has migrated the schema: under new names every connection prepares its statements anew. */
  return { nameOf, forgetAll: () => names.clear() };
}
