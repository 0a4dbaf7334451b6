import { networkOf } from '../../kit/network-of.ts';
import type { AttemptStore } from './attempt-store.ts';

interface Parts {
  readonly attempts: AttemptStore;
  readonly now: () => Date;
}

/** Wrong codes that one network, and that all together, may type in a window (attack L5, RFC 8628 section 5.1). */
const LIMITS = {
  network: { most: 10, seconds: 300 },
  tenant: { most: 1_000, seconds: 900 },
} as const;

/**
 * Limits the guessing of user codes. With 1,000 tries in the life of a code, and 20^8 of them, one of a thousand waiting
 * devices is hit with a chance of 1 in 25,000. An attempt counts before it is looked at, so that a burst gets no further.
 */
export function createGuessLimit({ attempts, now }: Parts) {
  const windows = (ip: string) => [
    { name: `user-code ${networkOf(ip)}`, ...LIMITS.network },
    { name: 'user-code', ...LIMITS.tenant },
  ];

  return {
    /** False where there were too many: the code may not even be looked up. */
    async begin(tenantId: string, ip: string): Promise<boolean> {
      for (const { name, most, seconds } of windows(ip)) {
        if ((await attempts.count(tenantId, name, seconds, now())) > most) return false;
      }
      return true;
    },
    /** A code that exists was no guess. */
    async wasRight(tenantId: string, ip: string): Promise<void> {
      for (const { name } of windows(ip)) await attempts.takeBack(tenantId, name);
    },
  };
}

export type GuessLimit = ReturnType<typeof createGuessLimit>;
