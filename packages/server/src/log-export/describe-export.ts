import type { ExportProgress, ExportReport } from './run-export.ts';

/** A line for people. */
export function describeProgress({ read, sent, skipped, reached }: ExportProgress, now: number): string {
  const lag = reached ? `, ${inTime((now - reached.getTime()) / 1000)} behind` : '';
  return `Sent ${sent} of ${read} ${read === 1 ? 'event' : 'events'} (${skipped} filtered out)${lag}.`;
}

/** Lines for people: what became of a run. */
export function describeReport(report: ExportReport, now: number): string[] {
  const { outcome, read, sent, skipped, failed, error } = report;
  const counts = `${sent} sent, ${skipped} filtered out, ${read} read`;
  if (outcome === 'complete') return [`The log is exported: ${counts}.`];
  const lag = lagOf(report, now);
  const waits = lag === undefined ? '' : ` The oldest event that waits is ${inTime(lag)} old.`;
  if (outcome === 'stopped') return [`Stopped: ${counts}.${waits} The next run goes on.`];
  return [
    failed ? `The event ${failed.logId} (${failed.type}) did not arrive: ${error}.` : (error ?? 'Failed.'),
    `Stopped there: ${counts}.${waits} Nothing later is sent before ${failed ? 'its batch has arrived, with which the next run begins' : 'that works'}.`,
  ];
}

/** Snake case, as the other commands print JSON. */
export function reportToJson(report: ExportReport, now: number): Record<string, unknown> {
  const { outcome, read, sent, skipped, checkpoint, failed, error } = report;
  return {
    outcome,
    read,
    sent,
    skipped,
    lag_seconds: outcome === 'complete' ? 0 : (lagOf(report, now) ?? null),
    checkpoint: checkpoint ?? null,
    ...(failed && { failed_log_id: failed.logId, failed_type: failed.type }),
    ...(error && { error }),
  };
}

export function progressToJson({ reached, ...counts }: ExportProgress, now: number): Record<string, unknown> {
  return { ...counts, lag_seconds: reached ? secondsSince(reached, now) : null };
}

function lagOf({ waitingSince }: ExportReport, now: number): number | undefined {
  return waitingSince && secondsSince(waitingSince, now);
}

function secondsSince(date: Date, now: number): number {
  return Math.max(0, Math.round((now - date.getTime()) / 1000));
}

function inTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  return whole < 7_200 ? `${Math.round(whole / 60)} min` : `${Math.round(whole / 3_600)} h`;
}
