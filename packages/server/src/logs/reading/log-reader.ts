import type pg from 'pg';
import type { LuceneQuery } from '../../kit/lucene/query.ts';
import { logErrors } from '../log-errors.ts';
import { decodeLogId, type LogPosition } from '../log-id.ts';
import { fromSelected, LOG_COLUMNS, type LogRow, type SelectedRow } from '../log-row.ts';
import { type LogSort, searchLogs } from '../search/search-logs.ts';
import { type Beside, type LogPage, readAfter, readEnd, readPage } from './checkpoint.ts';
import { countBehind, type Lag, positionBefore } from './measure-lag.ts';
import { readTail, type TailPage } from './read-tail.ts';

export interface LogSearch {
  readonly query: LuceneQuery;
  readonly sort: LogSort;
  readonly offset: number;
  readonly limit: number;
}

export interface LogReader {
  /** Finds what is committed now, the caller's own events included. */
  search(tenantId: string, search: LogSearch): Promise<LogRow[]>;
  /** Undefined for an id that is no event of this tenant. */
  find(tenantId: string, logId: string): Promise<LogRow | undefined>;
  /**
   * Events behind a position (or from the first one kept), in the order of delivery. An event appears here once nothing can
   * come before it any more: a reader that goes on from the last one misses none.
   */
  after(tenantId: string, from: LogPosition | undefined, take: number): Promise<LogRow[]>;
  /** The same for who watches the log as it grows: its position moves on where there is nothing. */
  follow(tenantId: string, from: LogPosition, take: number): Promise<LogPage>;
  /** The same for who is to have every event, those included whose time is over. */
  page(tenantId: string, from: LogPosition, take: number, beside?: Beside): Promise<LogPage>;
  /** New events of several tenants, in one order: for who delivers to many. */
  tail(tenantIds: readonly string[], from: LogPosition, take: number, beside?: Beside): Promise<TailPage>;
  /** Where a reader begins that wants what comes from now on. */
  end(): Promise<LogPosition>;
  /** Before every event that happened at this time or later; undefined where there is none yet. */
  before(tenantId: string, at: Date): Promise<LogPosition | undefined>;
  /** How many events stand behind a position, and how old the first of them is. */
  lag(tenantId: string, from: LogPosition): Promise<Lag>;
}

interface Parts {
  readonly pool: pg.Pool;
  /** What happened before is over (logs/retention): nobody finds it, whether it is removed by now or not. */
  readonly keptSince?: (tenantId: string) => Promise<Date>;
}

export function createLogReader({ pool, keptSince = async () => new Date(0) }: Parts): LogReader {
  return {
    search: async (tenantId, search) => searchLogs(pool, tenantId, keptOnly(search, await keptSince(tenantId))),
    async find(tenantId, logId) {
      const [row, since] = await Promise.all([find(pool, tenantId, logId), keptSince(tenantId)]);
      return row && row.at >= since ? row : undefined;
    },
    after: async (tenantId, from, take) => readAfter(pool, tenantId, from, take, await keptSince(tenantId)),
    follow: async (tenantId, from, take) => readPage(pool, tenantId, from, take, await keptSince(tenantId)),
    page: (tenantId, from, take, beside) => readPage(pool, tenantId, from, take, undefined, beside),
    tail: (tenantIds, from, take, beside) => readTail(pool, tenantIds, from, take, beside),
    end: () => readEnd(pool),
    before: (tenantId, at) => positionBefore(pool, tenantId, at),
    lag: (tenantId, from) => countBehind(pool, tenantId, from),
  };
}

function keptOnly(search: LogSearch, since: Date): LogSearch {
  const from = { value: since.toISOString(), isInclusive: true };
  return { ...search, query: { kind: 'and', parts: [{ kind: 'range', field: 'date', from }, search.query] } };
}

/** The position that a client brings back. What no event of this installation can have is an error, not an empty page for ever. */
export function parsePosition(from: string): LogPosition {
  const position = decodeLogId(from);
  if (position === undefined) throw logErrors.malformedPosition();
  return position;
}

async function find(pool: pg.Pool, tenantId: string, logId: string): Promise<LogRow | undefined> {
  const at = decodeLogId(logId);
  if (at === undefined) return undefined;
  const { rows } = await pool.query<SelectedRow>({
    name: 'log_by_id',
    text: `select ${LOG_COLUMNS} from log_events e
      where e.tenant_id = $1 and e.epoch = $2 and e.xid = $3::xid8 and e.seq = $4 and e.day = $5::date`,
    values: [tenantId, at.epoch, at.xid, at.seq, at.day],
  });
  return rows[0] && fromSelected(rows[0]);
}
