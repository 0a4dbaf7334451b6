import type pg from 'pg';

interface Statement {
  /** Of a statement that is worth keeping prepared. */
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * Reads along an index that has the statement's order, and never sorts. The planner's statistics know nothing of a day that has
 * just begun, or of a tenant that has just come: it would fetch all of their events and sort them for each page. All is sent
 * together, in one round trip; where the statement fails, the commit ends its transaction just as well.
 */
export async function readInOrder<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  { values, ...statement }: Statement,
): Promise<Row[]> {
  const connection = await pool.connect();
  try {
    const sent = [
      connection.query('begin read only; set local enable_sort = off; set local enable_incremental_sort = off'),
      connection.query<Row>({ ...statement, values: [...values] }),
      connection.query('commit'),
    ] as const;
    // What comes next on this connection comes behind all three.
    await Promise.allSettled(sent);
    await sent[0];
    return (await sent[1]).rows;
  } finally {
    connection.release();
  }
}
