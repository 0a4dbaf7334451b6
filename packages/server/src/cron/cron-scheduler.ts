import { isDatabaseAway } from '../db/database-away.ts';
import type { Transact } from '../db/transact.ts';
import type { Log } from '../kit/log.ts';
import type { RecordEvent } from '../logs/event.ts';
import { upcomingRun } from './cron-schedule.ts';
import { LATE_MILLISECONDS, MOST_LATE } from './late-exports.ts';
import type { ProcessEnd, ProcessRun } from './run-in-process.ts';
import { type CronStores, createRunJob } from './run-job.ts';

interface Parts {
  readonly stores: CronStores;
  readonly transact: Transact<CronStores & { readonly record: RecordEvent }>;
  readonly runInProcess: (run: ProcessRun) => Promise<ProcessEnd>;
  /** The same at each start, and no other living server's. */
  readonly serverName: string;
  readonly log: Log;
  readonly now: () => Date;
}

export type CronScheduler = ReturnType<typeof createCronScheduler>;

/** Processes of runs, at this server. */
const MOST_AT_ONCE = 4;
/** Jobs that other servers were told of are found within this time. */
const LONGEST_SLEEP = 5_000;
/** Where a job is due and somebody else, or its last run, is at it. */
const SHORT_SLEEP = 500;

/** Runs the jobs of all tenants when they are due. Each server has one; the database gives a job to one of them. */
export function createCronScheduler({ stores, transact, runInProcess, serverName, log, now }: Parts) {
  const { cronJobs } = stores;
  const runJob = createRunJob({ stores, transact, runInProcess, log, now });
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let behindSince: Date | undefined;
  let looking = Promise.resolve();

  /** Looks once: starts what is due, tells of what is late, and says how long there is nothing to do. */
  async function tick(): Promise<number> {
    const outlook = await cronJobs.outlook();
    behindSince = outlook.behindSince;
    if (behindSince && now().getTime() - behindSince.getTime() >= LATE_MILLISECONDS) await tellOfLag();
    const { nextRunAt } = outlook;
    if (!nextRunAt) return LONGEST_SLEEP;
    const wait = nextRunAt.getTime() - now().getTime();
    if (wait > 0 && !outlook.isLost) return Math.min(LONGEST_SLEEP, wait);
    await startDue();
    return SHORT_SLEEP;
  }

  async function startDue(): Promise<void> {
    const room = MOST_AT_ONCE - running.size;
    if (room <= 0 || stopping.signal.aborted) return;
    for (const { tenantId, name, schedule, timeZone } of await cronJobs.due(now(), room)) {
      if (stopping.signal.aborted) return;
      // One whose schedule can't be read runs as well: to say so, and no more.
      const next = upcomingRun(schedule, timeZone, now());
      const job = await cronJobs.claim(tenantId, name, now(), next.at, serverName);
      if (!job) continue;
      const run = runJob(job, stopping.signal)
        .catch((error: unknown) =>
          log.error('a scheduled export could not run', { job: name, tenant: tenantId, error }),
        )
        .finally(() => {
          running.delete(run);
          poke();
        });
      running.add(run);
    }
  }

  /** Once a lag, by whichever server notices: an event of the tenant, and a word to the operator. */
  async function tellOfLag(): Promise<void> {
    const before = new Date(now().getTime() - LATE_MILLISECONDS);
    for (const { tenantId, name, behindSince: since, isTold: isOld } of await cronJobs.late(before, MOST_LATE)) {
      if (isOld) continue;
      const minutes = Math.floor((now().getTime() - since.getTime()) / 60_000);
      const words = `The scheduled export '${name}' is ${minutes} minutes behind: nothing later is sent until its webhook takes the batch that waits. See: gatewright cron logs ${name}`;
      const isTold = await transact(async (inside) => {
        if (!(await inside.cronJobs.tell(tenantId, name, now()))) return false;
        await inside.record(tenantId, {
          type: 'loginWarned',
          description: words,
          details: {
            warning: 'log_export_behind',
            job: name,
            waiting_since: since.toISOString(),
            lag_seconds: minutes * 60,
          },
        });
        return true;
      });
      if (isTold) log.warn(words, { tenant: tenantId });
    }
  }

  function sleepFor(milliseconds: number): void {
    clearTimeout(timer);
    if (stopping.signal.aborted) return;
    // One look at a time: whoever stops waits for the last one.
    timer = setTimeout(() => {
      looking = looking.then(look);
    }, milliseconds).unref();
  }

  function look(): Promise<void> {
    return tick()
      .catch((error: unknown) => {
        complain(error);
        return LONGEST_SLEEP;
      })
      .then(sleepFor);
  }

  function complain(error: unknown): void {
    if (!isDatabaseAway(error)) log.error('scheduled exports could not be looked at', { error });
  }

  /** Something has changed: look at once. */
  function poke(): void {
    if (timer !== undefined) sleepFor(0);
  }

  return {
    tick,
    poke,
    /** What a process of this server has left behind, killed in the middle of it, goes on at once. */
    start(): void {
      looking = cronJobs.releaseLost(serverName, now()).catch(complain);
      sleepFor(0);
    },
    /** Of the export that is furthest behind, 0 where none is; as of the last look. */
    lagSeconds: (): number => (behindSince ? Math.max(0, (now().getTime() - behindSince.getTime()) / 1000) : 0),
    /** Until all runs that began here have ended. */
    idle: async (): Promise<void> => void (await Promise.all(running)),
    async stop(): Promise<void> {
      stopping.abort();
      clearTimeout(timer);
      await looking;
      await Promise.all(running);
    },
  };
}
