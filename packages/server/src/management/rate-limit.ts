import { LRUCache } from 'lru-cache';

export interface RateLimit {
  /** Requests that may come at once. */
  readonly burst: number;
  /** Requests that come back each second. */
  readonly perSecond: number;
}

/** What the rate headers tell. */
export interface RateState {
  readonly limit: number;
  readonly remaining: number;
  /** UNIX seconds at which the next request is free, or the bucket is full. */
  readonly resetAt: number;
}

export interface RateLimiter {
  /** The state as it is. */
  look(tenantId: string): RateState;
  /** Takes a request from the tenant's bucket; false where it is empty. */
  take(tenantId: string): boolean;
  /** Whether an emptied bucket is news: true once a minute. */
  isNews(tenantId: string): boolean;
}

interface Bucket {
  tokens: number;
  filledAt: number;
  toldAt: number;
}

/** Generous: it is one's own server. It stops a script that runs wild, and an operator may set it lower. */
export const DEFAULT_RATE_LIMIT: RateLimit = { burst: 10_000, perSecond: 10_000 };
const MAX_BUCKETS = 10_000;
const NEWS_EVERY_MS = 60_000;

/** A token bucket for each tenant (limits section 2), in this process's memory. */
export function createRateLimiter(limit: RateLimit, now: () => Date): RateLimiter {
  const buckets = new LRUCache<string, Bucket>({ max: MAX_BUCKETS });

  function bucketOf(tenantId: string): Bucket {
    const time = now().getTime();
    let bucket = buckets.get(tenantId);
    if (bucket === undefined) {
      bucket = { tokens: limit.burst, filledAt: time, toldAt: Number.NEGATIVE_INFINITY };
      buckets.set(tenantId, bucket);
    }
    const elapsed = Math.max(0, time - bucket.filledAt);
    bucket.tokens = Math.min(limit.burst, bucket.tokens + (elapsed / 1000) * limit.perSecond);
    bucket.filledAt = time;
    return bucket;
  }

  function look(tenantId: string): RateState {
    const { tokens, filledAt } = bucketOf(tenantId);
    const missing = tokens >= 1 ? limit.burst - tokens : 1 - tokens;
    return {
      limit: limit.burst,
      remaining: Math.floor(tokens),
      resetAt: Math.ceil((filledAt + (missing / limit.perSecond) * 1000) / 1000),
    };
  }

  function take(tenantId: string): boolean {
    const bucket = bucketOf(tenantId);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  function isNews(tenantId: string): boolean {
    const bucket = bucketOf(tenantId);
    if (bucket.filledAt - bucket.toldAt < NEWS_EVERY_MS) return false;
    bucket.toldAt = bucket.filledAt;
    return true;
  }

  return { look, take, isNews };
}
