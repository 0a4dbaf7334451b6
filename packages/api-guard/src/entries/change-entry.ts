import type { TokenCache } from '../caches/token-cache.ts';
import type { Entry, StoredVerdict } from './entry.ts';
import type { SealedEntries } from './seal-entry.ts';

/**
 * Reads an access token's entry, and stores what `change` makes of it, unless somebody else wrote in between: then `change` is
 * asked again with what is there now. `change` keeps the fields that are not its own; where it returns undefined nothing is written.
 * Resolves to the entry as it is then; rejects with the cache's error, or with EntryContendedError.
 */
export type ChangeEntry = (accessToken: string, change: (entry: Entry) => Entry | undefined) => Promise<Entry>;

/** Others wrote between each of our reads and writes. */
export class EntryContendedError extends Error {
  readonly code = 'entry_contended';
}

const MOST_TRIES = 10;
/** Longer lifetimes are dates to memcached. A session that lasts longer is kept by the next write of its entry. */
const LONGEST_LIFETIME = 30 * 24 * 3600;

export function createChangeEntry({
  cache,
  entries,
  verdictSeconds = 60,
  refusedSeconds = 5,
  now = Date.now,
}: {
  cache: TokenCache;
  entries: SealedEntries;
  /** For how long a verdict is of use. */
  verdictSeconds?: number;
  /** And one that refuses. */
  refusedSeconds?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}): ChangeEntry {
  return async (accessToken, change) => {
    const key = entries.keyOf(accessToken);
    for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
      const cached = await cache.get(key);
      // What nobody sealed for this token is as good as nothing, and overwritten.
      const before = (cached && entries.open(accessToken, cached.value)) ?? {};
      const after = change(before);
      if (!after) return before;
      const value = entries.seal(accessToken, after);
      const isStored = cached
        ? (await cache.replace(key, value, lifetimeOf(after), cached.version)) === 'stored'
        : await cache.add(key, value, lifetimeOf(after));
      if (isStored) return after;
    }
    throw new EntryContendedError(`Others changed this entry ${MOST_TRIES} times meanwhile.`);
  };

  /** As long as its longest living part: a verdict in the entry of a session shortens nothing. */
  function lifetimeOf({ verdict, session }: Entry): number {
    const ends = Math.max(session?.endsAt ?? 0, verdict ? endOf(verdict) : 0);
    return Math.min(LONGEST_LIFETIME, Math.max(1, Math.ceil(ends - now() / 1000)));
  }

  function endOf(verdict: StoredVerdict): number {
    if (!verdict.active) return verdict.checkedAt + refusedSeconds;
    return Math.min(verdict.checkedAt + verdictSeconds, verdict.expiresAt ?? Number.POSITIVE_INFINITY);
  }
}
