import { Cron } from 'croner';
import { DeclaredError } from '../kit/errors.ts';
import { cronErrors } from './cron-job.ts';

const LONGEST = 200;

/** The next time after a moment. Five fields, or six with seconds first; days of month and week are either-or, as in crontab(5). */
export function nextRun(schedule: string, timeZone: string, after: Date): Date {
  const fields = schedule.trim().split(/\s+/).length;
  if (schedule.length > LONGEST || fields < 5 || fields > 6)
    throw cronErrors.noSchedule({ schedule: schedule.slice(0, LONGEST) });
  let next: Date | null;
  try {
    next = new Cron(schedule.trim(), { timezone: timeZone, mode: '5-or-6-parts' }).nextRun(after);
  } catch (cause) {
    if (!isTimeZone(timeZone)) throw cronErrors.noTimeZone({ timeZone: timeZone.slice(0, LONGEST) });
    throw cronErrors.noSchedule({ schedule: schedule.slice(0, LONGEST) }, { cause });
  }
  if (!next) throw cronErrors.never({ schedule });
  return next;
}

export interface UpcomingRun {
  readonly at: Date;
  /** Why the schedule says nothing: then it is looked at again after an hour. */
  readonly fault: string | undefined;
}

const AGAIN_MILLISECONDS = 3_600_000;

/** The same of a schedule that is stored: one that this version can't read must stop no other job. */
export function upcomingRun(schedule: string, timeZone: string, after: Date): UpcomingRun {
  try {
    return { at: nextRun(schedule, timeZone, after), fault: undefined };
  } catch (cause) {
    if (!(cause instanceof DeclaredError)) throw cause;
    return { at: new Date(after.getTime() + AGAIN_MILLISECONDS), fault: cause.message };
  }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
