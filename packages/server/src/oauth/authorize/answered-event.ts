import type { FastifyRequest } from 'fastify';
import type { AuditEvent } from '../../logs/event.ts';
import { type User, userNameOf } from '../../users/user.ts';
import type { LoginRequest } from './authorization-request.ts';
import type { LivingSession } from './find-session.ts';
import type { Prompt } from './login-prompts.ts';
import type { LoginUnderWay } from './proceed.ts';

/**
 * What the log tells of a request that nothing stands in the way of any more: a login, or single sign-on with the browser at
 * the address (s) or silently (ssa). Undefined where it is told already.
 */
export function answeredEvent(
  http: FastifyRequest,
  request: LoginRequest,
  { session, user, connection }: LivingSession,
  login: LoginUnderWay | undefined,
  now: Date,
): AuditEvent | undefined {
  const prompts = login?.prompts ?? [];
  const proof = prompts.find((prompt) => prompt.proof)?.proof;
  const hasLoggedIn = login?.hasLoggedIn ?? false;
  // A server from before this event came last told of the login when the password was right.
  if (hasLoggedIn && !proof) return undefined;
  return {
    ...http.requester,
    type: !hasLoggedIn && request.prompts.has('none') ? 'silentAuthSucceeded' : 'loginSucceeded',
    clientId: request.client.clientId,
    clientName: request.client.name,
    connection: connection.name,
    connectionId: connection.id,
    ...(!hasLoggedIn && { sessionConnection: connection.name, sessionConnectionId: connection.id }),
    strategy: connection.strategy,
    strategyType: 'database',
    userId: user.userId,
    userName: userNameOf(user),
    ...(request.target.audience && { audience: request.target.audience }),
    ...(request.scope && { scope: request.scope }),
    details: {
      prompts: prompts.map((prompt) => promptOf(prompt, user)),
      ...(login?.initiatedAt !== undefined && timesOf(login.initiatedAt, now.getTime())),
      session_id: session.sessionId,
      ...(proof && { stats: { loginsCount: proof.loginsCount } }),
    },
  };
}

/** Of the user whom the login ended with: tenant code may have linked the one who logged in. */
function promptOf({ name, initiatedAt, completedAt = initiatedAt, proof }: Prompt, user: User) {
  return {
    name,
    ...timesOf(initiatedAt, completedAt),
    ...(proof && {
      flow: proof.flow,
      connection: proof.connection,
      connection_id: proof.connectionId,
      strategy: proof.strategy,
      ...(proof.identity !== undefined && { identity: proof.identity }),
      user_id: user.userId,
      user_name: userNameOf(user),
      stats: { loginsCount: proof.loginsCount },
    }),
  };
}

function timesOf(initiatedAt: number, completedAt: number) {
  return { initiatedAt, completedAt, elapsedTime: completedAt - initiatedAt };
}
