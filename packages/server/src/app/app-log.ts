import type pg from 'pg';
import { createJobCursors } from '../cron/job-cursors.ts';
import { createLateExports } from '../cron/late-exports.ts';
import type { Transact } from '../db/transact.ts';
import type { Log } from '../kit/log.ts';
import { createAlertMailComposer } from '../log-alerts/alert-mail.ts';
import { createAlertWatch } from '../log-alerts/alert-watch.ts';
import { createScan } from '../log-alerts/scan-counts.ts';
import { createNoticeSender } from '../log-alerts/send-notices.ts';
import { createTellOfAlerts } from '../log-alerts/tell-of-alerts.ts';
import { createRollups } from '../log-rollups/roll-up.ts';
import { createDeadLetterExpiry } from '../log-streams/delivery/state/expire-dead-letters.ts';
import { allCursors, type CursorsOfReaders } from '../logs/retention/cursors-of-readers.ts';
import { createRetentionKeeper } from '../logs/retention/retention-keeper.ts';
import { createTellGap } from '../logs/retention/tell-gap.ts';
import type { CallOut } from '../outgoing/http-client.ts';
import type { Stores } from '../stores.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';

interface Parts {
  readonly pool: pg.Pool;
  readonly stores: Stores;
  readonly transact: Transact<Stores>;
  readonly directory: TenantDirectory;
  readonly callOut: CallOut;
  /** Who else is to have every event. */
  readonly cursors: CursorsOfReaders;
  readonly log: Log;
  readonly now: () => Date;
}

export type LogWatch = ReturnType<typeof createLogWatch>;

/** What happens to the log besides being written and read: it is counted, looked at for what should alarm, and ends. */
export function createLogWatch({ pool, stores, transact, directory, callOut, cursors, log, now }: Parts) {
  const rollups = createRollups({ pool, rollups: stores.rollups, transact, log, now });
  const retention = createRetentionKeeper({
    pool,
    cursors: allCursors(rollups.cursor, cursors, createJobCursors({ cronJobs: stores.cronJobs, directory })),
    tellGap: createTellGap({ transact, now }),
    expireWith: createDeadLetterExpiry(stores),
    log,
    now,
  });
  const findTenant = stores.tenants.find;
  const { alerts, alertSettings, alertNotices, signals } = stores;
  const composeMail = createAlertMailComposer({ canonicalOrigin: directory.canonicalOrigin, now });
  const watch = createAlertWatch({
    signals,
    scan: createScan<Stores>({
      signals,
      alerts,
      others: createLateExports(stores.cronJobs),
      transact,
      tell: createTellOfAlerts({ settings: alertSettings, findTenant, composeMail, now }),
      now,
    }),
    sendDue: createNoticeSender({
      notices: alertNotices,
      settings: alertSettings,
      transact,
      findTenant,
      callOut,
      log,
      now,
    }),
    log,
    now,
  });
  const all = [rollups, watch, retention];
  return {
    rollups,
    retention,
    alerts: watch,
    start(): void {
      for (const one of all) one.start();
    },
    async stop(): Promise<void> {
      await Promise.all(all.map((one) => one.stop()));
    },
  };
}
