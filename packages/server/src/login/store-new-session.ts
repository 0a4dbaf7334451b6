import type { FastifyRequest } from 'fastify';
import type { Connection } from '../connections/connection.ts';
import type { Proof } from '../oauth/authorize/login-prompts.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { User } from '../users/user.ts';
import type { UserStore } from '../users/user-store.ts';
import type { OpenedSession } from './open-session.ts';

export interface SessionStores {
  readonly users: Pick<UserStore, 'recordLogin'>;
  readonly sessions: Pick<SessionStore, 'lockByCookie' | 'end' | 'insert' | 'renew'>;
}

interface NewLogin {
  readonly http: FastifyRequest;
  readonly session: OpenedSession;
  readonly user: User;
  readonly connection: Connection;
  readonly flow: Proof['flow'];
}

/**
 * In one transaction: the browser's session (open-session.ts), and the login counted, which rules are told of. Its event comes
 * with the answer or with the refusal: until then nobody knows which it is. Undefined where the user is gone.
 */
export async function storeNewSession(
  stores: SessionStores,
  { http: { tenant, requester }, session, user, connection, flow }: NewLogin,
): Promise<Proof | undefined> {
  const { tenantId } = tenant;
  const loginsCount = await stores.users.recordLogin(tenantId, user, requester.ip);
  if (loginsCount === undefined) return undefined;
  const device = { user_agent: requester.userAgent, ip: requester.ip };
  if (session.isContinued) await stores.sessions.renew(tenantId, session, device);
  else await stores.sessions.insert(tenantId, session, device);
  const identity = user.identities.find(({ connectionId }) => connectionId === connection.id)?.userId;
  return {
    flow,
    connection: connection.name,
    connectionId: connection.id,
    strategy: connection.strategy,
    ...(identity !== undefined && { identity }),
    loginsCount,
  };
}
