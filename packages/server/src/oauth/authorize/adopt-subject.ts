import type { FastifyRequest } from 'fastify';
import type { Transact } from '../../db/transact.ts';
import type { TenantCookie } from '../../http/cookies.ts';
import type { JoinedAccountStore } from '../../sessions/joined-account-store.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import { ownIdOf } from '../../users/link-identities.ts';
import type { User } from '../../users/user.ts';
import type { UserStore } from '../../users/user-store.ts';
import type { LivingSession } from './find-session.ts';

interface Parts {
  readonly transact: Transact<{
    readonly users: Pick<UserStore, 'lock' | 'find'>;
    readonly sessions: Pick<SessionStore, 'insert' | 'findByCookie'>;
    readonly joinedAccounts: Pick<JoinedAccountStore, 'takeSession'>;
  }>;
  readonly sessionCookie: TenantCookie;
}

/**
 * Tenant code has linked the user who logged in to another one: linking ended that user, and the session with it. The
 * browser's session goes on as the other user's, who has the identity now. Undefined where it ended for another reason (a
 * logout, a new password, a block: before the link or after it), or where that user may not log in.
 */
export function createSubjectAdoption({ transact, sessionCookie }: Parts) {
  return async function adoptSubject(
    http: FastifyRequest,
    { session, connection }: LivingSession,
    subject: string,
  ): Promise<LivingSession | undefined> {
    const { tenantId } = http.tenant;
    // A session that this very request opened has a cookie that the browser did not send yet.
    const cookie = 'cookie' in session ? String(session.cookie) : sessionCookie.read(http);
    if (!cookie) return undefined;
    const { ip, userAgent } = http.requester;
    const { sessionId, userId: accountId } = session;
    return transact(async ({ users, sessions, joinedAccounts }) => {
      // What ends all access of this user waits here, or was there first; parallel requests of the browser take turns.
      await users.lock(tenantId, subject);
      const user = await users.find(tenantId, subject);
      if (!user || user.blocked || !isLinked(user, accountId)) return undefined;
      const known = await sessions.findByCookie(tenantId, cookie);
      if (known) return known.userId === subject ? { session: known, user, connection } : undefined;
      if (!(await joinedAccounts.takeSession(tenantId, { accountId, userId: subject }, { sessionId, cookie })))
        return undefined;
      const adopted = { ...session, userId: subject };
      // What ended with the first user is made again: how that one proved who they are.
      const methods = [{ name: 'pwd', timestamp: session.authenticatedAt.toISOString() }];
      await sessions.insert(tenantId, { ...adopted, cookie, methods }, { ip, user_agent: userAgent });
      return { session: adopted, user, connection };
    });
  };
}

function isLinked({ identities }: User, accountId: string): boolean {
  return identities.some((identity) => ownIdOf(identity) === accountId);
}

export type AdoptSubject = ReturnType<typeof createSubjectAdoption>;
