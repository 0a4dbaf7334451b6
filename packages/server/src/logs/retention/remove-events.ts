import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Portion } from './portions.ts';

const BATCH = 5_000;
/** Of one portion in one round: the others come to their turn. */
const MOST_BATCHES = 40;
/** Whoever writes an event waits this long at most, where a search holds the log's shape while a day is to go. */
const LOCK_MILLISECONDS = 100;
const ATTEMPTS = 3;
const PAUSE_MILLISECONDS = 300;

/**
 * Drops a day. DETACH … CONCURRENTLY is refused where there is a default partition, and ours catches what finds no day; so
 * the lock on the whole log is asked for briefly and held for a change of the catalogue; the files, which take the time, go
 * after the commit, when the lock is given back. One transaction: no table is ever left that is neither a part of the log nor
 * gone. False where the lock was not to be had.
 */
export async function removePartition(connection: pg.PoolClient, table: string): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    await connection.query('begin');
    try {
      await connection.query(`set local lock_timeout = '${LOCK_MILLISECONDS}ms'`);
      await connection.query(`drop table if exists ${table}`);
      await connection.query('commit');
      return true;
    } catch (cause) {
      await connection.query('rollback').catch(() => {});
      if (!isLockTimeout(cause)) throw cause;
      if (attempt === ATTEMPTS) return false;
      await sleep(PAUSE_MILLISECONDS);
    }
  }
}

/** Deletes a tenant's events of a day where others' events of that day stay: a few thousand a statement. */
export async function removePortion(
  connection: pg.PoolClient,
  { table, day, tenantId }: Portion,
): Promise<{ removed: number; isMore: boolean }> {
  let removed = 0;
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const { rowCount } = await connection.query(
      `delete from ${table} where ctid = any(array(
         select ctid from ${table} where tenant_id = $1 and day = $2::date limit ${BATCH}))`,
      [tenantId, day],
    );
    removed += rowCount ?? 0;
    if ((rowCount ?? 0) < BATCH) return { removed, isMore: false };
  }
  return { removed, isMore: true };
}

function isLockTimeout(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === '55P03';
}
