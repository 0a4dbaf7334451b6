import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ExportEnd, FromExport, ToExport } from '../log-export/export-messages.ts';
import type { GivenSettings } from '../log-export/export-settings.ts';
import type { ExportCounts } from '../log-export/run-export.ts';

export interface ProcessRun {
  readonly settings: GivenSettings;
  readonly checkpoint: string | undefined;
  /** False ends the run: it is somebody else's by now. */
  readonly save: (logId: string) => Promise<boolean>;
  readonly onLine: (text: string) => void;
  readonly onCounts: (counts: ExportCounts) => void;
  readonly limitMilliseconds: number;
  /** Lets requests in flight finish, then ends it. */
  readonly signal: AbortSignal;
}

export interface ProcessEnd extends Omit<ExportEnd, 'outcome'> {
  readonly outcome: ExportEnd['outcome'] | 'timeout';
}

export interface ExportProcessOptions {
  /** Addresses that the operator opened: GATEWRIGHT_OUTGOING_ALLOW. */
  readonly allowed: readonly string[];
  /** The file of a certificate that is trusted besides the usual ones: that of this server. */
  readonly authority?: string | undefined;
  /** Of what a run needs from the environment: NODE_EXTRA_CA_CERTS. Never the server's own secrets. */
  readonly environment: Readonly<Record<string, string>>;
  /** From the word to stop to the end by force. */
  readonly graceMilliseconds: number;
}

const PROGRAM = fileURLToPath(new URL('../log-export/export-process.ts', import.meta.url));
const LIFE_MILLISECONDS = 5_000;
const MOST_STRAY = 2_000;

/** One run in a process of its own: it shares nothing with logins, and what hangs in it is ended. Dies with this process. */
export async function runInProcess(
  run: ProcessRun,
  { allowed, authority, environment, graceMilliseconds }: ExportProcessOptions,
): Promise<ProcessEnd> {
  const child = fork(PROGRAM, [], {
    env: { ...environment },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let end: ExportEnd | undefined;
  let counts: ExportCounts = { read: 0, sent: 0, skipped: 0 };
  let isLate = false;
  let stray = '';
  let force: NodeJS.Timeout | undefined;

  const tell = (message: ToExport) => {
    if (child.connected) child.send(message, () => {});
  };
  const stop = () => {
    tell({ type: 'stop' });
    force ??= setTimeout(() => child.kill('SIGKILL'), graceMilliseconds);
  };

  child.on('message', (message: FromExport) => {
    if (message.type === 'line') run.onLine(message.text);
    else if (message.type === 'end') end = message.end;
    else if (message.type === 'counts') {
      counts = message.counts;
      run.onCounts(counts);
    } else
      run.save(message.logId).then(
        // A run whose checkpoint is not kept waits for it until it is ended: nothing is sent that would come again.
        (isKept) => (isKept ? tell({ type: 'saved' }) : stop()),
        () => stop(),
      );
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stray = (stray + text).slice(-MOST_STRAY);
  });
  const lives = setInterval(() => tell({ type: 'lives' }), LIFE_MILLISECONDS);
  const limit = setTimeout(() => {
    isLate = true;
    stop();
  }, run.limitMilliseconds);
  run.signal.addEventListener('abort', stop, { once: true });
  // Whatever ends this process, the child notices; an exit that asks nobody takes it along at once.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);

  try {
    tell({ type: 'run', settings: run.settings, allowed, authority, checkpoint: run.checkpoint });
    if (run.signal.aborted) stop();
    const [code] = await once(child, 'close').catch((cause: Error) => [cause.message]);
    if (end && !isLate) return end;
    if (isLate)
      return {
        ...(end ?? counts),
        outcome: 'timeout',
        error: `It took longer than ${run.limitMilliseconds / 60_000} minutes; the next run goes on.`,
      };
    if (run.signal.aborted) return { ...counts, outcome: 'stopped' };
    return {
      ...counts,
      outcome: 'failed',
      error: `The process of the run ended (${code}): ${stray.trim() || 'it said nothing'}`,
    };
  } finally {
    clearInterval(lives);
    clearTimeout(limit);
    clearTimeout(force);
    run.signal.removeEventListener('abort', stop);
    process.off('exit', kill);
  }
}
