import type pg from 'pg';
import { isDatabaseAway } from '../../db/database-away.ts';
import type { AuditEvent, RecordEvent } from '../event.ts';
import { logErrors } from '../log-errors.ts';
import { type EventRow, toEventRow } from './event-row.ts';
import { createGatherDelay } from './gather-delay.ts';

export interface EventWriter {
  /** Resolves once the event is committed. Rejects with a 503 when that can't be done: then the caller must not answer. */
  readonly recordAlone: RecordEvent;
  /** Takes no more events and waits for those that were taken. */
  stop(): Promise<void>;
  /** Events that are taken and not committed yet. */
  waiting(): number;
}

export interface EventWriterOptions {
  readonly pool: pg.Pool;
  /** How long the first event of a batch may wait for others while the server is busy. */
  readonly maxDelayMs?: number;
  /** A batch of this size does not wait. */
  readonly maxRows?: number;
  /** Events that wait at most; beyond it the database does not keep up and new ones are refused. */
  readonly maxQueued?: number;
}

interface Batch {
  readonly rows: EventRow[];
  /** Every caller of a batch awaits the same promise: they share one commit. */
  readonly committed: Promise<void>;
  settle(failure?: unknown): void;
}

const INSERT = `insert into log_events (tenant_id, type, user_id, client_id, connection, ip, body)
  select * from jsonb_to_recordset($1) as row
    (tenant_id text, type text, user_id text, client_id text, connection text, ip text, body jsonb)`;
/** A statement that brings more rows than this would hold memory and locks for long. */
const MAX_BATCH_ROWS = 500;

/**
 * Group commit for events that report no change of state. One batch is in flight; what arrives meanwhile gathers in the next.
 * An event on a quiet server is flushed at once, a busy server waits a few milliseconds so that one commit serves many.
 */
export function createEventWriter(options: EventWriterOptions): EventWriter {
  const { pool, maxDelayMs = 5, maxRows = 50, maxQueued = 10_000 } = options;
  const delay = createGatherDelay(maxDelayMs);
  const waiting: Batch[] = [];
  let queued = 0;
  let timer: NodeJS.Timeout | undefined;
  let inFlight: Promise<void> | undefined;
  let stopped = false;

  function recordAlone(tenantId: string, event: AuditEvent): Promise<void> {
    if (stopped || queued >= maxQueued) return Promise.reject(unavailable());
    const batch = openBatch();
    batch.rows.push(toEventRow(tenantId, event));
    queued++;
    if (inFlight === undefined) schedule();
    return batch.committed;
  }

  function openBatch(): Batch {
    const last = waiting.at(-1);
    if (last !== undefined && last.rows.length < MAX_BATCH_ROWS) return last;
    const batch = newBatch();
    waiting.push(batch);
    return batch;
  }

  function schedule(): void {
    const isFull = (waiting[0]?.rows.length ?? 0) >= maxRows;
    if (timer !== undefined && !isFull) return;
    const delayMs = isFull || stopped ? 0 : delay.next(performance.now());
    if (delayMs === 0) flush();
    else timer = setTimeout(flush, delayMs);
  }

  function flush(): void {
    const waited = timer !== undefined;
    clearTimeout(timer);
    timer = undefined;
    const batch = waiting.shift();
    if (batch === undefined) return;
    delay.flushed(batch.rows.length, waited, performance.now());
    inFlight = write(batch).finally(() => {
      queued -= batch.rows.length;
      inFlight = undefined;
      if (waiting.length > 0) schedule();
    });
  }

  async function write(batch: Batch): Promise<void> {
    try {
      await insert(pool, batch.rows);
      batch.settle();
    } catch (cause) {
      batch.settle(isDatabaseAway(cause) ? unavailable(cause) : cause);
    }
  }

  async function stop(): Promise<void> {
    stopped = true;
    if (inFlight === undefined) flush();
    while (inFlight !== undefined) await inFlight;
  }

  return { recordAlone, stop, waiting: () => queued };
}

/** One document instead of seven arrays: the driver escapes array elements one by one, which costs more than the database's parsing. */
function insert(pool: pg.Pool, rows: readonly EventRow[]): Promise<unknown> {
  return pool.query({ name: 'log_events_insert', text: INSERT, values: [JSON.stringify(rows)] });
}

function newBatch(): Batch {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // A caller may have gone away: its rejection is no crash.
  promise.catch(() => {});
  return { rows: [], committed: promise, settle: (failure) => (failure === undefined ? resolve() : reject(failure)) };
}

function unavailable(cause?: unknown): Error {
  return logErrors.unavailable({}, { cause, headers: { 'Retry-After': '1' } });
}
