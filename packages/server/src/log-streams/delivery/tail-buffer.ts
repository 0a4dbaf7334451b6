import { comparePositions, type LogPosition } from '../../logs/log-id.ts';
import type { LogRow } from '../../logs/log-row.ts';
import type { TailPage, TailRow } from '../../logs/reading/read-tail.ts';
import { bytesOfRow } from './row-bytes.ts';

interface Parts {
  readonly end: () => Promise<LogPosition>;
  readonly read: (tenantIds: readonly string[], from: LogPosition, take: number) => Promise<TailPage>;
  /** Events that are kept for streams which are a little behind. */
  readonly most?: number;
  readonly mostBytes?: number;
}

export interface TailBuffer {
  /** Reads on, for these tenants; tells whether there was anything. */
  poll(tenantIds: ReadonlySet<string>): Promise<boolean>;
  /** What a tenant has behind a position; undefined where the buffer does not reach back so far. */
  after(tenantId: string, from: LogPosition, most: number): { rows: LogRow[]; reached: LogPosition } | undefined;
  size(): number;
}

const PAGE = 1_000;

/** One reader at the end of the log for all streams that are there: a hundred of them read each event once. */
export function createTailBuffer({ end, read, most = 5_000, mostBytes = 16_000_000 }: Parts): TailBuffer {
  let rows: TailRow[] = [];
  let sizes: number[] = [];
  let bytes = 0;
  /** Nothing of a followed tenant is missing behind it. */
  let start: LogPosition | undefined;
  let reached: LogPosition | undefined;
  /** From where on each tenant's events are in the buffer. */
  const followed = new Map<string, LogPosition>();

  async function poll(tenantIds: ReadonlySet<string>): Promise<boolean> {
    for (const tenantId of followed.keys()) if (!tenantIds.has(tenantId)) followed.delete(tenantId);
    if (tenantIds.size === 0) {
      forget();
      return false;
    }
    reached ??= await end();
    start ??= reached;
    for (const tenantId of tenantIds) if (!followed.has(tenantId)) followed.set(tenantId, reached);
    const page = await read([...tenantIds], reached, PAGE);
    for (const row of page.rows) {
      const size = bytesOfRow(row);
      rows.push(row);
      sizes.push(size);
      bytes += size;
    }
    if (comparePositions(page.reached, reached) > 0) reached = page.reached;
    dropSurplus();
    return page.rows.length > 0;
  }

  function dropSurplus(): void {
    let surplus = 0;
    for (; surplus < rows.length; surplus++) {
      if (rows.length - surplus <= most && bytes <= mostBytes) break;
      bytes -= sizes[surplus] ?? 0;
    }
    const last = rows[surplus - 1];
    if (last === undefined) return;
    start = last;
    rows = rows.slice(surplus);
    sizes = sizes.slice(surplus);
  }

  function forget(): void {
    [rows, sizes, bytes] = [[], [], 0];
    start = undefined;
    reached = undefined;
  }

  function after(tenantId: string, from: LogPosition, room: number) {
    const since = followed.get(tenantId);
    if (since === undefined || start === undefined || reached === undefined) return undefined;
    if (comparePositions(from, since) < 0 || comparePositions(from, start) < 0) return undefined;
    const found: LogRow[] = [];
    for (let index = firstBehind(from); index < rows.length; index++) {
      const row = rows[index];
      if (row === undefined || row.tenantId !== tenantId) continue;
      if (found.length === room) return { rows: found, reached: found.at(-1) ?? from };
      found.push(row);
    }
    return { rows: found, reached };
  }

  function firstBehind(from: LogPosition): number {
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const row = rows[middle];
      if (row !== undefined && comparePositions(row, from) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return { poll, after, size: () => rows.length };
}
