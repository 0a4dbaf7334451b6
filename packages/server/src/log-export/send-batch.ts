import type { LogRecord } from './log-record.ts';
import type { DeliverEvent } from './webhook.ts';

export interface SentBatch {
  readonly delivered: number;
  /** The first that was refused; nothing was begun after it. */
  readonly failure: { readonly record: LogRecord; readonly reason: string } | undefined;
  /** How many were begun: all of those before it are delivered where nothing failed. */
  readonly begun: number;
}

/** At most `concurrency` in flight, begun in their order. The first failure, or `signal`, begins no more and waits for those under way. */
export async function sendBatch(
  records: readonly LogRecord[],
  { deliver, concurrency, signal }: { deliver: DeliverEvent; concurrency: number; signal: AbortSignal },
): Promise<SentBatch> {
  let begun = 0;
  let delivered = 0;
  let failure: SentBatch['failure'];

  async function lane(): Promise<void> {
    for (;;) {
      const record = failure === undefined && !signal.aborted ? records[begun] : undefined;
      if (!record) return;
      begun++;
      const reason = await deliver(record).catch((cause: Error) => cause.message);
      if (reason === undefined) delivered++;
      else failure ??= { record, reason };
    }
  }

  await Promise.all(Array.from({ length: Math.min(concurrency, records.length) }, lane));
  return { delivered, failure, begun };
}
