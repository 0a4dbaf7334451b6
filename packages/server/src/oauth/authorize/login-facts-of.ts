import type { FastifyRequest } from 'fastify';
import type { LoginFacts } from '../../pipeline/login-facts.ts';
import { shownParameters } from '../shown-parameters.ts';
import type { LoginRequest } from './authorization-request.ts';
import type { LivingSession } from './find-session.ts';
import type { LoginUnderWay } from './proceed.ts';

/** What tenant code is told of a login with a browser: of the request that began it, not of the pages in between. */
export function loginFactsOf(
  { tenant, origin, requester, method }: FastifyRequest,
  request: LoginRequest,
  { session, user, connection }: LivingSession,
  login: Pick<LoginUnderWay, 'hasLoggedIn' | 'resumed'> | undefined,
): LoginFacts {
  const { client, parameters, protocol, target, scope, prompts } = request;
  return {
    tenant,
    origin,
    client,
    connection,
    user,
    session: {
      sessionId: session.sessionId,
      authenticatedAt: session.authenticatedAt,
      isSingleSignOn: !login?.hasLoggedIn,
    },
    request: {
      requester,
      method,
      query: shownParameters(parameters),
      body: {},
    },
    protocol,
    flow: prompts.has('none') ? 'silent' : 'browser',
    target,
    scope,
    redirectUri: parameters.redirect_uri,
    loginsCount: user.loginsCount,
    ...(login?.resumed && { resumed: login.resumed }),
  };
}
