import type { FastifyRequest } from 'fastify';
import type { Transact } from '../../db/transact.ts';
import type { TenantCookie } from '../../http/cookies.ts';
import type { LoginTransactionStore } from '../../login/login-transaction-store.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import type { User } from '../../users/user.ts';
import type { LivingSession } from './find-session.ts';

interface Parts {
  readonly transact: Transact<{
    readonly sessions: Pick<SessionStore, 'insert' | 'end'>;
    readonly loginTransactions: Pick<LoginTransactionStore, 'remove'>;
  }>;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly sessionCookie: TenantCookie;
  readonly now: () => Date;
}

/**
 * Tenant code has linked the user who logged in to another one: linking ended that user, and the session with it. The
 * browser's session goes on as the other user's, who has the identity now. Undefined where that user has ended as well.
 */
export function createSubjectAdoption({ transact, findUser, sessionCookie, now }: Parts) {
  return async function adoptSubject(
    http: FastifyRequest,
    { session, connection }: LivingSession,
    subject: string,
    state: string | undefined,
  ): Promise<LivingSession | undefined> {
    const { tenantId } = http.tenant;
    // A session that this very request opened has a cookie that the browser did not send yet.
    const cookie = 'cookie' in session ? String(session.cookie) : sessionCookie.read(http);
    const user = await findUser(tenantId, subject);
    if (!cookie || !user || user.blocked) return undefined;
    const adopted = { ...session, userId: user.userId };
    const { ip, userAgent } = http.requester;
    await transact(async ({ sessions, loginTransactions }) => {
      await sessions.end(tenantId, { sessionId: session.sessionId }, 'session-revoked', now());
      // What ended with the first user is made again: how that one proved who they are.
      const methods = [{ name: 'pwd', timestamp: session.authenticatedAt.toISOString() }];
      const known = { ...adopted, cookie, methods };
      await sessions.insert(tenantId, known, { ip, user_agent: userAgent });
      if (state !== undefined) await loginTransactions.remove(tenantId, state);
    });
    return { session: adopted, user, connection };
  };
}

export type AdoptSubject = ReturnType<typeof createSubjectAdoption>;
