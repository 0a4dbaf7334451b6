import type { FastifyRequest } from 'fastify';
import type { Connection } from '../../connections/connection.ts';
import type { TenantCookie } from '../../http/cookies.ts';
import { isAlive, type Session } from '../../sessions/session.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import type { User } from '../../users/user.ts';
import type { AuthorizationRequest } from './authorization-request.ts';

interface Parts {
  readonly sessionCookie: TenantCookie;
  readonly sessions: Pick<SessionStore, 'findByCookie'>;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly findConnection: (tenantId: string, connectionId: string) => Promise<Connection | undefined>;
  readonly now: () => Date;
}

export interface LivingSession {
  readonly session: Session;
  readonly user: User;
  readonly connection: Connection;
}

/** The session of the browser, if it is alive and its user, its connection and this client still go together (attacks L7, T3). */
export function createSessionFinder({ sessionCookie, sessions, findUser, findConnection, now }: Parts) {
  return async function findSession(
    http: FastifyRequest,
    { client, connection: wanted }: Pick<AuthorizationRequest, 'client' | 'connection'>,
  ): Promise<LivingSession | undefined> {
    const { tenant } = http;
    const cookie = sessionCookie.read(http);
    const session = cookie && (await sessions.findByCookie(tenant.tenantId, cookie));
    if (!session || !isAlive(session, tenant, now())) return undefined;
    const user = await findUser(tenant.tenantId, session.userId);
    if (!user || user.blocked) return undefined;
    const connection = await findConnection(tenant.tenantId, session.connectionId);
    if (!connection?.enabledClients.includes(client.clientId)) return undefined;
    if (wanted && wanted.id !== connection.id) return undefined;
    return { session, user, connection };
  };
}

export type FindSession = ReturnType<typeof createSessionFinder>;

/** Whether the session is of the user that is asked for, and fresh enough (OpenID Connect Core section 3.1.2.1: id_token_hint, max_age, prompt). */
export function answersRequest(
  { session }: LivingSession,
  { prompt, maxAge, subject }: AuthorizationRequest,
  now: Date,
): boolean {
  if (prompt === 'login' || prompt === 'select_account') return false;
  if (subject !== undefined && session.userId !== subject) return false;
  return maxAge === undefined || (maxAge > 0 && now.getTime() - session.authenticatedAt.getTime() <= maxAge * 1000);
}
