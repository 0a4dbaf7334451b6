import type { RefreshToken } from '../refresh/refresh-token-store.ts';

const DAY = 86_400_000;
const CENTURY = 100 * 365 * DAY;

/** How long a token grant's row is kept: as long as a token that names it can be alive. */
export function grantExpiry(
  now: Date,
  refreshToken: Pick<RefreshToken, 'expiresAt' | 'idleExpiresAt'> | undefined,
): Date {
  const ends = [now.getTime() + 31 * DAY];
  if (refreshToken) {
    const end = refreshToken.idleExpiresAt ?? refreshToken.expiresAt;
    ends.push(end ? end.getTime() + DAY : now.getTime() + CENTURY);
  }
  return new Date(Math.max(...ends));
}

/** An expiry has a day to spare, so a row need not move with each refresh: twice a day is enough. */
export function isWorthExtending(stored: Date, expiry: Date): boolean {
  return expiry.getTime() - stored.getTime() > DAY / 2;
}
