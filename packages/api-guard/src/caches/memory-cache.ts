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

interface Shelf {
  /** Oldest first, as a Map lists its keys: reading takes a key out and puts it in again. */
  readonly kept: Map<string, Kept>;
  bytes: number;
}

/** Verdicts, refusals and locks end within it; sessions last for longer. */
const PASSING_SECONDS = 3_600;
/** Of the room, where what lasts wants the rest. */
const PASSING_SHARE = 1 / 4;
/** About what a Map, an object and two strings take beside their characters. */
const ENTRY_OVERHEAD = 200;

/**
 * The cache of one process, for a service that runs once. Where it is full, what was not asked for longest goes first, and of that what
 * passes before what lasts: who invents tokens fills it with refusals, and must not push out the sessions of others.
 * What is revoked by another process is heard of as late as with any cache: by the age of a verdict.
 */
export function createMemoryCache(options: MemoryCacheOptions = {}): TokenCache {
  const { maxEntries = 10_000, maxBytes = 50_000_000, now = Date.now } = options;
  const passing: Shelf = { kept: new Map(), bytes: 0 };
  const lasting: Shelf = { kept: new Map(), bytes: 0 };
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
      for (const shelf of [passing, lasting]) {
        shelf.kept.clear();
        shelf.bytes = 0;
      }
    },
  };

  function read(key: string): Kept | undefined {
    check(key);
    const shelf = shelfOf(key);
    const found = shelf.kept.get(key);
    if (!found) return undefined;
    if (found.endsAt <= now()) {
      remove(key);
      return undefined;
    }
    shelf.kept.delete(key);
    shelf.kept.set(key, found);
    return found;
  }

  function write(key: string, value: string, lifetimeSeconds: number): void {
    check(key);
    const bytes = countBytes(value) + key.length + ENTRY_OVERHEAD;
    remove(key);
    const lifetime = toLifetime(lifetimeSeconds);
    if (lifetime === 0 || bytes > maxBytes || maxEntries < 1) return;
    writes += 1;
    const shelf = lifetime > PASSING_SECONDS ? lasting : passing;
    shelf.kept.set(key, { value, version: String(writes), endsAt: now() + lifetime * 1000, bytes });
    shelf.bytes += bytes;
    while (passing.kept.size + lasting.kept.size > maxEntries || passing.bytes + lasting.bytes > maxBytes)
      for (const oldest of shelfThatGivesWay().kept.keys()) {
        remove(oldest);
        break;
      }
  }

  function shelfThatGivesWay(): Shelf {
    const { kept, bytes } = passing;
    const hasMuch = kept.size > maxEntries * PASSING_SHARE || bytes > maxBytes * PASSING_SHARE;
    return hasMuch || lasting.kept.size === 0 ? passing : lasting;
  }

  function remove(key: string): void {
    const shelf = shelfOf(key);
    shelf.bytes -= shelf.kept.get(key)?.bytes ?? 0;
    shelf.kept.delete(key);
  }

  function shelfOf(key: string): Shelf {
    return lasting.kept.has(key) ? lasting : passing;
  }

  function check(key: string): void {
    if (isClosed) throw new CacheAwayError('The cache is closed.');
    checkKey(key);
  }
}
