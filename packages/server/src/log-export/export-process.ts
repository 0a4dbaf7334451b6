import { setPriority } from 'node:os';
import { describeProgress, describeReport } from './describe-export.ts';
import type { FromExport, ToExport } from './export-messages.ts';
import { readExportSettings } from './export-settings.ts';
import { exportOnce } from './open-export.ts';
import { trustAuthority } from './trust-authority.ts';

// The entry of the process that carries out one run of a scheduled export (cron/run-in-process.ts). It has no environment
// of the server's: what it needs comes in a message.

/** Without a word of the server for so long, the run may be somebody else's by now. */
const PATIENCE_MILLISECONDS = 20_000;
const PROGRESS_MILLISECONDS = 1_000;
const NICE = 10;

const stopping = new AbortController();
let saved: (() => void) | undefined;
let patience: NodeJS.Timeout | undefined;

process.on('message', (message: ToExport) => {
  wait();
  if (message.type === 'run') run(message).catch(fail);
  else if (message.type === 'saved') saved?.();
  else if (message.type === 'stop') stopping.abort();
});
process.on('disconnect', () => abandon());
// A terminal's Ctrl+C goes to the whole group: the server says when to stop.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => stopping.abort());
try {
  // Logins come first.
  setPriority(NICE);
} catch {}
wait();

async function run({
  settings: given,
  allowed,
  authority,
  checkpoint,
}: Extract<ToExport, { type: 'run' }>): Promise<void> {
  let toldAt = 0;
  if (authority !== undefined) trustAuthority(authority);
  const settings = readExportSettings(given);
  for (const text of settings.notes) tell({ type: 'line', text });
  if (checkpoint === undefined) tell({ type: 'line', text: 'No checkpoint yet: it begins with the oldest event.' });
  const report = await exportOnce({
    settings,
    allowed,
    checkpoint: {
      load: async () => checkpoint,
      save: (logId) =>
        new Promise((resolve) => {
          saved = resolve;
          tell({ type: 'save', logId });
        }),
    },
    onProgress(progress) {
      tell({ type: 'counts', counts: { read: progress.read, sent: progress.sent, skipped: progress.skipped } });
      if (Date.now() - toldAt < PROGRESS_MILLISECONDS) return;
      toldAt = Date.now();
      tell({ type: 'line', text: describeProgress(progress, toldAt) });
    },
    onWait: (text) => tell({ type: 'line', text }),
    signal: stopping.signal,
  });
  for (const text of describeReport(report, Date.now())) tell({ type: 'line', text });
  const { outcome, read, sent, skipped, error, waitingSince } = report;
  tell({
    type: 'end',
    end: {
      outcome,
      read,
      sent,
      skipped,
      ...(error && { error }),
      ...(waitingSince && { waitingSince: waitingSince.getTime() }),
    },
  });
  clearTimeout(patience);
  process.disconnect?.();
}

/** What it did not expect: the stack goes to the server, which keeps it with the run. */
function fail(cause: unknown): void {
  process.stderr.write(`${cause instanceof Error ? cause.stack : cause}\n`, () => process.exit(1));
}

function wait(): void {
  clearTimeout(patience);
  patience = setTimeout(abandon, PATIENCE_MILLISECONDS);
}

/** Requests under way may finish; nothing is saved any more. */
function abandon(): void {
  clearTimeout(patience);
  stopping.abort();
  saved = undefined;
  setTimeout(() => process.exit(1), PATIENCE_MILLISECONDS).unref();
}

function tell(message: FromExport): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}
