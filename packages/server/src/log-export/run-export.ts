import { ExportError } from './export-error.ts';
import type { ExportSettings } from './export-settings.ts';
import { isExported } from './exported-types.ts';
import type { LogRecord } from './log-record.ts';
import type { LogSource } from './log-source.ts';
import { sendBatch } from './send-batch.ts';
import type { DeliverEvent } from './webhook.ts';

/** Where the last run ended; kept in a file, or by the server that runs a job. */
export interface Checkpoint {
  load(): Promise<string | undefined>;
  save(logId: string): Promise<void>;
}

export interface ExportCounts {
  readonly read: number;
  readonly sent: number;
  /** Read, and not for this webhook. */
  readonly skipped: number;
}

export interface ExportProgress extends ExportCounts {
  /** Of the newest event that is done. */
  readonly reached: Date | undefined;
}

export interface ExportReport extends ExportCounts {
  readonly outcome: 'complete' | 'failed' | 'stopped';
  readonly checkpoint: string | undefined;
  /** Why it failed, in words. */
  readonly error?: string;
  /** The event that did not arrive. */
  readonly failed?: { readonly logId: string; readonly type: string };
  /** Of the oldest event that waits, as far as it is known: nothing later is sent before it. */
  readonly waitingSince?: Date;
}

interface Parts {
  readonly settings: Pick<ExportSettings, 'level' | 'types' | 'concurrentCalls' | 'batchSize'>;
  readonly source: LogSource;
  readonly deliver: DeliverEvent;
  readonly checkpoint: Checkpoint;
  readonly onProgress: (progress: ExportProgress) => void;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/**
 * One run: batch after batch, until the log has no more. A batch that is not delivered as a whole leaves the checkpoint
 * where it was, ends the run, and comes again in the next one. One batch is in memory at a time.
 */
export async function runExport({
  settings,
  source,
  deliver,
  checkpoint,
  onProgress,
  now,
  signal,
}: Parts): Promise<ExportReport> {
  const { batchSize, concurrentCalls } = settings;
  const counts = { read: 0, sent: 0, skipped: 0 };
  const startedAt = now();
  let from: string | undefined;
  /** Of a first page that was in another order than that of the log. */
  let before: ReadonlySet<string> = new Set();
  const report = (outcome: ExportReport['outcome'], more: Partial<ExportReport> = {}): ExportReport => ({
    outcome,
    ...counts,
    checkpoint: from,
    ...more,
  });

  async function moveTo(logId: string): Promise<void> {
    await checkpoint.save(logId);
    from = logId;
  }

  async function batch(): Promise<ExportReport | undefined> {
    const page = await source.read(from, batchSize);
    const last = page.at(-1);
    if (!last) return report('complete');
    const next = nextFrom(page, from);
    const fresh = page.filter(({ id }) => !before.has(id));
    const wanted = fresh.filter(({ type }) => isExported(type, settings));
    const { delivered, begun, failure } = await sendBatch(wanted, { deliver, concurrency: concurrentCalls, signal });
    counts.read += fresh.length;
    counts.sent += delivered;
    counts.skipped += fresh.length - wanted.length;
    if (failure) {
      const { id, type, date } = failure.record;
      return report('failed', {
        error: failure.reason,
        failed: { logId: id, type },
        ...(date && { waitingSince: date }),
      });
    }
    const waiting = wanted[begun];
    if (waiting) {
      // Nothing failed: all that was begun has arrived.
      const reached = wanted[begun - 1];
      if (reached && next === last.id) await moveTo(reached.id);
      return report('stopped', { ...(waiting.date && { waitingSince: waiting.date }) });
    }
    await moveTo(next);
    if (next !== last.id) before = new Set(page.map(({ id }) => id));
    onProgress({ ...counts, reached: last.date });
    // What is logged while it runs is for the next run, or this one would never end.
    const isAtEnd = page.length < batchSize && last.date !== undefined && last.date.getTime() >= startedAt;
    return isAtEnd ? report('complete') : undefined;
  }

  try {
    from = await checkpoint.load();
    for (;;) {
      if (signal.aborted) return report('stopped');
      const end = await batch();
      if (end) return end;
    }
  } catch (cause) {
    if (signal.aborted) return report('stopped');
    if (cause instanceof ExportError) return report('failed', { error: cause.message });
    throw cause;
  }
}

/** The place to go on from: behind the last event, or behind the first one where a search answered by date. */
function nextFrom(page: readonly LogRecord[], from: string | undefined): string {
  const ids = page.map(({ id }) => id);
  const last = ids.at(-1) ?? '';
  if (from !== undefined && ids.includes(from))
    throw new ExportError(`The log answered the event ${from} again, which the checkpoint names: it does not go on.`);
  const isInOrder = ids.every((id, index) => index === 0 || (ids[index - 1] ?? '') < id);
  return from !== undefined || isInOrder ? last : ids.reduce((least, id) => (id < least ? id : least), last);
}
