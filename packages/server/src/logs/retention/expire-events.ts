import type pg from 'pg';
import type { CursorsOfReaders, ReaderCursor } from './cursors-of-readers.ts';
import { countUnread, hasUnread, type PartitionContent, type Portion, readOldPartitions } from './portions.ts';
import { removePartition, removePortion } from './remove-events.ts';
import { DAY, DEFAULT_DAYS, GRACE_DAYS, isOver, keptSince } from './retention.ts';
import type { TellGap } from './tell-gap.ts';

export interface ExpireParts {
  readonly cursors: CursorsOfReaders;
  readonly tellGap: TellGap;
  /** What others keep about events of days before this one (YYYYMMDD) goes where the event is over. */
  readonly expireWith: (beforeDay: string) => Promise<void>;
  readonly now: () => Date;
  readonly isStopped: () => boolean;
}

export interface Expired {
  /** Days whose partition is gone. */
  readonly days: string[];
  /** Events that went one by one, since others of their day stay. */
  removed: number;
  /** There is more to remove, or a lock was not to be had. */
  isMore: boolean;
}

/** One round over all that is older than the shortest retention. Whatever it leaves half-done, the next one takes up. */
export async function expireEvents(connection: pg.PoolClient, parts: ExpireParts): Promise<Expired> {
  const { now } = parts;
  const daysOf = await readRetentions(connection);
  const readers = await parts.cursors();
  const done: Expired = { days: [], removed: 0, isMore: false };

  const beforeDay = dayOf(keptSince(daysOf.shortest, now()));
  for await (const content of readOldPartitions(connection, beforeDay)) {
    if (parts.isStopped()) break;
    await expirePartition(content);
  }
  if (!parts.isStopped()) await parts.expireWith(beforeDay);
  return done;

  async function expirePartition({ table, isOfOneDay, portions }: PartitionContent): Promise<void> {
    const over: Portion[] = [];
    for (const portion of portions) if (await isRemovable(portion)) over.push(portion);
    const isEmptied = isOfOneDay && over.length === portions.length;
    if (isEmptied && (portions.length > 0 || isOverForAll(table.slice(-8)))) {
      if (await removePartition(connection, table)) done.days.push(table.slice(-8));
      else done.isMore = true;
      return;
    }
    for (const portion of over) {
      if (parts.isStopped()) return;
      const { removed, isMore } = await removePortion(connection, portion);
      done.removed += removed;
      done.isMore ||= isMore;
    }
  }

  async function isRemovable(portion: Portion): Promise<boolean> {
    const since = keptSince(daysOf.of(portion.tenantId), now());
    if (!isOver(portion.day, since)) return false;
    const own = readers.filter(({ tenantId }) => tenantId === undefined || tenantId === portion.tenantId);
    if (!(await hasUnread(connection, portion, own))) return true;
    if (!isOver(portion.day, new Date(since.getTime() - GRACE_DAYS * DAY))) return false;
    await tellUnread(portion, own);
    return true;
  }

  /** The rollups read for us alone: nobody waits for their part of a gap. */
  async function tellUnread(portion: Portion, own: readonly ReaderCursor[]): Promise<void> {
    const streams = own.filter(({ tenantId }) => tenantId !== undefined);
    const unread = await countUnread(connection, portion, streams);
    if (unread) await parts.tellGap(portion, unread);
  }

  function isOverForAll(day: string): boolean {
    return isOver(day, keptSince(daysOf.longest, now()));
  }
}

interface Retentions {
  of(tenantId: string): number;
  readonly longest: number;
  readonly shortest: number;
}

/** Of a tenant that is gone the events stay as long as those of one that never chose. */
async function readRetentions(connection: pg.PoolClient): Promise<Retentions> {
  const { rows } = await connection.query<{ tenant_id: string; days: number }>(
    'select tenant_id, days from log_retention',
  );
  const chosen = new Map(rows.map((row) => [row.tenant_id, row.days]));
  return {
    of: (tenantId) => chosen.get(tenantId) ?? DEFAULT_DAYS,
    longest: Math.max(DEFAULT_DAYS, ...chosen.values()),
    shortest: Math.min(DEFAULT_DAYS, ...chosen.values()),
  };
}

function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10).replaceAll('-', '');
}
