import type { KeptConsole } from '../../executions/kept-console.ts';
import type { LuceneQuery } from '../../kit/lucene/query.ts';
import type { LogPosition } from '../log-id.ts';
import { type LogRow, logIdOf, toWire } from '../log-row.ts';
import { matchesRecord } from '../search/match-record.ts';
import { NEWEST_FIRST } from '../search/search-logs.ts';
import type { LogReader } from './log-reader.ts';

export interface Tail {
  readonly tenantId: string;
  /** Which of the events are shown. */
  readonly query: LuceneQuery;
  /** What tenant code printed, besides the events. */
  readonly withConsole: boolean;
  /** How many of the past come first. */
  readonly lines: number;
  readonly follow: boolean;
  /** Goes on where an earlier tail ended, in place of `lines`. */
  readonly resume?: { readonly position: LogPosition; readonly secondsAway: number } | undefined;
}

/** What one look found, and where the next one, of this tail or of one that goes on, begins. */
export interface TailLook {
  readonly records: readonly TailRecord[];
  readonly position: LogPosition;
}

interface Parts {
  readonly logs: LogReader;
  readonly consoles: {
    newest(tenantId: string, count: number): Promise<KeptConsole[]>;
    lately(tenantId: string, seconds: number, most: number): Promise<KeptConsole[]>;
  };
  /** Between two looks. */
  readonly wait: () => Promise<void>;
}

/** A record of GET /logs, or with the type `console` what one execution printed. */
export type TailRecord = Readonly<Record<string, unknown>>;

const PAGE = 500;
/** Writers are given this long between the time in their rows and their commit. */
const LATE_SECONDS = 10;

/**
 * The newest records, then those that come, as they come; an empty list where a look found nothing. One that goes on may
 * show what was printed in the last seconds before the end once more: whoever follows knows it by its id.
 */
export async function* tailLogs({ logs, consoles, wait }: Parts, tail: Tail): AsyncGenerator<TailLook> {
  const { tenantId, query, withConsole, follow, resume } = tail;
  const lines = resume ? 0 : tail.lines;
  // First the end, then the past: what is committed in between is in both, and shown once.
  let position = resume?.position ?? (await logs.end());
  const past = lines === 0 ? [] : await logs.search(tenantId, { query, sort: NEWEST_FIRST, offset: 0, limit: lines });
  const shown = new Set(past.map(logIdOf));
  const seconds = LATE_SECONDS + (resume?.secondsAway ?? 0);
  const before = withConsole ? await consoles.lately(tenantId, seconds, PAGE) : [];
  const printed = withConsole && lines > 0 ? await consoles.newest(tenantId, lines) : [];
  const seen = new Set([...before, ...printed].map(({ id }) => id));
  yield { records: resume ? inOrder([], before) : inOrder(past, printed).slice(-lines), position };
  for (let isBehind = false; follow; ) {
    if (!isBehind) await wait();
    const { rows, reached } = await logs.follow(tenantId, position, PAGE);
    isBehind = rows.length === PAGE;
    position = reached;
    const fresh = withConsole ? await unseen() : [];
    const news = rows.filter((row) => matchesRecord(query, row) && !shown.has(logIdOf(row)));
    yield { records: inOrder(news, fresh), position };
  }

  async function unseen(): Promise<KeptConsole[]> {
    const lately = await consoles.lately(tenantId, LATE_SECONDS, PAGE);
    const fresh = lately.filter(({ id }) => !seen.has(id));
    seen.clear();
    for (const { id } of lately) seen.add(id);
    return fresh;
  }
}

function inOrder(rows: readonly LogRow[], consoles: readonly KeptConsole[]): TailRecord[] {
  return [
    ...rows.map((row) => ({ at: row.at, record: toWire(row) })),
    ...consoles.map((console) => ({ at: console.at, record: consoleToWire(console) })),
  ]
    .toSorted((one, other) => one.at.getTime() - other.at.getTime())
    .map(({ record }) => record);
}

function consoleToWire({ id, at, kind, outcome, tookMs, lines }: KeptConsole): TailRecord {
  return {
    date: at.toISOString(),
    type: 'console',
    execution_id: id,
    kind,
    outcome,
    took_ms: tookMs,
    lines: lines.map(({ level, text, part }) => ({ level, text, ...(part && { part }) })),
  };
}
