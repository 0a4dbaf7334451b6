import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineErrors } from '../../kit/errors.ts';
import type { Log } from '../../kit/log.ts';
import type { LuceneQuery } from '../../kit/lucene/query.ts';
import { logErrors } from '../log-errors.ts';
import { encodeLogId, type LogPosition } from '../log-id.ts';
import { type LogRow, logIdOf, toWire } from '../log-row.ts';
import type { LogPage } from '../reading/checkpoint.ts';
import type { LogReader } from '../reading/log-reader.ts';
import { matchesRecord } from '../search/match-record.ts';

export const liveErrors = defineErrors({
  tooMany: {
    status: 429,
    code: 'too_many_streams',
    message: 'Too many readers follow the log of this tenant. At most {most} can at once.',
  },
});

export interface LiveTail {
  readonly tenantId: string;
  readonly query: LuceneQuery;
  /** Goes on behind it; what comes from now on where it is left out. */
  readonly from: LogPosition | undefined;
  /** Else it ends with what is there now. */
  readonly follows: boolean;
}

export interface LiveTails {
  /** Server-sent events: each record under its log_id, in their order. */
  open(tail: LiveTail): Promise<Readable>;
  stop(): void;
}

export interface LiveLimits {
  /** Readers at once in this process. */
  readonly perTenant: number;
  readonly inAll: number;
  readonly lookMilliseconds: number;
  readonly heartbeatMilliseconds: number;
  /** Then the reader has to come again, with a token that is still good. */
  readonly lifetimeMilliseconds: number;
  /** A reader that takes nothing for so long is cut off. */
  readonly patienceMilliseconds: number;
}

export const LIVE_LIMITS: LiveLimits = {
  perTenant: 10,
  inAll: 100,
  lookMilliseconds: 1_000,
  heartbeatMilliseconds: 15_000,
  lifetimeMilliseconds: 15 * 60_000,
  patienceMilliseconds: 30_000,
};
const PAGE = 200;
/** What waits in this process for a reader; then its looks wait too. */
const MOST_BUFFERED_BYTES = 65_536;

interface Parts {
  readonly logs: LogReader;
  readonly log: Log;
  readonly limits?: Partial<LiveLimits>;
}

/** Readers that are told of events as they are committed. Nothing of a reader is kept: its last log_id is all that it needs. */
export function createLiveTails({ logs, log, limits: given }: Parts): LiveTails {
  const limits = { ...LIVE_LIMITS, ...given };
  const open = new Map<Readable, string>();

  async function* follow(tail: LiveTail, from: LogPosition, signal: AbortSignal): AsyncGenerator<string> {
    const endsAt = performance.now() + limits.lifetimeMilliseconds;
    let position = from;
    let isAtEnd = false;
    let toldAt = performance.now();
    // The position at once: a reader that is cut off before the first event goes on from here, too.
    yield `retry: 1000\n${idOnly(position)}`;
    while (!signal.aborted && performance.now() < endsAt) {
      const { rows, reached } = await look(tail.tenantId, position, isAtEnd);
      position = reached;
      isAtEnd = rows.length < PAGE;
      const wanted = rows.filter((row) => matchesRecord(tail.query, row));
      for (const row of wanted) yield toEvent(row);
      const isQuiet = performance.now() - toldAt >= limits.heartbeatMilliseconds;
      if (isQuiet || (isAtEnd && !tail.follows)) yield `: all is read up to here\n${idOnly(position)}`;
      if (isQuiet || wanted.length > 0) toldAt = performance.now();
      if (isAtEnd && !tail.follows) return;
      if (isAtEnd) await sleep(limits.lookMilliseconds, undefined, { signal });
    }
  }

  /** Near the end of the log two statements will do. */
  function look(tenantId: string, from: LogPosition, isNearEnd: boolean): Promise<LogPage> {
    return isNearEnd ? logs.tail([tenantId], from, PAGE) : logs.follow(tenantId, from, PAGE);
  }

  /** A reader comes again by itself where its stream just ends, and hears then what is wrong. */
  async function* untilItFails(source: AsyncIterable<string>, signal: AbortSignal): AsyncGenerator<string> {
    try {
      yield* source;
    } catch (error) {
      if (!signal.aborted) log.warn('a live reader of the log was cut off', { error });
    }
  }

  return {
    async open(tail) {
      const { tenantId } = tail;
      const end = await logs.end();
      if (tail.from !== undefined && tail.from.epoch > end.epoch) throw logErrors.malformedPosition();
      const ofTenant = [...open.values()].filter((id) => id === tenantId).length;
      if (ofTenant >= limits.perTenant || open.size >= limits.inAll)
        throw liveErrors.tooMany({ most: String(limits.perTenant) }, { headers: { 'retry-after': '30' } });
      const closing = new AbortController();
      const stuck = createPatience(limits.patienceMilliseconds, () => stream.destroy());
      const source = follow(tail, tail.from ?? end, closing.signal);
      const stream = Readable.from(stuck.watch(untilItFails(source, closing.signal)), {
        objectMode: false,
        highWaterMark: MOST_BUFFERED_BYTES,
      });
      open.set(stream, tenantId);
      stream.once('close', () => {
        open.delete(stream);
        closing.abort();
        stuck.stop();
      });
      return stream;
    },
    stop() {
      for (const stream of open.keys()) stream.destroy();
    },
  };
}

/** Says when a piece that was made is not taken: the reader is slower than what it reads, or gone without a word. */
function createPatience(milliseconds: number, onStuck: () => void) {
  let timer: NodeJS.Timeout | undefined;
  return {
    async *watch(source: AsyncIterable<string>): AsyncGenerator<string> {
      for await (const piece of source) {
        timer = setTimeout(onStuck, milliseconds);
        yield piece;
        clearTimeout(timer);
      }
    },
    stop: () => clearTimeout(timer),
  };
}

function toEvent(row: LogRow): string {
  return `id: ${logIdOf(row)}\ndata: ${JSON.stringify(toWire(row))}\n\n`;
}

/** Without data it is no event, but the reader remembers where it is. */
function idOnly(position: LogPosition): string {
  return `id: ${encodeLogId(position)}\n\n`;
}
