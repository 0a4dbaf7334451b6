import type { StoredVerdict, Verdict } from '../entries/entry.ts';

/** Servers that share a cache have clocks of their own: this much in the future is still now. */
const CLOCK_DIFFERENCE = 5;

/** Whether a verdict out of the cache still counts. Its token's expiry is another question, asked at each use. */
export function isFresh(
  verdict: StoredVerdict,
  { maxStaleSeconds, refusedSeconds, now }: Record<'maxStaleSeconds' | 'refusedSeconds' | 'now', number>,
): boolean {
  const age = now - verdict.checkedAt;
  return age >= -CLOCK_DIFFERENCE && age < (verdict.active ? maxStaleSeconds : refusedSeconds);
}

export function isStoredVerdict(value: unknown): value is StoredVerdict {
  return isVerdict(value) && 'checkedAt' in value && Number.isFinite(value.checkedAt);
}

/** Verifiers may be the user's own, and entries another version's. */
export function isVerdict(value: unknown): value is Verdict {
  if (!isObject(value)) return false;
  if (value.active === false) return typeof value.reason === 'string';
  const { active, expiresAt, user, permissions } = value;
  return (
    active === true &&
    (expiresAt === undefined || Number.isFinite(expiresAt)) &&
    isObject(user) &&
    typeof user.sub === 'string' &&
    user.sub !== '' &&
    Array.isArray(permissions) &&
    permissions.every((permission) => typeof permission === 'string')
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
