import type { FastifyInstance } from 'fastify';
import { DeclaredError } from '../kit/errors.ts';
import type { RecordEvent } from '../logs/event.ts';
import { authorizeErrors, authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';
import type { FindSession } from '../oauth/authorize/find-session.ts';
import type { Proceed } from '../oauth/authorize/proceed.ts';
import type { LoginPage } from './begin-login.ts';
import { guardLogin } from './guard-login.ts';
import type { LoginContexts } from './login-context.ts';
import type { LoginProgress, LoginTransactionStore } from './login-transaction-store.ts';

interface Parts {
  readonly contexts: LoginContexts;
  readonly findSession: FindSession;
  readonly proceed: Proceed;
  readonly transactions: Pick<LoginTransactionStore, 'progress'>;
  readonly recordAlone: RecordEvent;
}

/** GET /authorize/resume: after the login pages the request goes on with the session of the user whom this very login knows. */
export function resumeRoutes(app: FastifyInstance, parts: Parts): void {
  const { findSession, proceed, transactions } = parts;
  const guard = guardLogin(parts);

  app.get('/authorize/resume', { config: { errors: 'page' } }, (http, reply) =>
    guard(http, reply, async ({ key, transaction, request, answer }, refuse) => {
      if (!transaction.sessionId) return reply.redirect(`/u/login?state=${key.state}`, 302);
      const living = await findSession(http, request);
      if (living?.session.sessionId !== transaction.sessionId) throw authorizePageErrors.expired();
      // Somebody else logged in than the client asked for: no tokens of theirs (OpenID Connect Core section 3.1.2.2).
      if (request.subject !== undefined && request.subject !== living.user.userId)
        return refuse(authorizeErrors.loginRequired(), { userId: living.user.userId });
      const { bySession = false, hasConsented = false, additions } = transaction.progress;
      const login = { state: key.state, hasLoggedIn: !bySession, hasConsented, additions };
      const interact = async (page: LoginPage, progress: LoginProgress) => {
        if (!(await transactions.progress(http.tenant.tenantId, key.state, progress)))
          throw authorizePageErrors.expired();
        return reply.redirect(`${page}?state=${key.state}`, 303);
      };
      try {
        if (await proceed(http, reply, { request, living, answer, login, interact })) return reply;
      } catch (error) {
        // The client may not have what it asks for: it is told so.
        if (error instanceof DeclaredError && error.status < 500) return refuse(error, { userId: living.user.userId });
        throw error;
      }
      throw authorizePageErrors.expired();
    }),
  );
}
