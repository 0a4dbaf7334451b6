/** How long events are kept: days, by tenant. */
export interface Retention {
  readonly days: number;
  /** Nobody chose it. */
  readonly isDefault: boolean;
}

/** The longest that Auth0 keeps a tenant's log; an operator chooses another time for each tenant. */
export const DEFAULT_DAYS = 30;
export const FEWEST_DAYS = 1;
export const MOST_DAYS = 3_650;
/** How much longer events stay that somebody is to have and has not read, a log stream that is paused for one. */
export const GRACE_DAYS = 7;

export const DAY = 86_400_000;

/** The instant before which a tenant's events are over: nobody finds them, whether they are removed by now or not. */
export function keptSince(days: number, now: Date): Date {
  return new Date(now.getTime() - days * DAY);
}

/** Whether a whole UTC day (YYYYMMDD) lies before an instant. */
export function isOver(day: string, since: Date): boolean {
  return startOf(day) + DAY <= since.getTime();
}

function startOf(day: string): number {
  return Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`);
}
