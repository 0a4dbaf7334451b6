import type { Finding } from '../log-alerts/alert.ts';
import type { CronJobStore } from './cron-job-store.ts';

/** Nothing later is sent while a batch waits: after this time somebody should know. */
export const LATE_MILLISECONDS = 15 * 60_000;
export const MOST_LATE = 1_000;

/** The alert for each scheduled export that is late; resolved once it has caught up. */
export function createLateExports({ late }: Pick<CronJobStore, 'late'>) {
  return async (now: Date): Promise<Finding[]> => {
    const jobs = await late(new Date(now.getTime() - LATE_MILLISECONDS), MOST_LATE);
    return jobs.map(({ tenantId, name, behindSince }) => ({
      tenantId,
      rule: 'export-behind',
      subject: name,
      facts: {
        summary: `The scheduled export '${name}' is ${Math.floor((now.getTime() - behindSince.getTime()) / 60_000)} minutes behind: nothing later is sent before the batch that waits.`,
        suggestion: `See what its webhook answers: gatewright cron logs ${name}.`,
        count: 1,
        since: behindSince.toISOString(),
      },
    }));
  };
}
