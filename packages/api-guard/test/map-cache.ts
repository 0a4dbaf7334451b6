import type { Cached, TokenCache } from '../src/caches/token-cache.ts';

/** Of one process, without bounds. */
export function createMapCache(): TokenCache & { readonly lifetimes: Map<string, number> } {
  const kept = new Map<string, Cached>();
  const lifetimes = new Map<string, number>();
  let version = 0;
  const store = (key: string, value: string, lifetime: number) => {
    kept.set(key, { value, version: String(++version) });
    lifetimes.set(key, lifetime);
  };
  return {
    lifetimes,
    get: async (key) => kept.get(key),
    set: async (key, value, lifetime) => store(key, value, lifetime),
    async add(key, value, lifetime) {
      if (kept.has(key)) return false;
      store(key, value, lifetime);
      return true;
    },
    async replace(key, value, lifetime, readVersion) {
      const there = kept.get(key);
      if (!there) return 'missing';
      if (there.version !== readVersion) return 'changed';
      store(key, value, lifetime);
      return 'stored';
    },
    async delete(key) {
      kept.delete(key);
    },
    close: async () => kept.clear(),
  };
}
