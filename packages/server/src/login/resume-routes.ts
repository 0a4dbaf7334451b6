import type { FastifyInstance } from 'fastify';
import { authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';
import type { FindSession } from '../oauth/authorize/find-session.ts';
import type { GoOn } from './go-on.ts';
import { type GuardParts, guardLogin } from './guard-login.ts';

interface Parts extends GuardParts {
  readonly findSession: FindSession;
  readonly goOn: GoOn;
}

/** GET /authorize/resume: after the login pages the request goes on with the session of the user whom this very login knows. */
export function resumeRoutes(app: FastifyInstance, parts: Parts): void {
  const { findSession, goOn } = parts;
  const guard = guardLogin(parts);

  app.get('/authorize/resume', { config: { errors: 'page' } }, (http, reply) =>
    guard(http, reply, async (context, refuse) => {
      const { key, transaction, request } = context;
      if (!transaction.sessionId) return reply.redirect(`/u/login?state=${key.state}`, 302);
      const living = await findSession(http, request);
      if (living?.session.sessionId !== transaction.sessionId) throw authorizePageErrors.expired();
      return goOn(http, reply, context, refuse, living);
    }),
  );
}
