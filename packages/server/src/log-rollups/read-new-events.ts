import { createHash } from 'node:crypto';
import type pg from 'pg';
import { encodeLogId, type LogPosition } from '../logs/log-id.ts';
import { isGone, listPartitionDays } from '../logs/partitions/partition-keeper.ts';
import { OPEN_DAYS, readHorizon, shiftDay } from '../logs/reading/checkpoint.ts';
import { readInOrder } from '../logs/reading/read-in-order.ts';
import type { CountedEvent } from './rollup.ts';

export interface NewEvents {
  readonly events: readonly CountedEvent[];
  /** Everything up to here is in `events` or was counted before; the same as `from` where there is nothing. */
  readonly reached: LogPosition;
  readonly isMore: boolean;
}

type Row = CountedEvent & { readonly epoch: number; readonly xidText: string; readonly seqText: string; day: string };

/**
 * The events of all tenants behind a position, in the one order of delivery. Only what lies below the horizon is read: it is
 * final. Nothing here writes, so that no reader waits for this one.
 */
export async function readNewEvents(pool: pg.Pool, from: LogPosition, take: number): Promise<NewEvents> {
  try {
    return await readOnce(pool, from, take);
  } catch (cause) {
    // A day whose time is over went in between.
    if (!isGone(cause)) throw cause;
    return readOnce(pool, from, take);
  }
}

async function readOnce(pool: pg.Pool, from: LogPosition, take: number): Promise<NewEvents> {
  // The horizon first: a row below it lies in a partition that is there by now.
  const horizon = await readHorizon(pool);
  const first = shiftDay(from.day, -OPEN_DAYS);
  const days = (await listPartitionDays(pool)).filter(({ day }) => day >= first);
  const text = sectionSql(['log_events_default', ...days.map(({ table }) => table)]);
  const rows = await readInOrder<Row>(pool, {
    // The partitions change once a day: a name for each set of them keeps its plan.
    name: `rollup_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`,
    text,
    values: [from.epoch, from.xid, from.seq, horizon.epoch, horizon.xid, take],
  });
  const ordered = rows
    .map((row) => ({ row, position: { epoch: row.epoch, xid: row.xidText, seq: row.seqText, day: row.day } }))
    .map((one) => ({ ...one, id: encodeLogId(one.position) }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .slice(0, take);
  const last = ordered.at(-1)?.position;
  return {
    events: ordered.map(({ row }) => row),
    // The day only grows: that of an event in the default partition may be any.
    reached:
      last === undefined ? from : { ...last, day: last.day > from.day && isKnown(last.day) ? last.day : from.day },
    isMore: ordered.length === take,
  };

  function isKnown(day: string): boolean {
    return days.some((partition) => partition.day === day);
  }
}

/** By the index log_events_in_order, so that nothing is sorted; e.xid is qualified (logs/log-row.ts says why). */
export function sectionSql(tables: readonly string[]): string {
  return tables
    .map(
      (table) => `(select e.tenant_id as "tenantId", e.epoch, e.xid::text as "xidText", e.seq::text as "seqText",
    to_char(e.day, 'YYYYMMDD') as day, e.at, e.type, e.client_id as "clientId", e.connection, e.ip, e.user_id as "userId",
    e.body ->> 'user_name' as "userName", e.body #>> '{details,rule,name}' as rule
    from ${table} e where (e.epoch, e.xid, e.seq) > ($1::smallint, $2::xid8, $3::bigint)
      and (e.epoch, e.xid) < ($4::smallint, $5::xid8)
    order by e.epoch, e.xid, e.seq limit $6)`,
    )
    .join(' union all ');
}
