import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenCache } from '../caches/token-cache.ts';
import type { ChangeEntry } from '../entries/change-entry.ts';
import type { StoredSession } from '../entries/entry.ts';
import type { SealedEntries } from '../entries/seal-entry.ts';
import type { BrokerEvent, CheckedBrokerOptions } from './broker-options.ts';
import type { Tokens } from './token-endpoint.ts';

export interface Rotation {
  /** The old one, and what it was good for. */
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly issued: Tokens;
}

export type RotationStore = ReturnType<typeof createRotationStore>;

interface Parts {
  readonly options: Pick<CheckedBrokerOptions, 'sessionSeconds' | 'forwardSeconds' | 'deadlineMs' | 'now'>;
  readonly cache: TokenCache;
  readonly entries: SealedEntries;
  readonly changeEntry: ChangeEntry;
  /** Ends what nobody will use. */
  readonly discard: (refreshToken: string) => void;
  readonly tell: (event: BrokerEvent) => void;
}

/** While the caller waits, and its lock lasts: a call that took too long, or a server that comes back. */
const AT_ONCE_MS = [25, 100, 300, 600];
/** Afterwards: a cache that was away for longer still has the old entry, and the server's leeway is over by then. */
const LATER_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000, ...Array.from({ length: 10 }, () => 60_000)];
const MOST_KEPT = 1_000;

/**
 * Writes what the server has rotated. From then on the old refresh token is worth nothing but a leeway, so that a cache that can't be
 * written is tried again for ten minutes, and meanwhile this process knows the new tokens.
 */
export function createRotationStore({ options, cache, entries, changeEntry, discard, tell }: Parts) {
  const { sessionSeconds, forwardSeconds, deadlineMs, now } = options;
  const kept = new Map<string, { readonly rotation: Rotation; timer?: NodeJS.Timeout }>();
  const seconds = () => Math.floor(now() / 1000);

  /** What the old access token leads to then; a session that others have ended or rotated meanwhile is theirs. */
  async function write({ accessToken, refreshToken, issued }: Rotation): Promise<StoredSession | undefined> {
    const { accessToken: newToken, expiresAt, refreshToken: successor = refreshToken } = issued;
    const renewed = { endsAt: seconds() + sessionSeconds, refreshToken: successor, tokenEndsAt: expiresAt };
    if (newToken === accessToken) {
      // JWTs without an id, as Auth0's, are the same where they were made in one second: this one leads nowhere but to itself.
      const { session } = await changeEntry(accessToken, (entry) =>
        entry.session?.refreshToken === refreshToken ? { ...entry, session: renewed } : undefined,
      );
      if (!session) discard(successor);
      return session;
    }
    // First the new entry: a crash in between leaves the old refresh token, which the server takes once more within its leeway.
    await changeEntry(newToken, (entry) => ({ ...entry, session: renewed }));
    const next = { accessToken: newToken, expiresAt, rotatedAt: seconds() };
    const { session } = await changeEntry(accessToken, (entry) =>
      entry.session?.refreshToken === refreshToken
        ? { ...entry, session: { endsAt: leadsOnUntil(entry.session, next.rotatedAt), next } }
        : undefined,
    );
    if (session?.next?.accessToken === newToken) return session;
    // Somebody logged out meanwhile, or another process was faster than a lock that ended: nobody has seen our token.
    if (!session) discard(successor);
    await cache.delete(entries.keyOf(newToken)).catch(() => {});
    return session;
  }

  /** A logout by the old access token ends the session for as long as that token is one: a thief may have refreshed first. */
  function leadsOnUntil({ tokenEndsAt = 0 }: StoredSession, rotatedAt: number): number {
    return Math.max(tokenEndsAt, rotatedAt + forwardSeconds);
  }

  async function store(rotation: Rotation): Promise<StoredSession | undefined> {
    const key = entries.keyOf(rotation.accessToken);
    for (const delay of AT_ONCE_MS) {
      const written = await writeAndForget(key, rotation).catch(() => 'failed' as const);
      if (written !== 'failed') return written;
      await sleep(delay);
    }
    try {
      return await writeAndForget(key, rotation);
    } catch (cause) {
      keep(key, rotation, cause);
      throw cause;
    }
  }

  async function writeAndForget(key: string, rotation: Rotation): Promise<StoredSession | undefined> {
    const session = await write(rotation);
    forget(key);
    return session;
  }

  function keep(key: string, rotation: Rotation, cause: unknown): void {
    const message = cause instanceof Error ? cause.message : String(cause);
    if (kept.has(key)) return;
    if (kept.size >= MOST_KEPT) tell({ type: 'write_failed', message });
    else {
      kept.set(key, { rotation });
      tell({ type: 'write_delayed', message });
      later(key, 0);
    }
  }

  function later(key: string, attempt: number): void {
    const found = kept.get(key);
    const delay = LATER_MS[attempt];
    if (!found) return;
    if (delay === undefined) {
      forget(key);
      tell({ type: 'write_failed', message: 'A rotated session could not be written: its user logs in again.' });
      return;
    }
    found.timer = setTimeout(() => {
      void writeKept(key).then((isWritten) => isWritten || later(key, attempt + 1));
    }, delay).unref();
  }

  async function writeKept(key: string): Promise<boolean> {
    const found = kept.get(key);
    return (
      !found ||
      writeAndForget(key, found.rotation).then(
        () => true,
        () => false,
      )
    );
  }

  function forget(key: string): void {
    clearTimeout(kept.get(key)?.timer);
    kept.delete(key);
  }

  return {
    store,
    /** What the server gave for this refresh token already. */
    find(accessToken: string, refreshToken: string): Rotation | undefined {
      const rotation = kept.get(entries.keyOf(accessToken))?.rotation;
      return rotation?.refreshToken === refreshToken ? rotation : undefined;
    },
    /** Tries once more what waits, and says what is lost. */
    async close(): Promise<void> {
      const closing = new AbortController();
      const all = Promise.all([...kept.keys()].map(writeKept));
      await Promise.race([all, sleep(deadlineMs, undefined, { signal: closing.signal }).catch(() => {})]);
      closing.abort();
      const left = kept.size;
      for (const key of [...kept.keys()]) forget(key);
      if (left > 0) tell({ type: 'write_failed', message: `${left} rotated sessions were not written.` });
    },
  };
}
