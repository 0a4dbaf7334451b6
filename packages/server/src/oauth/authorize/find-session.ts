import type { FastifyRequest } from 'fastify';
import { type Connection, isOpenTo } from '../../connections/connection.ts';
import type { TenantCookie } from '../../http/cookies.ts';
import { isAlive, type Session } from '../../sessions/session.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import type { User } from '../../users/user.ts';
import type { LoginRequest } from './authorization-request.ts';

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
    { client, connection: wanted }: Pick<LoginRequest, 'client' | 'connection'>,
  ): Promise<LivingSession | undefined> {
    const { tenant } = http;
    const cookie = sessionCookie.read(http);
    const session = cookie && (await sessions.findByCookie(tenant.tenantId, cookie));
    if (!session || !isAlive(session, tenant, now())) return undefined;
    const user = await findUser(tenant.tenantId, session.userId);
    if (!user || user.blocked) return undefined;
    const connection = await findConnection(tenant.tenantId, session.connectionId);
    if (!connection || !isOpenTo(connection, client)) return undefined;
    if (wanted && wanted.id !== connection.id) return undefined;
    return { session, user, connection };
  };
}

export type FindSession = ReturnType<typeof createSessionFinder>;

/** Whether the session alone answers: it is of the user that is asked for, and nobody has to be asked who they are. */
export function answersRequest(living: LivingSession, request: LoginRequest, now: Date): boolean {
  if (request.prompts.has('select_account')) return false;
  if (request.subject !== undefined && living.session.userId !== request.subject) return false;
  return isFreshEnough(living, request, now);
}

/** Whether the user proved who they are as lately as the request wants it (OpenID Connect Core section 3.1.2.1: max_age, prompt=login). */
export function isFreshEnough(
  { session }: LivingSession,
  { prompts, maxAge }: Pick<LoginRequest, 'prompts' | 'maxAge'>,
  now: Date,
): boolean {
  if (prompts.has('login')) return false;
  return maxAge === undefined || (maxAge > 0 && now.getTime() - session.authenticatedAt.getTime() <= maxAge * 1000);
}
