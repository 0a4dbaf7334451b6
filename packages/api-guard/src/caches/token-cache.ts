/**
 * Where entries live: memcached for the services of a company, memory for one process. Keys are ours (hashes, below 250 bytes),
 * values are text below 1 MB, lifetimes are whole seconds (memcached's unit), at most 30 days.
 *
 * Each call fails with a `CacheAwayError` where the cache can't be asked in time; the guard then asks the token service.
 */
export interface TokenCache {
  get(key: string): Promise<Cached | undefined>;
  set(key: string, value: string, lifetimeSeconds: number): Promise<void>;
  /** True where nothing was there before. */
  add(key: string, value: string, lifetimeSeconds: number): Promise<boolean>;
  /** Stores where the entry is still the one that `version` was read with. */
  replace(
    key: string,
    value: string,
    lifetimeSeconds: number,
    version: string,
  ): Promise<'stored' | 'changed' | 'missing'>;
  delete(key: string): Promise<void>;
  close(): Promise<void>;
}

export interface Cached {
  readonly value: string;
  /** Changes with each write (memcached's CAS number). */
  readonly version: string;
}

export class CacheAwayError extends Error {
  readonly code = 'cache_away';
}
