import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { LogPosition } from '../log-id.ts';
import { fromSelected, LOG_COLUMNS, type LogRow, type SelectedRow } from '../log-row.ts';
import { isGone } from '../partitions/partition-keeper.ts';
import { type Beside, endOf, type Horizon, horizonColumns, merge, OPEN_DAYS, shiftDay } from './checkpoint.ts';
import { readInOrder } from './read-in-order.ts';

export interface TailRow extends LogRow {
  readonly tenantId: string;
}

export interface TailPage {
  readonly rows: readonly TailRow[];
  /** The last row where the page is full, else all that is final. */
  readonly reached: LogPosition;
  readonly beside?: string | undefined;
}

interface Bounds extends Horizon {
  readonly tables: readonly string[];
}

/**
 * The newest events of several tenants in the one order of delivery. For a position near the end: all partitions that are
 * open around it are asked in one statement, each by its name and limited by itself, and merged here.
 */
export async function readTail(
  pool: pg.Pool,
  tenantIds: readonly string[],
  from: LogPosition,
  take: number,
  beside?: Beside,
): Promise<TailPage> {
  try {
    return await readOnce(pool, tenantIds, from, take, beside);
  } catch (cause) {
    if (!isGone(cause)) throw cause;
    return readOnce(pool, tenantIds, from, take, beside);
  }
}

async function readOnce(
  pool: pg.Pool,
  tenantIds: readonly string[],
  from: LogPosition,
  take: number,
  beside?: Beside,
): Promise<TailPage> {
  const { tables, ...horizon } = await readBounds(pool, beside);
  // A position from the default partition, or from one that is gone, says nothing about where to begin.
  const isDated = tables.includes(`log_events_${from.day}`);
  const first = isDated ? `log_events_${shiftDay(from.day, -OPEN_DAYS)}` : '';
  const open = ['log_events_default', ...tables.filter((table) => table >= first)];
  const text = tailSql(open);
  const rows = await readInOrder<SelectedRow & { tenantId: string }>(pool, {
    // The partitions change once a day: a name for each set of them keeps its plan.
    name: `log_tail_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`,
    text,
    values: [tenantIds, from.epoch, from.xid, from.seq, horizon.epoch, horizon.xid, take],
  });
  const found = rows.map((row) => ({ ...fromSelected(row), tenantId: row.tenantId }));
  const page = merge([], found, take);
  const last = page.length === take ? page.at(-1) : undefined;
  return { rows: page, reached: last ?? endOf(horizon), beside: horizon.beside };
}

/** Horizon and partitions of one snapshot: a row below the horizon lies in a partition that is in the list. */
async function readBounds(pool: pg.Pool, beside?: Beside): Promise<Bounds> {
  const { rows } = await pool.query<Bounds>({
    name: beside ? `log_tail_bounds_${beside.name}` : 'log_tail_bounds',
    text: `select ${horizonColumns(beside)}, array(
        select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'log_events'::regclass and not i.inhdetachpending and c.relname ~ '^log_events_[0-9]{8}$'
      ) as tables from log_epoch`,
  });
  const [bounds] = rows;
  if (bounds === undefined) throw new Error('log_epoch has lost its row: the database is damaged.');
  return bounds;
}

/**
 * In the order of the index log_events_in_order, so that nothing is sorted. The tenant is compared as an expression: as a
 * column it would tempt the planner to the primary key, whose order is another one.
 */
export function tailSql(tables: readonly string[]): string {
  return tables
    .map(
      (table) => `(select e.tenant_id as "tenantId", ${LOG_COLUMNS} from ${table} e
    where e.tenant_id || '' = any($1::text[]) and (e.epoch, e.xid, e.seq) > ($2::smallint, $3::xid8, $4::bigint)
      and (e.epoch, e.xid) < ($5::smallint, $6::xid8)
    order by e.epoch, e.xid, e.seq limit $7)`,
    )
    .join(' union all ');
}
