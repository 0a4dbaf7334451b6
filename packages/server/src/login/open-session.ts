import { isAlive, type NewSession, startSession } from '../sessions/session.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { Tenant } from '../tenants/tenant.ts';

export interface OpenedSession extends NewSession {
  /** It goes on under the id that the browser's applications know. */
  readonly isContinued: boolean;
}

interface Login {
  readonly tenant: Tenant;
  readonly userId: string;
  readonly connectionId: string;
  /** Of the session that the browser had before. */
  readonly oldCookie: string | undefined;
  readonly now: Date;
}

/**
 * The session that a login gives to its browser, under a new cookie always: one that was planted is worth nothing (attack L6).
 * Where the same user proves again who they are, the session goes on: nobody has logged out, and a later logout reaches the
 * applications from before as well. Somebody else's ends, and its applications hear of it.
 */
export async function openSession(
  sessions: Pick<SessionStore, 'lockByCookie' | 'end'>,
  { tenant, userId, connectionId, oldCookie, now }: Login,
): Promise<OpenedSession> {
  const { tenantId } = tenant;
  const started = startSession(tenant, userId, connectionId, now);
  const old = oldCookie === undefined ? undefined : await sessions.lockByCookie(tenantId, oldCookie);
  if (!old) return { ...started, isContinued: false };
  const { sessionId } = old;
  const lived = isAlive(old, tenant, now);
  if (lived && old.userId === userId) return { ...started, sessionId, isContinued: true };
  await sessions.end(tenantId, { sessionId }, lived ? 'session-revoked' : 'session-expired', now);
  return { ...started, isContinued: false };
}
