import type { TokenCache } from '../caches/token-cache.ts';
import type { ChangeEntry } from '../entries/change-entry.ts';
import type { StoredSession } from '../entries/entry.ts';
import type { SealedEntries } from '../entries/seal-entry.ts';

interface Parts {
  readonly cache: TokenCache;
  readonly entries: SealedEntries;
  readonly changeEntry: ChangeEntry;
}

/**
 * Takes a session out of the cache, with all that leads to it, and gives back the refresh token that is to be revoked. What leads there goes
 * last: where the cache fails on the way, the same access token ends the session at the next attempt. Each step is a compare-and-swap: who
 * rotates at the same time finds that there is no session any more, and drops what it got.
 */
export function createSessionEnd({ cache, entries, changeEntry }: Parts) {
  return async function endSession(accessToken: string): Promise<string | undefined> {
    // To its end, however often somebody refreshed meanwhile: entries that lead on end with their access tokens, so that it has one.
    const path = new Set<string>();
    let refreshToken: string | undefined;
    let token: string | undefined = accessToken;
    while (token !== undefined && !path.has(token)) {
      path.add(token);
      const session: StoredSession | undefined = await takeUnlessForwarded(token);
      refreshToken = session?.refreshToken;
      token = session?.next?.accessToken;
    }
    // It leads to nothing any more, and ends by itself with its access token.
    for (const passed of path) await cache.delete(entries.keyOf(passed)).catch(() => {});
    return refreshToken;
  };

  async function takeUnlessForwarded(accessToken: string): Promise<StoredSession | undefined> {
    let found: StoredSession | undefined;
    await changeEntry(accessToken, ({ session }) => {
      found = session;
      // With its verdict: the guard asks at the next request.
      return session && !session.next ? {} : undefined;
    });
    return found;
  }
}
