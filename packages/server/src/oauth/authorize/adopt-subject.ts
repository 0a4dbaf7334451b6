import type { FastifyRequest } from 'fastify';
import type { Transact } from '../../db/transact.ts';
import type { TenantCookie } from '../../http/cookies.ts';
import type { LoginTransactionStore } from '../../login/login-transaction-store.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import { ownIdOf } from '../../users/link-identities.ts';
import type { User } from '../../users/user.ts';
import type { UserStore } from '../../users/user-store.ts';
import type { LivingSession } from './find-session.ts';

interface Parts {
  readonly transact: Transact<{
    readonly users: Pick<UserStore, 'lock' | 'find'>;
    readonly sessions: Pick<SessionStore, 'insert' | 'findByCookie'>;
    readonly loginTransactions: Pick<LoginTransactionStore, 'remove'>;
  }>;
  readonly sessionCookie: TenantCookie;
}

export interface Adoption {
  readonly subject: string;
  /** When tenant code was asked: a new password since then ends this login as well. */
  readonly since: Date;
  /** Of the login transaction, which ended with the first user. */
  readonly state: string | undefined;
}

/**
 * Tenant code has linked the user who logged in to another one: linking ended that user, and the session with it. The
 * browser's session goes on as the other user's, who has the identity now. Undefined where it ended for another reason, or
 * where that user may not log in.
 */
export function createSubjectAdoption({ transact, sessionCookie }: Parts) {
  return async function adoptSubject(
    http: FastifyRequest,
    { session, connection }: LivingSession,
    { subject, since, state }: Adoption,
  ): Promise<LivingSession | undefined> {
    const { tenantId } = http.tenant;
    // A session that this very request opened has a cookie that the browser did not send yet.
    const cookie = 'cookie' in session ? String(session.cookie) : sessionCookie.read(http);
    if (!cookie) return undefined;
    const { ip, userAgent } = http.requester;
    return transact(async ({ users, sessions, loginTransactions }) => {
      // What ends all access of this user waits here, or was there first; parallel requests of the browser take turns.
      await users.lock(tenantId, subject);
      const user = await users.find(tenantId, subject);
      if (!user || !mayAdopt(user, session.userId, since)) return undefined;
      // A logout or a new password ended the session of a user who is still there.
      if (await users.find(tenantId, session.userId)) return undefined;
      const known = await sessions.findByCookie(tenantId, cookie);
      if (known) return known.userId === subject ? { session: known, user, connection } : undefined;
      const adopted = { ...session, userId: subject };
      // What ended with the first user is made again: how that one proved who they are.
      const methods = [{ name: 'pwd', timestamp: session.authenticatedAt.toISOString() }];
      await sessions.insert(tenantId, { ...adopted, cookie, methods }, { ip, user_agent: userAgent });
      if (state !== undefined) await loginTransactions.remove(tenantId, state);
      return { session: adopted, user, connection };
    });
  };
}

function mayAdopt({ blocked, lastPasswordReset, identities }: User, linkedId: string, since: Date): boolean {
  const isLinked = identities.some((identity) => ownIdOf(identity) === linkedId);
  return isLinked && !blocked && (lastPasswordReset === undefined || lastPasswordReset <= since);
}

export type AdoptSubject = ReturnType<typeof createSubjectAdoption>;
