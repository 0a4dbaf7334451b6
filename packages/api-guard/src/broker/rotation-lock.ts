import { randomUUID } from 'node:crypto';
import type { TokenCache } from '../caches/token-cache.ts';

/**
 * Among all processes that share the cache one rotates a session. The lock ends by itself, so that a crash delays the others and
 * stops nobody; whoever was too slow finds another one's result and drops its own.
 */
export function createRotationLock({ cache, seconds }: { readonly cache: TokenCache; readonly seconds: number }) {
  /** The work's outcome, or undefined where somebody else has the lock. */
  return async function withLock<Value>(key: string, work: () => Promise<Value>): Promise<Value | undefined> {
    const lock = `${key}.lock`;
    const owner = randomUUID();
    if (!(await cache.add(lock, owner, seconds))) return undefined;
    try {
      return await work();
    } finally {
      await release(lock, owner);
    }
  };

  async function release(lock: string, owner: string): Promise<void> {
    try {
      if ((await cache.get(lock))?.value === owner) await cache.delete(lock);
    } catch {
      // It ends by itself.
    }
  }
}
