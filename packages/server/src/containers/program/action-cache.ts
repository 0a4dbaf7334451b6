interface Entry {
  readonly value: string;
  readonly expiresAt: number;
}

type CacheError =
  | 'CacheKeySizeExceeded'
  | 'CacheValueSizeExceeded'
  | 'CacheSizeExceeded'
  | 'InvalidExpiry'
  | 'ItemAlreadyExpired'
  | 'CacheKeyDoesNotExist';

const MOST_ENTRIES = 20;
const LONGEST_KEY = 64;
const LONGEST_VALUE = 4_096;
const MOST_BYTES = 8_192;
const DEFAULT_LIFETIME = 15 * 60_000;
const LONGEST_LIFETIME = 24 * 3_600_000;

/** By trigger. As on Auth0 it is a help, and no store: it lives as long as its container, and each container has its own. */
const caches = new Map<string, Map<string, Entry>>();
const encoder = new TextEncoder();
const now = Date.now.bind(Date);

/** `api.cache` of a trigger: get, set, delete. */
export function actionCache(trigger: string) {
  const entries = caches.get(trigger) ?? new Map<string, Entry>();
  caches.set(trigger, entries);

  return {
    get(key: unknown): object | undefined {
      const entry = live(entries, String(key));
      return entry && { value: entry.value, expires_at: entry.expiresAt };
    },

    set(key: unknown, value: unknown, options?: unknown): object {
      if (typeof key !== 'string' || typeof value !== 'string')
        throw new TypeError('api.cache.set takes texts: a key and a value.');
      if (sizeOf(key) > LONGEST_KEY) return failed('CacheKeySizeExceeded');
      if (sizeOf(value) > LONGEST_VALUE) return failed('CacheValueSizeExceeded');
      const expiresAt = expiryOf(options);
      if (expiresAt === undefined) return failed('InvalidExpiry');
      if (expiresAt <= now()) return failed('ItemAlreadyExpired');
      for (const known of entries.keys()) live(entries, known);
      const others = [...entries].filter(([known]) => known !== key);
      const bytes = others.reduce((sum, [known, entry]) => sum + sizeOf(known) + sizeOf(entry.value), 0);
      if (others.length >= MOST_ENTRIES || bytes + sizeOf(key) + sizeOf(value) > MOST_BYTES)
        return failed('CacheSizeExceeded');
      entries.set(key, { value, expiresAt });
      return { type: 'success', record: { value, expires_at: expiresAt } };
    },

    delete(key: unknown): object {
      return entries.delete(String(key)) ? { type: 'success' } : failed('CacheKeyDoesNotExist');
    },
  };
}

function live(entries: Map<string, Entry>, key: string): Entry | undefined {
  const entry = entries.get(key);
  if (!entry || entry.expiresAt > now()) return entry;
  entries.delete(key);
  return undefined;
}

/** `ttl` is a time from now, `expires_at` a moment, both in milliseconds; the earlier one counts, and a day is the longest. */
function expiryOf(options: unknown): number | undefined {
  const { ttl, expires_at: at } = { ...Object(options) } as Readonly<Record<string, unknown>>;
  const moments = [];
  if (ttl !== undefined) moments.push(typeof ttl === 'number' ? now() + ttl : Number.NaN);
  if (at !== undefined) moments.push(typeof at === 'number' ? at : Number.NaN);
  if (moments.some((moment) => !Number.isFinite(moment))) return undefined;
  return Math.min(now() + LONGEST_LIFETIME, ...(moments.length > 0 ? moments : [now() + DEFAULT_LIFETIME]));
}

function sizeOf(text: string): number {
  return encoder.encode(text).length;
}

function failed(code: CacheError): object {
  return { type: 'error', code };
}
