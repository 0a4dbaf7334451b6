import { LRUCache } from 'lru-cache';
import type { HashReply } from './hash-job.ts';

const REMEMBERED_TENANTS = 10_000;
const REMEMBERED_MS = 60 * 60 * 1_000;
const MARGIN = 1.25;
const LONGEST_MS = 2_000;

/**
 * A bcrypt hash takes longer to verify than the dummy hash of an unknown account, so a wrong password would tell that an
 * account exists. In a tenant where such a hash was met lately, every "no" takes as long as the slowest of them did. It
 * costs no hashing, right passwords don't wait, and other tenants notice nothing.
 */
export function createRefusalPace() {
  const slowest = new LRUCache<string, number>({ max: REMEMBERED_TENANTS, ttl: REMEMBERED_MS });

  function paceOf(tenantId: string, reply: HashReply): number {
    const known = slowest.get(tenantId) ?? 0;
    if (!reply.outdated) return known;
    const pace = Math.min(LONGEST_MS, Math.max(known, reply.milliseconds * MARGIN));
    slowest.set(tenantId, pace);
    return pace;
  }

  /** Tell it every verification; it answers how many milliseconds to hold the answer back. */
  return function restOf(tenantId: string, reply: HashReply): number {
    const rest = paceOf(tenantId, reply) - reply.milliseconds;
    return reply.valid ? 0 : Math.max(0, Math.round(rest));
  };
}
