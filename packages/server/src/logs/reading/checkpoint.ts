import type pg from 'pg';
import { logErrors } from '../log-errors.ts';
import type { LogPosition } from '../log-id.ts';
import { fromSelected, LOG_COLUMNS, type LogRow, logIdOf, type SelectedRow } from '../log-row.ts';
import { isGone, listPartitionDays } from '../partitions/partition-keeper.ts';
import { readInOrder } from './read-in-order.ts';

/**
 * How many days a partition stays open on either side of a position: a transaction that straddles midnight, or a clock that
 * was wrong, writes into a neighbouring day. Partitions are made three days ahead, so that a clock which is further off
 * writes into the default partition, and that one is read always.
 */
export const OPEN_DAYS = 4;
const DAY = 86_400_000;

export interface LogPage {
  readonly rows: readonly LogRow[];
  /** Behind it nothing was left out: the last row, or all that is final where the page is not full. */
  readonly reached: LogPosition;
  readonly beside?: string | undefined;
}

/**
 * What a reader wants to know as of its page, an expression of SQL: it is read in the snapshot that the horizon comes from. What
 * this snapshot does not see belongs to a transaction that has not ended, and so comes behind every event of the page.
 */
export interface Beside {
  readonly name: string;
  readonly sql: string;
}

/** Reads a tenant's events behind a position, in the order of delivery; none that happened before `since`. */
export async function readAfter(
  pool: pg.Pool,
  tenantId: string,
  from: LogPosition | undefined,
  take: number,
  since?: Date,
): Promise<LogRow[]> {
  return [...(await readPage(pool, tenantId, from, take, since)).rows];
}

/** The same, for readers whose position moves on where there is nothing. */
export async function readPage(
  pool: pg.Pool,
  tenantId: string,
  from: LogPosition | undefined,
  take: number,
  since?: Date,
  beside?: Beside,
): Promise<LogPage> {
  // The horizon is asked once, before the first partition: what lies below it is final, in whatever order partitions are read.
  const horizon = await readHorizon(pool, beside);
  if (from !== undefined && from.epoch > horizon.epoch) throw logErrors.malformedPosition();
  const read = (table: string) => readTable(pool, table, { tenantId, from, horizon, take, since });

  const partitions = await listPartitionDays(pool);
  // A position from the default partition, or from one that is gone, says nothing about where to begin.
  const isDated = from !== undefined && partitions.some(({ day }) => day === from.day);
  const kept = since === undefined ? '' : dayOf(since);
  const first = isDated && shiftDay(from.day, -OPEN_DAYS) > kept ? shiftDay(from.day, -OPEN_DAYS) : kept;
  const ends: End[] = [];
  let page = await read('log_events_default');
  for (const { day, table } of partitions) {
    if (day < first) continue;
    const last = page.length === take ? page.at(-1) : undefined;
    if (last !== undefined && isBehind(logIdOf(last), day, ends)) break;
    const rows = await read(table);
    const end = rows.at(-1);
    if (end !== undefined) ends.push({ day, logId: logIdOf(end) });
    page = merge(page, rows, take);
  }
  const last = page.length === take ? page.at(-1) : undefined;
  return { rows: page, reached: last ?? endOf(horizon), beside: horizon.beside };
}

/** How far a partition has been read. */
interface End {
  readonly day: string;
  readonly logId: string;
}

/** Whether all of a day's events come after this one: an event at least as late lies in a day that is closed when this one opens. */
function isBehind(logId: string, day: string, ends: readonly End[]): boolean {
  return ends.some((end) => end.logId >= logId && shiftDay(end.day, OPEN_DAYS) < day);
}

/** Behind all that is final now: what is committed from here on is read after it, and what was before may be once more. */
export async function readEnd(pool: pg.Pool): Promise<LogPosition> {
  return endOf(await readHorizon(pool));
}

export function endOf({ epoch, xid, day }: Horizon): LogPosition {
  return { epoch, xid, seq: '0', day };
}

export interface Horizon {
  readonly epoch: number;
  /** Every transaction below it has ended. */
  readonly xid: string;
  /** By the database's clock, as the days of events are: a reader whose own clock is wrong opens the right partitions. */
  readonly day: string;
  readonly beside?: string;
}

const HORIZON_COLUMNS = `epoch, pg_snapshot_xmin(pg_current_snapshot())::text as xid,
  to_char(clock_timestamp() at time zone 'UTC', 'YYYYMMDD') as day`;

export function horizonColumns(beside?: Beside): string {
  return beside ? `${HORIZON_COLUMNS}, (${beside.sql})::text as beside` : HORIZON_COLUMNS;
}

export async function readHorizon(pool: pg.Pool, beside?: Beside): Promise<Horizon> {
  const { rows } = await pool.query<Horizon>({
    name: beside ? `log_horizon_${beside.name}` : 'log_horizon',
    text: `select ${horizonColumns(beside)} from log_epoch`,
  });
  const [horizon] = rows;
  if (horizon === undefined) throw new Error('log_epoch has lost its row: the database is damaged.');
  return horizon;
}

interface Section {
  readonly tenantId: string;
  readonly from: LogPosition | undefined;
  readonly horizon: Horizon;
  readonly take: number;
  readonly since: Date | undefined;
}

/** One partition at a time, by its name: across partitions the generic plan of a prepared statement sorts. */
async function readTable(
  pool: pg.Pool,
  table: string,
  { tenantId, from, horizon, take, since }: Section,
): Promise<LogRow[]> {
  const rows = await readInOrder<SelectedRow>(pool, {
    text: checkpointSql(table),
    values: [
      tenantId,
      from?.epoch ?? -1,
      from?.xid ?? '0',
      from?.seq ?? '0',
      horizon.epoch,
      horizon.xid,
      take,
      since ?? null,
    ],
  }).catch(emptyWhereGone);
  return rows.map(fromSelected);
}

function emptyWhereGone(cause: unknown): SelectedRow[] {
  if (isGone(cause)) return [];
  throw cause;
}

/**
 * The order is that of the primary key, so that nothing is sorted; e.xid is qualified (log-row.ts says why). The tenant stands in
 * both comparisons, which admit no other one, and nowhere else: without it the planner may walk the index of all tenants'
 * events, past everybody else's; and beside an equality of its own PostgreSQL enters the index at the tenant's first event of
 * the day, and walks from there to the position.
 */
export function checkpointSql(table: string): string {
  return `select ${LOG_COLUMNS} from ${table} e
    where (e.tenant_id, e.epoch, e.xid, e.seq) > ($1, $2::smallint, $3::xid8, $4::bigint)
      and (e.tenant_id, e.epoch, e.xid) < ($1, $5::smallint, $6::xid8) and ($8::timestamptz is null or e.at >= $8)
    order by e.tenant_id, e.epoch, e.xid, e.seq limit $7`;
}

export function merge<Row extends LogRow>(one: readonly Row[], other: readonly Row[], take: number): Row[] {
  if (other.length === 0) return [...one];
  const keyed = [...one, ...other].map((row) => ({ row, id: logIdOf(row) }));
  keyed.sort((a, b) => (a.id < b.id ? -1 : 1));
  return keyed.slice(0, take).map(({ row }) => row);
}

export function shiftDay(day: string, days: number): string {
  const time = Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6)));
  return dayOf(new Date(time + days * DAY));
}

function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10).replaceAll('-', '');
}
