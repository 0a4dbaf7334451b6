import { checkKey, countBytes, toLifetime } from './cache-bounds.ts';
import { CacheAwayError, type TokenCache } from './token-cache.ts';

export interface MemoryCacheOptions {
  readonly maxEntries?: number;
  /** Of keys and values, with what it costs to keep them. */
  readonly maxBytes?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

interface Kept {
  readonly value: string;
  readonly version: string;
  readonly endsAt: number;
  readonly bytes: number;
}

/** About what a Map, an object and two strings take beside their characters. */
const ENTRY_OVERHEAD = 200;

/**
 * The cache of one process, for a service that runs once. Where it is full, what was not asked for longest goes first.
 * What is revoked by another process is heard of as late as with any cache: by the age of a verdict.
 */
export function createMemoryCache(options: MemoryCacheOptions = {}): TokenCache {
  const { maxEntries = 10_000, maxBytes = 50_000_000, now = Date.now } = options;
  // A Map lists its keys as they were put in: reading takes a key out and puts it in again.
  const kept = new Map<string, Kept>();
  let bytesKept = 0;
  let writes = 0;
  let isClosed = false;

  return {
    async get(key) {
      const found = read(key);
      return found && { value: found.value, version: found.version };
    },
    async set(key, value, lifetimeSeconds) {
      write(key, value, lifetimeSeconds);
    },
    async add(key, value, lifetimeSeconds) {
      if (read(key)) return false;
      write(key, value, lifetimeSeconds);
      return true;
    },
    async replace(key, value, lifetimeSeconds, version) {
      const found = read(key);
      if (!found) return 'missing';
      if (found.version !== version) return 'changed';
      write(key, value, lifetimeSeconds);
      return 'stored';
    },
    async delete(key) {
      check(key);
      remove(key);
    },
    async close() {
      isClosed = true;
      kept.clear();
      bytesKept = 0;
    },
  };

  function read(key: string): Kept | undefined {
    check(key);
    const found = kept.get(key);
    if (!found) return undefined;
    kept.delete(key);
    if (found.endsAt <= now()) {
      bytesKept -= found.bytes;
      return undefined;
    }
    kept.set(key, found);
    return found;
  }

  function write(key: string, value: string, lifetimeSeconds: number): void {
    check(key);
    const bytes = countBytes(value) + key.length + ENTRY_OVERHEAD;
    remove(key);
    const lifetime = toLifetime(lifetimeSeconds);
    if (lifetime === 0 || bytes > maxBytes || maxEntries < 1) return;
    writes += 1;
    kept.set(key, { value, version: String(writes), endsAt: now() + lifetime * 1000, bytes });
    bytesKept += bytes;
    for (const oldest of kept.keys()) {
      if (kept.size <= maxEntries && bytesKept <= maxBytes) return;
      remove(oldest);
    }
  }

  function remove(key: string): void {
    bytesKept -= kept.get(key)?.bytes ?? 0;
    kept.delete(key);
  }

  function check(key: string): void {
    if (isClosed) throw new CacheAwayError('The cache is closed.');
    checkKey(key);
  }
}
