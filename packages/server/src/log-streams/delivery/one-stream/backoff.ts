import type { Verdict } from '../../sinks/sink.ts';

const BASE = 1_000;
const LONGEST = 300_000;
/** An operator's mistake does not mend itself: their own system is not asked more often than that. */
const HELD = 15_000;
export const LONGEST_RETRY_AFTER = 3_600_000;
/** Whoever waits for longer does so by a clock that was set back since. */
export const LONGEST_WAIT = LONGEST_RETRY_AFTER * 1.1;
/** Failures in a row from which on a stream is degraded: it is tried with one event. */
export const DEGRADED_AFTER = 5;
/** How long a stream may fail before it is suspended. */
export const SUSPENDED_AFTER = 7 * 24 * 3_600_000;
/** When an event, and not its sink, is held to be the reason. */
export const POISON_TRIES = 10;
export const POISON_AGE = 15 * 60_000;

/** How long to wait after the n-th failure in a row. Full jitter: those that failed together don't come again together. */
export function delayAfter(
  failures: number,
  { verdict, retryAfterMilliseconds }: { verdict: Verdict; retryAfterMilliseconds?: number | undefined },
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(LONGEST, BASE * 2 ** Math.min(20, Math.max(0, failures - 1)));
  const jittered = ceiling * random();
  const asked = Math.min(LONGEST_RETRY_AFTER, retryAfterMilliseconds ?? 0);
  if (asked > 0) return asked + Math.min(jittered, asked / 10);
  return verdict === 'hold' && failures > 1 ? Math.min(LONGEST, HELD + jittered) : jittered;
}
