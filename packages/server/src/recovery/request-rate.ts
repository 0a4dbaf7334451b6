import { LRUCache } from 'lru-cache';
import { digest } from '../kit/digest.ts';
import { networkOf } from '../kit/network-of.ts';
import { normaliseIdentifier } from '../users/identifier.ts';

const BURST = 10;
const REFILL_MILLISECONDS = 60_000;
const MOST_BUCKETS = 50_000;

/**
 * Requests for the same address from the same place: ten at once, then one a minute (Auth0's figures). Kept by each process: it
 * keeps a form from being used to fill somebody's mailbox, and costs no statement that would tell known addresses apart.
 */
export function createRequestRate(now: () => Date) {
  const buckets = new LRUCache<string, { left: number; at: number }>({ max: MOST_BUCKETS });

  return {
    /** False where there were too many. However it is written: ＡＤＡ@example.org is the mailbox of ada@example.org. */
    take(tenantId: string, ip: string, address: string): boolean {
      const key = digest(JSON.stringify([tenantId, networkOf(ip), normaliseIdentifier(address) ?? address]));
      const time = now().getTime();
      const { left, at } = buckets.get(key) ?? { left: BURST, at: time };
      const filled = Math.min(BURST, left + (time - at) / REFILL_MILLISECONDS);
      buckets.set(key, { left: filled >= 1 ? filled - 1 : filled, at: time });
      return filled >= 1;
    },
  };
}

export type RequestRate = ReturnType<typeof createRequestRate>;
