import type { Transact } from '../db/transact.ts';
import { prefixedId } from '../kit/ids.ts';
import type { Log } from '../kit/log.ts';
import { createSettingsMask } from '../log-export/mask-settings.ts';
import { storableText } from '../logs/masking/storable-text.ts';
import { type ClaimedJob, MOST_LINES, type RunLine } from './cron-job.ts';
import type { CronJobStore } from './cron-job-store.ts';
import type { CronRunStore, RunCounts } from './cron-run-store.ts';
import { upcomingRun } from './cron-schedule.ts';
import type { ProcessEnd, ProcessRun } from './run-in-process.ts';

export interface CronStores {
  readonly cronJobs: CronJobStore;
  readonly cronRuns: CronRunStore;
}

interface Parts {
  readonly stores: CronStores;
  readonly transact: Transact<CronStores>;
  readonly runInProcess: (run: ProcessRun) => Promise<ProcessEnd>;
  readonly log: Log;
  readonly now: () => Date;
}

const RENEW_MILLISECONDS = 10_000;
/** A lease lasts 60 s; what is in flight then needs 15 of them. */
const HOLD_MILLISECONDS = 40_000;
const NOTE_MILLISECONDS = 500;
const LONGEST_LINE = 1_000;

/** Carries out one run of a claimed job, and keeps what became of it. */
export function createRunJob({ stores, transact, runInProcess, log, now }: Parts) {
  return async (job: ClaimedJob, signal: AbortSignal): Promise<void> => {
    const { tenantId, name, settings } = job;
    const startedAt = now();
    const { fault } = upcomingRun(job.schedule, job.timeZone, startedAt);
    const lostSettings = settings ? undefined : 'Its settings could not be decrypted any more';
    const unable = fault ?? lostSettings;
    const runId = prefixedId('run');
    await transact(({ cronRuns }) => cronRuns.begin(tenantId, { runId, name, startedAt }));
    const lost = new AbortController();
    const printed = createPrinted(job, runId);
    let heldAt = Date.now();
    const renewal = setInterval(() => {
      stores.cronJobs.renew(job).then(
        (isOurs) => {
          heldAt = Date.now();
          if (!isOurs) lost.abort();
        },
        // A database that is away for a moment has the lease of nobody else.
        () => Date.now() - heldAt > HOLD_MILLISECONDS && lost.abort(),
      );
    }, RENEW_MILLISECONDS);
    let end: ProcessEnd;
    try {
      end =
        settings && unable === undefined
          ? await runInProcess({
              settings,
              checkpoint: job.checkpoint,
              save: (logId) => stores.cronJobs.moveCheckpoint(job, logId),
              onLine: printed.line,
              onCounts: printed.count,
              limitMilliseconds: job.limitSeconds * 1000,
              signal: AbortSignal.any([signal, lost.signal]),
            })
          : {
              outcome: 'failed',
              read: 0,
              sent: 0,
              skipped: 0,
              error: `${unable?.replace(/\.$/, '')}: schedule it again.`,
            };
    } finally {
      clearInterval(renewal);
      await printed.stop();
    }
    await finish(job, runId, { startedAt, end, mask: printed.mask });
  };

  async function finish(
    job: ClaimedJob,
    runId: string,
    { startedAt, end, mask }: { startedAt: Date; end: ProcessEnd; mask: (text: string) => string },
  ) {
    const { tenantId, name, schedule, timeZone } = job;
    const { outcome, waitingSince, error, ...counts } = end;
    const at = now();
    const behindSince = behind();
    const said = error && storableText(mask(error), LONGEST_LINE);
    await transact(async ({ cronJobs, cronRuns }) => {
      // A run that was stopped goes on at once, at whichever server is left.
      const nextRunAt = outcome === 'stopped' ? at : upcomingRun(schedule, timeZone, at).at;
      await cronJobs.finish(job, { nextRunAt, behindSince });
      await cronRuns.end(tenantId, runId, {
        ...counts,
        endedAt: at,
        outcome,
        lagSeconds:
          outcome === 'complete'
            ? 0
            : behindSince && Math.max(0, Math.round((at.getTime() - behindSince.getTime()) / 1000)),
        error: said,
      });
    });
    if (outcome === 'failed' || outcome === 'timeout')
      log.warn(`The scheduled export '${name}' ended with ${outcome}: ${said}`, { tenant: tenantId });

    /** The oldest event that waits; where the log could not be read, it has waited since the first run that failed. */
    function behind(): Date | undefined {
      if (outcome === 'complete') return undefined;
      if (waitingSince !== undefined) return new Date(waitingSince);
      return job.behindSince ?? (outcome === 'stopped' ? undefined : startedAt);
    }
  }

  /** Lines go to the database now and then, so that others can read along. */
  function createPrinted({ tenantId, settings }: ClaimedJob, runId: string) {
    const mask = createSettingsMask(settings ?? {});
    let lines: RunLine[] = [];
    let counts: RunCounts = { read: 0, sent: 0, skipped: 0 };
    let isDirty = false;
    let writing = Promise.resolve();
    const write = () => {
      if (!isDirty) return;
      const batch = lines;
      lines = [];
      isDirty = false;
      writing = writing
        .then(() => stores.cronRuns.note(tenantId, runId, batch, counts))
        .catch((error: unknown) => log.error('the output of a scheduled export could not be kept', { error }));
    };
    const timer = setInterval(write, NOTE_MILLISECONDS);
    return {
      mask,
      line(text: string): void {
        lines = [...lines, { at: new Date().toISOString(), text: storableText(mask(text), LONGEST_LINE) }].slice(
          -MOST_LINES,
        );
        isDirty = true;
      },
      count(now: RunCounts): void {
        counts = now;
        isDirty = true;
      },
      async stop(): Promise<void> {
        clearInterval(timer);
        write();
        await writing;
      },
    };
  }
}
