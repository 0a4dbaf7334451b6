import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenCache } from '../caches/token-cache.ts';
import type { ChangeEntry } from '../entries/change-entry.ts';
import type { StoredSession } from '../entries/entry.ts';
import type { SealedEntries } from '../entries/seal-entry.ts';
import type { CheckedBrokerOptions } from './broker-options.ts';
import { createRotationLock } from './rotation-lock.ts';
import { SessionError } from './session-error.ts';
import type { Rotation, RotationStore } from './store-rotation.ts';
import type { TokenEndpoint, Tokens } from './token-endpoint.ts';

export interface Refreshed {
  readonly accessToken: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

interface Parts {
  readonly options: Pick<CheckedBrokerOptions, 'forwardSeconds' | 'deadlineMs' | 'now'>;
  readonly cache: TokenCache;
  readonly entries: SealedEntries;
  readonly changeEntry: ChangeEntry;
  readonly server: Pick<TokenEndpoint, 'refresh'>;
  readonly rotations: Pick<RotationStore, 'store' | 'find'>;
}

const POLL_MS = { least: 15, most: 60 };

/** One rotation for all who ask with the same access token, in whichever process: all get the same new one. */
export function createSessionRefresh({ options, cache, entries, changeEntry, server, rotations }: Parts) {
  const { forwardSeconds, deadlineMs, now } = options;
  // Longer than a request to the server may take, so that it ends before its work only after a crash.
  const lockSeconds = Math.ceil(deadlineMs / 1000) + 2;
  // A crash, and the one who comes after it.
  const patienceMs = lockSeconds * 1000 + deadlineMs + 1_000;
  const withLock = createRotationLock({ cache, seconds: lockSeconds });
  const seconds = () => Math.floor(now() / 1000);

  async function refresh(accessToken: string): Promise<Refreshed> {
    const key = entries.keyOf(accessToken);
    const began = performance.now();
    for (;;) {
      const known = follow(await read(accessToken));
      if ('accessToken' in known) return known;
      const result = await withLock(key, async () => {
        // Somebody may have rotated between the look and the lock.
        const current = follow(await read(accessToken));
        return 'accessToken' in current ? current : rotate(accessToken, current.refreshToken);
      });
      if (result) return result;
      if (performance.now() - began > patienceMs)
        throw new SessionError('away', 'Another process did not finish in time.');
      await sleep(POLL_MS.least + Math.random() * (POLL_MS.most - POLL_MS.least));
    }
  }

  async function read(accessToken: string): Promise<StoredSession | undefined> {
    const cached = await cache.get(entries.keyOf(accessToken));
    return cached && entries.open(accessToken, cached.value)?.session;
  }

  /** The new access token where there is one, else the refresh token that gets it. */
  function follow(session: StoredSession | undefined): Refreshed | { readonly refreshToken: string } {
    const { next, refreshToken } = session ?? {};
    if (next && seconds() < next.rotatedAt + forwardSeconds)
      return { accessToken: next.accessToken, expiresAt: next.expiresAt };
    if (next || refreshToken === undefined || (session?.endsAt ?? 0) <= seconds()) throw unknownSession();
    return { refreshToken };
  }

  async function rotate(accessToken: string, refreshToken: string): Promise<Refreshed> {
    const known = rotations.find(accessToken, refreshToken);
    if (known) return write(known);
    let issued: Tokens;
    try {
      issued = await server.refresh(refreshToken);
    } catch (error) {
      if (error instanceof SessionError && error.code === 'session_ended')
        return endOrFollow(accessToken, refreshToken, error);
      throw error;
    }
    return write({ accessToken, refreshToken, issued });
  }

  async function write(rotation: Rotation): Promise<Refreshed> {
    const { accessToken, expiresAt } = rotation.issued;
    const session = await rotations.store(rotation);
    // Ours leads on though old tokens lead nowhere (forwardSeconds 0), or is the old one itself.
    const isOurs = session?.next ? session.next.accessToken === accessToken : accessToken === rotation.accessToken;
    return session && isOurs ? { accessToken, expiresAt } : followed(session);
  }

  /** What the server refuses is over, unless another process has rotated it. */
  async function endOrFollow(accessToken: string, refreshToken: string, error: SessionError): Promise<Refreshed> {
    const { session } = await changeEntry(accessToken, ({ session, ...others }) =>
      session?.refreshToken === refreshToken ? others : undefined,
    );
    if (session?.next) return followed(session);
    throw error;
  }

  function followed(session: StoredSession | undefined): Refreshed {
    const known = follow(session);
    if ('accessToken' in known) return known;
    throw new SessionError('away', 'The session changed meanwhile.');
  }

  return refresh;
}

function unknownSession(): SessionError {
  return new SessionError('unknown_session', 'The access token belongs to no session.');
}
