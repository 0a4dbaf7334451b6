import { CacheAwayError } from './token-cache.ts';

/** memcached refuses items above 1 MiB, key and header included, unless it was started otherwise. */
export const MAX_VALUE_BYTES = 1_000_000;

/** memcached takes a longer lifetime for a moment in time, long ago. */
const MAX_LIFETIME_SECONDS = 30 * 24 * 60 * 60;

/** What the protocol of memcached allows; a line break in a key would begin another command. */
const KEY = /^[\x21-\x7e]{1,250}$/;

export function checkKey(key: string): void {
  if (!KEY.test(key)) throw new TypeError('A key of a cache is 1 to 250 printable ASCII characters without spaces.');
}

/** The bytes of a value; one that no cache takes is like a cache that is away: nobody depends on what is cached. */
export function countBytes(value: string): number {
  const bytes = Buffer.byteLength(value);
  if (bytes > MAX_VALUE_BYTES) throw new CacheAwayError(`A value of ${bytes} bytes is too large for a cache.`);
  return bytes;
}

/** Whole seconds, at most 30 days; 0 for what is over already (or no number at all), so that nothing is kept for ever by mistake. */
export function toLifetime(seconds: number): number {
  return seconds >= 1 ? Math.min(Math.floor(seconds), MAX_LIFETIME_SECONDS) : 0;
}
