import type { FastifyRequest } from 'fastify';
import type { Connection } from '../connections/connection.ts';
import type { AuditEvent, RecordEvent } from '../logs/event.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { User } from '../users/user.ts';
import type { UserStore } from '../users/user-store.ts';
import type { OpenedSession } from './open-session.ts';

export interface SessionStores {
  readonly users: Pick<UserStore, 'recordLogin'>;
  readonly sessions: Pick<SessionStore, 'lockByCookie' | 'end' | 'insert' | 'renew'>;
  readonly record: RecordEvent;
}

interface NewLogin {
  readonly http: FastifyRequest;
  readonly session: OpenedSession;
  readonly user: User;
  readonly event: Omit<AuditEvent, 'type'>;
  /** The prompt that the user answered, as the event names it. */
  readonly prompt: { readonly name: string; readonly flow: string; readonly connection: Connection };
  readonly now: Date;
}

/** In one transaction: the browser's session (open-session.ts), the login counted, and its event. False where the user is gone. */
export async function recordNewSession(
  stores: SessionStores,
  { http: { tenant, requester }, session, user, event, prompt, now }: NewLogin,
): Promise<boolean> {
  const { tenantId } = tenant;
  const { userId, email, username } = user;
  const loginsCount = await stores.users.recordLogin(tenantId, user, requester.ip);
  if (loginsCount === undefined) return false;
  const device = { user_agent: requester.userAgent, ip: requester.ip };
  if (session.isContinued) await stores.sessions.renew(tenantId, session, device);
  else await stores.sessions.insert(tenantId, session, device);
  const completedAt = now.getTime();
  const { name, flow, connection } = prompt;
  await stores.record(tenantId, {
    ...event,
    type: 'loginSucceeded',
    userId,
    userName: email ?? username ?? userId,
    details: {
      prompts: [
        {
          name,
          connection: connection.name,
          connection_id: connection.id,
          strategy: connection.strategy,
          flow,
          completedAt,
        },
      ],
      completedAt,
      session_id: session.sessionId,
      stats: { loginsCount },
    },
  });
  return true;
}
