import type pg from 'pg';
import type { LogPosition } from '../log-id.ts';
import { readInOrder } from './read-in-order.ts';

export interface Lag {
  /** Counted up to MOST_COUNTED. */
  readonly events: number;
  /** When the first of them happened. */
  readonly since: Date | undefined;
}

export const MOST_COUNTED = 100_000;
/** A transaction takes its place in the order when it begins to write, and its events' times while it lasts: at most this long. */
const LONGEST_TRANSACTION = 30_000;

export async function countBehind(pool: pg.Pool, tenantId: string, from: LogPosition): Promise<Lag> {
  const rows = await readInOrder<{ events: string; since: Date | null }>(pool, {
    name: 'log_lag',
    text: LAG_SQL,
    values: [tenantId, from.epoch, from.xid, from.seq, MOST_COUNTED],
  });
  return { events: Number(rows[0]?.events ?? 0), since: rows[0]?.since ?? undefined };
}

/** The tenant has no equality of its own: checkpoint.ts says why. */
export const LAG_SQL = `with behind as materialized (
    select e.at from log_events e
    where (e.tenant_id, e.epoch, e.xid, e.seq) > ($1, $2::smallint, $3::xid8, $4::bigint) and e.tenant_id <= $1
    order by e.tenant_id, e.epoch, e.xid, e.seq limit $5)
  select count(*) as events, min(at) as since from behind`;

/** Some earlier events stand behind it as well: who wants none of them compares their times. */
export async function positionBefore(pool: pg.Pool, tenantId: string, at: Date): Promise<LogPosition | undefined> {
  const rows = await readInOrder<{ epoch: number; xid: string; seq: string; day: string }>(pool, {
    name: 'log_position_before',
    text: `select e.epoch, e.xid::text as xid, (e.seq - 1)::text as seq, to_char(e.day, 'YYYYMMDD') as day from log_events e
      where e.tenant_id = $1 and e.at >= $2 order by e.at limit 1`,
    values: [tenantId, new Date(at.getTime() - LONGEST_TRANSACTION)],
  });
  return rows[0];
}
