import { sql } from 'kysely';
import type { Database } from './database.ts';

const QUERY_CANCELED = '57014';

/** Runs a search that callers word: one that takes longer is given up, so that no query of theirs holds a connection. */
export async function runWithin<Result>(
  db: Database,
  milliseconds: number,
  run: (db: Database) => Promise<Result>,
  tooSlow: (cause: unknown) => Error,
): Promise<Result> {
  try {
    return await db.transaction().execute(async (transaction) => {
      await sql`select set_config('statement_timeout', ${String(milliseconds)}, true)`.execute(transaction);
      return run(transaction);
    });
  } catch (cause) {
    throw cause instanceof Error && 'code' in cause && cause.code === QUERY_CANCELED ? tooSlow(cause) : cause;
  }
}
