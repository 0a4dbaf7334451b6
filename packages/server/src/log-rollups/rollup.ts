import { logTypes } from '../logs/log-types.ts';

export type Grain = 'minute' | 'hour' | 'day';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** How long the counts of a grain are kept: the scans ask minutes, the comparison with last week hours, statistics days. */
export const GRAINS: Readonly<Record<Grain, { readonly length: number; readonly kept: number }>> = {
  minute: { length: MINUTE, kept: 2 * DAY },
  hour: { length: HOUR, kept: 60 * DAY },
  day: { length: DAY, kept: 400 * DAY },
};

export function beginOf(grain: Grain, at: Date): Date {
  const { length } = GRAINS[grain];
  return new Date(Math.floor(at.getTime() / length) * length);
}

/** An event as it is counted. */
export interface CountedEvent {
  readonly tenantId: string;
  readonly at: Date;
  readonly type: string;
  readonly clientId: string | null;
  readonly connection: string | null;
  readonly ip: string | null;
  readonly userId: string | null;
  readonly userName: string | null;
  /** The rule that caused a failure. */
  readonly rule: string | null;
}

/** So many events of a kind, in a minute, an hour or a day. */
export interface Count {
  readonly tenant_id: string;
  readonly grain: Grain;
  readonly at: Date;
  readonly type: string;
  readonly client_id: string;
  readonly connection: string;
  readonly ip: string;
  readonly subject: string;
  readonly n: number;
  readonly expires_at: Date;
}

export interface ActiveUser {
  readonly tenant_id: string;
  readonly user_id: string;
  readonly last_login_at: Date;
  readonly expires_at: Date;
}

/** What stands for those that were too many to be counted apart. */
export const REST = '*';
/** Subjects that stand for a rest. By their whole names: whoever logs in chooses how theirs ends. */
export const RESTS_OF_SUBJECTS: readonly string[] = [`user:${REST}`, `rule:${REST}`];
/** Of one tenant, in one minute, hour or day: the largest are kept apart, the rest is one. */
export const MOST_APART = { addresses: 100, clients: 100, subjects: 50 } as const;

/** A login that its user sees as one: in the browser, or with a password sent by an application. */
export const LOGINS: ReadonlySet<string> = new Set([logTypes.loginSucceeded.code, logTypes.passwordExchanged.code]);
export const SIGN_UPS: ReadonlySet<string> = new Set([logTypes.signedUp.code]);
export const LEAKED: ReadonlySet<string> = new Set([
  logTypes.breachedPasswordAtLogin.code,
  logTypes.breachedPasswordAtReset.code,
]);
export const LEAKED_AT_SIGN_UP: ReadonlySet<string> = new Set([logTypes.breachedPasswordAtSignUp.code]);
export const ACTIVE_DAYS = 30;

const ATTEMPTS = new Set(['login', 'token_exchange']);
const attempts = Object.values(logTypes).filter(({ category }) => ATTEMPTS.has(category));

/** Attempts to log in or to get a token, by how they ended. */
export const FAILED: ReadonlySet<string> = codesOf('failure');
export const SUCCEEDED: ReadonlySet<string> = codesOf('success');

function codesOf(outcome: 'failure' | 'success'): ReadonlySet<string> {
  return new Set(attempts.filter((type) => type.outcome === outcome).map(({ code }) => code));
}
