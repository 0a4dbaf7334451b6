import { isDatabaseAway } from '../db/database-away.ts';
import type { Log } from '../kit/log.ts';
import type { SignalsStore } from '../log-rollups/signals-store.ts';

interface Parts {
  readonly signals: Pick<SignalsStore, 'claimScan'>;
  readonly scan: () => Promise<void>;
  readonly sendDue: () => Promise<void>;
  readonly log: Log;
  readonly now: () => Date;
}

const LOOK_EVERY_MILLISECONDS = 60_000;
const SEND_EVERY_MILLISECONDS = 5_000;
/** Timers of several processes are not in step: the next look may come this much earlier. */
const SLACK_MILLISECONDS = 5_000;

/** Looks at the counts each minute, in one of the processes, and sends what is due. */
export function createAlertWatch({ signals, scan, sendDue, log, now }: Parts) {
  const timers: NodeJS.Timeout[] = [];
  const running = new Set<Promise<void>>();

  async function look(): Promise<void> {
    if (await signals.claimScan(now(), LOOK_EVERY_MILLISECONDS - SLACK_MILLISECONDS)) await scan();
  }

  function every(milliseconds: number, work: () => Promise<void>): void {
    let isRunning = false;
    const timer = setInterval(() => {
      if (isRunning) return;
      isRunning = true;
      const run = work()
        .catch((error) => {
          if (!isDatabaseAway(error)) log.error('alerts could not be looked for or sent', { error });
        })
        .finally(() => {
          isRunning = false;
          running.delete(run);
        });
      running.add(run);
    }, milliseconds);
    timers.push(timer.unref());
  }

  return {
    look,
    sendDue,
    start(): void {
      every(LOOK_EVERY_MILLISECONDS, look);
      every(SEND_EVERY_MILLISECONDS, sendDue);
    },
    async stop(): Promise<void> {
      for (const timer of timers.splice(0)) clearInterval(timer);
      await Promise.all(running);
    },
  };
}
