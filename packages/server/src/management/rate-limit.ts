import { LRUCache } from 'lru-cache';
import type { RateBucketStore, RateLimit, Taken } from './rate-bucket-store.ts';

/** What the rate headers tell. */
export interface RateState {
  readonly limit: number;
  readonly remaining: number;
  /** UNIX seconds at which the next request is free, or the bucket is full. */
  readonly resetAt: number;
}

export interface RateLimiter {
  /** The state as this process knows it. */
  look(tenantId: string): RateState;
  /** Takes a request from the tenant's bucket; false where it is empty. */
  take(tenantId: string): Promise<boolean>;
  /** Whether an emptied bucket is news: true once a minute. */
  isNews(tenantId: string): Promise<boolean>;
}

interface Bucket {
  /** What all processes have left, as it was told last and filled up since. */
  left: number;
  filledAt: number;
  /** Taken from it by this process, and not used yet. */
  leased: number;
  leasing: Promise<void> | undefined;
  /** Nothing is asked for before. */
  emptyUntil: number;
  toldAt: number;
}

/** Generous: it is one's own server. It stops a script that runs wild. */
export const DEFAULT_RATE_LIMIT: RateLimit = { burst: 10_000, perSecond: 10_000 };
const MAX_BUCKETS = 10_000;
const NEWS_EVERY_MS = 60_000;
const PATIENCE_MS = 1_000;
/** Of the burst: what a process takes at once. So much more than the burst can come at worst, and this seldom one writes. */
const BLOCK = 0.01;
const SHORTEST_WAIT_MS = 10;

/**
 * A token bucket for each tenant (limits section 2), one for all processes of a database: each takes blocks of it. Where it
 * can't be asked, a process counts alone: a limit is no reason to refuse a read that the database would answer.
 */
export function createRateLimiter(
  limit: RateLimit,
  now: () => Date,
  shared?: Pick<RateBucketStore, 'take' | 'isNews'>,
  name = 'management',
): RateLimiter {
  const buckets = new LRUCache<string, Bucket>({ max: MAX_BUCKETS });
  const block = Math.max(1, Math.floor(limit.burst * BLOCK));

  function bucketOf(tenantId: string): Bucket {
    const time = now().getTime();
    let bucket = buckets.get(tenantId);
    if (bucket === undefined) {
      const never = Number.NEGATIVE_INFINITY;
      bucket = { left: limit.burst, filledAt: time, leased: 0, leasing: undefined, emptyUntil: never, toldAt: never };
      buckets.set(tenantId, bucket);
    }
    const elapsed = Math.max(0, time - bucket.filledAt);
    bucket.left = Math.min(limit.burst, bucket.left + (elapsed / 1000) * limit.perSecond);
    bucket.filledAt = time;
    return bucket;
  }

  function look(tenantId: string): RateState {
    const { left, leased, filledAt } = bucketOf(tenantId);
    const tokens = Math.min(limit.burst, left + leased);
    const missing = tokens >= 1 ? limit.burst - tokens : 1 - tokens;
    return {
      limit: limit.burst,
      remaining: Math.floor(tokens),
      resetAt: Math.ceil((filledAt + (missing / limit.perSecond) * 1000) / 1000),
    };
  }

  async function take(tenantId: string): Promise<boolean> {
    const bucket = bucketOf(tenantId);
    while (bucket.leased < 1) {
      if (now().getTime() < bucket.emptyUntil) return false;
      // Those who wait share one block; whom it does not reach asks for the next.
      bucket.leasing ??= lease(tenantId, bucket).finally(() => {
        bucket.leasing = undefined;
      });
      await bucket.leasing;
    }
    bucket.leased -= 1;
    return true;
  }

  async function lease(tenantId: string, bucket: Bucket): Promise<void> {
    const alone = (): Taken => {
      const { left } = bucketOf(tenantId);
      const granted = Math.min(block, Math.floor(left));
      return { granted, left: left - granted };
    };
    const taken = shared && inTime(shared.take(tenantId, name, limit, block, now()));
    const { granted, left } = (await taken?.catch(alone)) ?? alone();
    const time = now().getTime();
    Object.assign(bucket, { leased: bucket.leased + granted, left, filledAt: time });
    if (granted < 1) bucket.emptyUntil = time + Math.max(SHORTEST_WAIT_MS, ((1 - left) / limit.perSecond) * 1000);
  }

  async function isNews(tenantId: string): Promise<boolean> {
    const bucket = bucketOf(tenantId);
    const time = now();
    if (time.getTime() - bucket.toldAt < NEWS_EVERY_MS) return false;
    bucket.toldAt = time.getTime();
    const told = shared && inTime(shared.isNews(tenantId, name, NEWS_EVERY_MS, time));
    return (await told?.catch(() => true)) ?? true;
  }

  return { look, take, isNews };
}

/** Where the database hangs, the limit must not take the time that the request itself has to find that out. */
async function inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('The rate limit could not be asked.')), PATIENCE_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
