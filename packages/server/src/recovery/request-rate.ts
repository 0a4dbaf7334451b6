import { digest } from '../kit/digest.ts';
import { networkOf } from '../kit/network-of.ts';
import type { RateBucketStore } from '../management/rate-bucket-store.ts';
import { normaliseIdentifier } from '../users/identifier.ts';

interface Parts {
  readonly buckets: Pick<RateBucketStore, 'take'>;
  readonly now: () => Date;
}

/** Auth0's figures: ten at once, then one a minute. */
const LIMIT = { burst: 10, perSecond: 1 / 60 } as const;

/**
 * Requests for the same address from the same place, counted by the database for all processes: it keeps a form from being used
 * to fill somebody's mailbox. The statement is the same whether somebody has the address or nobody.
 */
export function createRequestRate({ buckets, now }: Parts) {
  return {
    /** False where there were too many. However it is written: ＡＤＡ@example.org is the mailbox of ada@example.org. */
    async take(tenantId: string, ip: string, address: string): Promise<boolean> {
      const key = digest(JSON.stringify([networkOf(ip), normaliseIdentifier(address) ?? address]));
      const { granted } = await buckets.take(tenantId, `reset ${key}`, LIMIT, 1, now());
      return granted >= 1;
    },
  };
}

export type RequestRate = ReturnType<typeof createRequestRate>;
