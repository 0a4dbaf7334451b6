import { logTypes } from '../logs/log-types.ts';

/** The stream's `filters`, as the wire has them. */
export interface StreamFilter {
  readonly type?: string | undefined;
  readonly name?: string | undefined;
}

/** The groups that a filter can name. */
export const FILTER_GROUPS = [
  'actions',
  'auth.login.fail',
  'auth.login.notification',
  'auth.login.success',
  'auth.logout.fail',
  'auth.logout.success',
  'auth.signup.fail',
  'auth.signup.success',
  'auth.silent_auth.fail',
  'auth.silent_auth.success',
  'auth.token_exchange.fail',
  'auth.token_exchange.success',
  'management.fail',
  'management.success',
  'other',
  'scim.event',
  'system.notification',
  'user.fail',
  'user.notification',
  'user.success',
] as const;

const UNCLASSIFIED = 'other';
const groups: ReadonlyMap<string, string> = new Map(
  Object.values(logTypes).map(({ code, streamFilter }) => [code, streamFilter]),
);

/** Whether a stream takes events of this type (the wire's code). Without filters it takes all. */
export function createEventSelection(filters: readonly StreamFilter[]): (type: string) => boolean {
  if (filters.length === 0) return () => true;
  const wanted = new Set(filters.filter(({ type = 'category' }) => type === 'category').map(({ name }) => name));
  return (type) => wanted.has(filterGroupOf(type));
}

/** The group of an event's type; types that nobody has put into one belong to `other`. */
export function filterGroupOf(type: string): string {
  return groups.get(type) ?? UNCLASSIFIED;
}
