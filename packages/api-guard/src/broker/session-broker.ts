import { createChangeEntry } from '../entries/change-entry.ts';
import type { TokenUser } from '../entries/entry.ts';
import { createSealedEntries } from '../entries/seal-entry.ts';
import { isToken } from '../guard/read-bearer.ts';
import { createSingleFlight } from '../guard/single-flight.ts';
import { type BrokerEvent, checkedBrokerOptions, type SessionBrokerOptions } from './broker-options.ts';
import { createSessionEnd } from './end-session.ts';
import { createSessionRefresh, type Refreshed } from './refresh-session.ts';
import { createRevocations } from './revocations.ts';
import { detailOf, SessionError } from './session-error.ts';
import { createRotationStore } from './store-rotation.ts';
import { type Credentials, createTokenEndpoint } from './token-endpoint.ts';

export type { BrokerEvent, SessionBrokerOptions } from './broker-options.ts';
export type { Refreshed } from './refresh-session.ts';
export { SessionError, type SessionErrorCode } from './session-error.ts';
export type { Credentials } from './token-endpoint.ts';

export interface LoggedIn extends Refreshed {
  /** Absent where neither the ID token nor the access token says. */
  readonly user?: TokenUser;
}

export interface LoggedOut {
  /** False where there was no session: nothing is to be done then, and nothing went wrong. */
  readonly ended: boolean;
  /** False while the server can't be asked: it is told again, and `onEvent` says when that fails for good. */
  readonly revoked: boolean;
}

/** Each rejects with a SessionError. */
export interface SessionBroker {
  login(username: string, password: string, more?: Pick<Credentials, 'realm' | 'forwardedFor'>): Promise<LoggedIn>;
  refresh(accessToken: string): Promise<Refreshed>;
  logout(accessToken: string): Promise<LoggedOut>;
  /**
   * Tries once more what waits to be written or revoked, for `deadlineMs` each, and tells by `onEvent` what was left. The cache is yours to
   * close, afterwards.
   */
  close(): Promise<void>;
}

/**
 * Logs users in by their password and keeps what must not leave the backend: the refresh token lies encrypted in the cache, under the
 * access token that the browser has.
 *
 *     const broker = createSessionBroker({ issuer, audience, clientId, clientSecret, secret, cache });
 *     const { accessToken, expiresAt, user } = await broker.login(email, password);
 */
export function createSessionBroker(given: SessionBrokerOptions): SessionBroker {
  const options = checkedBrokerOptions(given);
  const { cache, now, sessionSeconds } = options;
  const entries = createSealedEntries(options);
  const changeEntry = createChangeEntry({ cache, entries, now });
  const server = createTokenEndpoint(options);
  const revocations = createRevocations({
    server,
    delaysMs: options.revocationDelaysMs,
    closeMs: options.deadlineMs,
    tell,
  });
  const inFlight = createSingleFlight<Refreshed>();
  const discard = (refreshToken: string): void => void revocations.revoke(refreshToken);
  const rotations = createRotationStore({ options, cache, entries, changeEntry, discard, tell });
  const refreshSession = createSessionRefresh({ options, cache, entries, changeEntry, server, rotations });
  const endSession = createSessionEnd({ cache, entries, changeEntry });

  async function logIn(
    username: string,
    password: string,
    { realm, forwardedFor }: Pick<Credentials, 'realm' | 'forwardedFor'> = {},
  ): Promise<LoggedIn> {
    const more = { ...(realm !== undefined && { realm }), ...(forwardedFor !== undefined && { forwardedFor }) };
    const { accessToken, expiresAt, refreshToken, user } = await server.logIn({ username, password, ...more });
    if (refreshToken === undefined)
      throw new SessionError(
        'configuration',
        'The server gave no refresh token: its API must allow offline access, and its client the grant refresh_token.',
      );
    const endsAt = Math.floor(now() / 1000) + sessionSeconds;
    try {
      await changeEntry(accessToken, (entry) => ({
        ...entry,
        session: { endsAt, refreshToken, tokenEndsAt: expiresAt },
      }));
    } catch (cause) {
      // Nobody could refresh it or log out.
      discard(refreshToken);
      throw cause;
    }
    return { accessToken, expiresAt, ...(user && { user }) };
  }

  async function logOut(accessToken: string): Promise<LoggedOut> {
    const refreshToken = await endSession(accessToken);
    if (refreshToken === undefined) return { ended: false, revoked: true };
    return { ended: true, revoked: await revocations.revoke(refreshToken) };
  }

  /** Whatever else fails is the cache: the session is as it was. */
  async function forCallers<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof SessionError) {
        if (cause.code === 'away') tell({ type: 'server_away', message: detailOf(cause) });
        if (cause.code === 'configuration') tell({ type: 'configuration', message: cause.message });
        throw cause;
      }
      const message = cause instanceof Error ? cause.message : String(cause);
      tell({ type: 'cache_away', message });
      throw new SessionError('away', 'The cache can not be asked.', { cause });
    }
  }

  function tell(event: BrokerEvent): void {
    try {
      options.onEvent?.(event);
    } catch {
      // The listener's own trouble ends no session.
    }
  }

  return {
    login: (username, password, more) => forCallers(() => logIn(username, password, more)),
    refresh: (accessToken) =>
      isToken(accessToken)
        ? inFlight(entries.keyOf(accessToken), () => forCallers(() => refreshSession(accessToken)))
        : Promise.reject(new SessionError('unknown_session', 'That is no access token.')),
    logout: (accessToken) =>
      isToken(accessToken) ? forCallers(() => logOut(accessToken)) : Promise.resolve({ ended: false, revoked: true }),
    async close() {
      await rotations.close();
      await revocations.close();
    },
  };
}
