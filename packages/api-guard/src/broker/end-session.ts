import type { TokenCache } from '../caches/token-cache.ts';
import type { ChangeEntry } from '../entries/change-entry.ts';
import type { StoredSession } from '../entries/entry.ts';
import type { SealedEntries } from '../entries/seal-entry.ts';

interface Parts {
  readonly cache: TokenCache;
  readonly entries: SealedEntries;
  readonly changeEntry: ChangeEntry;
}

/** A session is refreshed less often than this within the time that old access tokens lead on. */
const MOST_FORWARDS = 20;

/**
 * Takes a session out of the cache, with all that leads to it, and gives back the refresh token that is to be revoked. Each step is a
 * compare-and-swap: who rotates at the same time finds that there is no session any more, and drops what it got.
 */
export function createSessionEnd({ cache, entries, changeEntry }: Parts) {
  return async function endSession(accessToken: string): Promise<string | undefined> {
    let token: string | undefined = accessToken;
    for (let step = 0; token !== undefined && step < MOST_FORWARDS; step++) {
      const taken = await take(token);
      await cache.delete(entries.keyOf(token));
      if (taken?.refreshToken !== undefined) return taken.refreshToken;
      token = taken?.next?.accessToken;
    }
    return undefined;
  };

  async function take(accessToken: string): Promise<StoredSession | undefined> {
    let taken: StoredSession | undefined;
    await changeEntry(accessToken, ({ session }) => {
      taken = session;
      // With its verdict: the guard asks at the next request.
      return session && {};
    });
    return taken;
  }
}
