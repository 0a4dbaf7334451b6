import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';
import { type FindSession, isFreshEnough, type LivingSession } from '../oauth/authorize/find-session.ts';
import { firstPageOf } from '../oauth/authorize/first-page.ts';
import { type GuardParts, guardLogin } from './guard-login.ts';
import type { LoginContext } from './login-context.ts';
import type { LoginTransactionStore } from './login-transaction-store.ts';
import type { SendPage } from './send-page.ts';

interface Parts extends GuardParts {
  readonly findSession: FindSession;
  readonly transactions: Pick<LoginTransactionStore, 'complete' | 'progress'>;
  readonly sendPage: SendPage;
  readonly now: () => Date;
}

const PATH = '/u/login-select-account';
const MAX_FORM_BYTES = 65_536;

/** GET and POST /u/login-select-account (prompt=select_account): whose session this is, to go on with it or with another account. */
export function accountRoutes(app: FastifyInstance, parts: Parts): void {
  const { findSession, transactions, sendPage, now } = parts;
  const guard = guardLogin(parts);

  app.get(PATH, { config: { errors: 'page' } }, (http, reply) =>
    guard(http, reply, async (context) => {
      if (context.transaction.sessionId) return reply.redirect(`/authorize/resume?state=${context.key.state}`, 303);
      const living = await findSession(http, context.request);
      return living ? show(http, reply, context, living) : reply.redirect(loginPage(context), 303);
    }),
  );

  app.post(PATH, { config: { errors: 'page' }, bodyLimit: MAX_FORM_BYTES }, (http, reply) =>
    guard(http, reply, async (context) => {
      const { key, request, fields } = context;
      const { tenantId } = http.tenant;
      const living = await findSession(http, request);
      if (!living) return reply.redirect(loginPage(context), 303);
      // Another tab has logged somebody else in since the page was shown.
      if (fields.session !== living.session.sessionId) return show(http, reply, context, living);
      if (isFreshEnough(living, request, now())) {
        if (!(await transactions.complete(tenantId, key.state, living.session.sessionId, { bySession: true })))
          throw authorizePageErrors.expired();
        return reply.redirect(`/authorize/resume?state=${key.state}`, 303);
      }
      await transactions.progress(tenantId, key.state, { loginHint: nameOf(living) });
      return reply.redirect(`/u/login?state=${key.state}`, 303);
    }),
  );

  function show(
    http: FastifyRequest,
    reply: FastifyReply,
    context: LoginContext,
    living: LivingSession,
  ): Promise<FastifyReply> {
    const { key, request, csrfToken } = context;
    return sendPage(http, reply, 'select-account', {
      action: `${PATH}?state=${key.state}`,
      state: key.state,
      csrfToken,
      sessionId: living.session.sessionId,
      clientName: request.client.name,
      ...(request.client.logoUri && { clientLogoUrl: request.client.logoUri }),
      accountName: nameOf(living),
      otherUrl: loginPage(context),
    });
  }
}

function nameOf({ user }: LivingSession): string {
  return user.email ?? user.username ?? user.name ?? user.userId;
}

function loginPage({ key, request }: LoginContext): string {
  return `${firstPageOf(request)}?state=${key.state}`;
}
