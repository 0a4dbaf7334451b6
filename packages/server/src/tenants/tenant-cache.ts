import { LRUCache } from 'lru-cache';

/** What a process keeps of its tenants' configuration, so that a client-credentials token costs no query. */
export interface TenantCache {
  /** The value under this name, loaded once; `undefined` (not there) is remembered as well. Failures are not. */
  get<Value>(tenantId: string, name: string, load: () => Promise<Value>): Promise<Value>;
  /** Forgets one tenant: after a commit of our own, and when another process tells of its commit. */
  forget(tenantId: string): void;
  forgetAll(): void;
}

interface Entry {
  readonly value: Promise<unknown>;
}

const ENTRIES_PER_TENANT = 2_000;
const TENANTS = 10_000;

/** `isCurrent` answers false while changes of other processes can't be heard: then nothing is kept. */
export function createTenantCache({ isCurrent }: { isCurrent: () => boolean }): TenantCache {
  // A tenant's entries live in a map of their own: forgetting is dropping the map, and a load that began before
  // the change keeps writing into the dropped one, where nobody reads its stale value.
  const tenants = new LRUCache<string, LRUCache<string, Entry>>({ max: TENANTS });

  // Not async: a request asks seven times, and each further promise is one more turn of the queue.
  function get<Value>(tenantId: string, name: string, load: () => Promise<Value>): Promise<Value> {
    if (!isCurrent()) return load();
    const entries = entriesOf(tenantId);
    const known = entries.get(name);
    if (known) return known.value as Promise<Value>;
    const value = load();
    const entry = { value };
    entries.set(name, entry);
    value.catch(() => {
      if (entries.get(name) === entry) entries.delete(name);
    });
    return value;
  }

  function entriesOf(tenantId: string): LRUCache<string, Entry> {
    let entries = tenants.get(tenantId);
    if (!entries) {
      entries = new LRUCache({ max: ENTRIES_PER_TENANT });
      tenants.set(tenantId, entries);
    }
    return entries;
  }

  return { get, forget: (tenantId) => void tenants.delete(tenantId), forgetAll: () => tenants.clear() };
}
