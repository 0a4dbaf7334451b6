import type { FastifyRequest } from 'fastify';
import type { AuditEvent } from '../../logs/event.ts';
import type { LoginRequest } from './authorization-request.ts';
import type { LivingSession } from './find-session.ts';

/** Single sign-on: silently (ssa), or with the browser at the address (s). */
export function sessionEvent(
  http: FastifyRequest,
  request: LoginRequest,
  { session, user, connection }: LivingSession,
): AuditEvent {
  return {
    ...http.requester,
    type: request.prompts.has('none') ? 'silentAuthSucceeded' : 'loginSucceeded',
    clientId: request.client.clientId,
    clientName: request.client.name,
    connection: connection.name,
    connectionId: connection.id,
    sessionConnection: connection.name,
    strategy: connection.strategy,
    strategyType: 'database',
    userId: user.userId,
    userName: user.email ?? user.username ?? user.userId,
    ...(request.target.audience && { audience: request.target.audience }),
    ...(request.scope && { scope: request.scope }),
    details: { session_id: session.sessionId, prompts: [] },
  };
}
