import { defineErrors } from '../kit/errors.ts';
import type { GivenSettings } from '../log-export/export-settings.ts';

/** An export that runs by itself: `gatewright cron schedule`. */
export interface CronJob {
  readonly name: string;
  /** Five fields of cron, or six with seconds first. */
  readonly schedule: string;
  readonly timeZone: string;
  /** Of the settings, whose values are sealed and shown to nobody. */
  readonly settingNames: readonly string[];
  /** After which a run ends; the next one goes on. */
  readonly limitSeconds: number;
  readonly nextRunAt: Date;
  readonly isRunning: boolean;
  /** Since when an event waits that could not be delivered. */
  readonly behindSince: Date | undefined;
}

export interface NewCronJob extends Pick<CronJob, 'name' | 'schedule' | 'timeZone' | 'limitSeconds' | 'nextRunAt'> {
  readonly settings: GivenSettings;
  /** Of the tenant whose log is read: a checkpoint means nothing elsewhere. */
  readonly origin: string;
}

/** What whoever runs it gets. Of all that claim a job in its time, the highest fence counts. */
export interface ClaimedJob {
  readonly tenantId: string;
  readonly name: string;
  readonly schedule: string;
  readonly timeZone: string;
  readonly limitSeconds: number;
  readonly fence: string;
  /** Undefined where they can't be decrypted any more. */
  readonly settings: GivenSettings | undefined;
  readonly origin: string;
  readonly checkpoint: string | undefined;
  readonly behindSince: Date | undefined;
}

/** `timeout` at its limit, `lost` with the server that ran it. */
export type RunOutcome = 'running' | 'complete' | 'failed' | 'stopped' | 'timeout' | 'lost';

export interface RunLine {
  /** ISO 8601 */
  readonly at: string;
  readonly text: string;
}

export interface CronRun {
  readonly runId: string;
  readonly name: string;
  readonly startedAt: Date;
  readonly endedAt: Date | undefined;
  readonly outcome: RunOutcome;
  readonly exitCode: number | undefined;
  readonly read: number;
  readonly sent: number;
  readonly skipped: number;
  /** 0 once all is exported; unknown where the log could not be read. */
  readonly lagSeconds: number | undefined;
  readonly error: string | undefined;
  /** The newest of `lineCount`. */
  readonly lines: readonly RunLine[];
  readonly lineCount: number;
}

export const EXIT_CODES: Readonly<Record<RunOutcome, number | undefined>> = {
  running: undefined,
  complete: 0,
  failed: 1,
  timeout: 124,
  stopped: 143,
  lost: undefined,
};

export const MOST_JOBS = 50;
export const MOST_RUNS = 100;
export const MOST_LINES = 200;

export const cronErrors = defineErrors({
  noSchedule: {
    status: 400,
    code: 'invalid_schedule',
    message: `'{schedule}' is no schedule: five fields of cron in quotes, such as "*/5 * * * *", or six with seconds first.`,
  },
  noTimeZone: { status: 400, code: 'invalid_time_zone', message: "'{timeZone}' is no time zone: UTC, Europe/Berlin …" },
  never: { status: 400, code: 'never_runs', message: "'{schedule}' has no next time: it would never run." },
  noName: {
    status: 400,
    code: 'invalid_name',
    message: "'{name}' is no name of a job: 1 to 64 letters, digits, dots, dashes and underscores.",
  },
  noLimit: { status: 400, code: 'invalid_limit', message: 'A run may take 1 to 1440 minutes.' },
  unknownSetting: { status: 400, code: 'unknown_setting', message: "'{name}' is no setting of an export{hint}." },
  tooMany: { status: 400, code: 'too_many_jobs', message: `A tenant may have ${MOST_JOBS} jobs.` },
  unknown: { status: 404, code: 'inexistent_job', message: "There is no job '{name}'." },
});

export function checkName(name: string): string {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) throw cronErrors.noName({ name: name.slice(0, 100) });
  return name;
}
