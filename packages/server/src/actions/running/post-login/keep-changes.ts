import type { Transact } from '../../../db/transact.ts';
import type { AuditEvent, RecordEvent } from '../../../logs/event.ts';
import type { KnownFacts } from '../../../pipeline/login-facts.ts';
import type { SessionListStore } from '../../../sessions/session-list-store.ts';
import type { SessionStore } from '../../../sessions/session-store.ts';
import { changedByCode } from '../../../users/metadata.ts';
import type { UserStore } from '../../../users/user-store.ts';
import type { PostLogin } from './post-login-commands.ts';

export interface KeepingStores {
  readonly users: Pick<UserStore, 'lock' | 'update'>;
  readonly sessions: Pick<SessionStore, 'end'>;
  readonly sessionLists: Pick<SessionListStore, 'changeMetadata'>;
  readonly tokenGrants: {
    revoke(tenantId: string, grantId: string, now: Date): Promise<unknown>;
    revokeOfSession(tenantId: string, sessionId: string, now: Date): Promise<unknown>;
  };
  readonly record: RecordEvent;
}

interface Parts {
  readonly transact: Transact<KeepingStores>;
  readonly now: () => Date;
}

/** Which of the user's metadata would be larger than code may keep; nothing was kept then. */
export type Refused = 'user_metadata' | 'app_metadata';

export type KeepChanges = ReturnType<typeof createChangeKeeper>;

/** What actions of a login wrote down and ended, also where the login ends here. One transaction; the user's row comes first, as wherever sessions end. */
export function createChangeKeeper({ transact, now }: Parts) {
  return async function keepChanges(
    { tenant, user, session, refreshToken }: KnownFacts,
    login: PostLogin,
    about: Omit<AuditEvent, 'type'>,
  ): Promise<Refused | undefined> {
    const { sessionMetadata, empties, revokesSession, revokesRefreshToken } = login;
    const changesSession = session !== undefined && (empties || Object.keys(sessionMetadata).length > 0);
    const changesUser = Object.keys(login.userMetadata).length + Object.keys(login.appMetadata).length > 0;
    if (!changesUser && !changesSession && !revokesSession && !revokesRefreshToken) return undefined;
    const { tenantId } = tenant;
    return transact(async ({ users, sessions, sessionLists, tokenGrants, record }) => {
      const person = changesUser || revokesSession ? await users.lock(tenantId, user.userId) : undefined;
      if (person && changesUser) {
        const userMetadata = changedByCode(person.userMetadata, login.userMetadata);
        const appMetadata = changedByCode(person.appMetadata, login.appMetadata);
        if (!userMetadata) return 'user_metadata';
        if (!appMetadata) return 'app_metadata';
        await users.update(tenantId, { ...person, userMetadata, appMetadata });
      }
      if (changesSession)
        await sessionLists.changeMetadata(tenantId, session.sessionId, { change: sessionMetadata, empties });
      if (revokesSession && session) {
        await sessions.end(tenantId, { sessionId: session.sessionId }, 'session-revoked', now());
        if (!login.preservesTokens) await tokenGrants.revokeOfSession(tenantId, session.sessionId, now());
      }
      if (revokesRefreshToken && refreshToken) {
        await tokenGrants.revoke(tenantId, refreshToken.grantId, now());
        await record(tenantId, {
          ...about,
          type: 'refreshTokenRevoked',
          details: { token_id: refreshToken.tokenId, ...(session && { session_id: session.sessionId }) },
        });
      }
      return undefined;
    });
  };
}
