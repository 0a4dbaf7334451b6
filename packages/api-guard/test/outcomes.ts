import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenCache } from '../src/caches/token-cache.ts';

/** Asks one after another; how often each message of an error came, without the address, and `fulfilled`. */
export async function countOutcomes(times: number, ask: () => Promise<unknown>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let time = 0; time < times; time++) {
    const outcome = await ask().then(
      () => 'fulfilled',
      (error) => error.message.replace(/ at \S+/, ''),
    );
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

/** Waits until the cache answers; ended by the test's own limit. */
export async function comesBack(cache: TokenCache): Promise<void> {
  for (;;) {
    try {
      await cache.get('whether-it-is-back');
      return;
    } catch {
      await sleep(10);
    }
  }
}
