import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ConsentStore } from '../consents/consent-store.ts';
import type { Transact } from '../db/transact.ts';
import { hexId } from '../kit/ids.ts';
import { authorizeErrors, authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';
import type { ConsentQuestion, ConsentQuestionOf } from '../oauth/authorize/consent-question.ts';
import type { FindSession, LivingSession } from '../oauth/authorize/find-session.ts';
import { answered } from '../oauth/authorize/login-prompts.ts';
import { touched } from '../sessions/session.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import { type GuardParts, type GuardStores, guardLogin, whoWas } from './guard-login.ts';
import type { LoginContext } from './login-context.ts';
import type { LoginTransactionStore } from './login-transaction-store.ts';
import type { SendPage } from './send-page.ts';

interface Stores {
  readonly consents: Pick<ConsentStore, 'give'>;
  readonly sessions: Pick<SessionStore, 'touch'>;
  readonly loginTransactions: Pick<LoginTransactionStore, 'progress'>;
}

interface Parts extends GuardParts {
  readonly findSession: FindSession;
  readonly consentQuestion: ConsentQuestionOf;
  readonly transact: Transact<Stores & GuardStores>;
  readonly sendPage: SendPage;
  readonly now: () => Date;
}

interface Asked {
  readonly living: LivingSession;
  /** Undefined where the request has become one that needs no consent. */
  readonly question: ConsentQuestion | undefined;
}

const MAX_FORM_BYTES = 65_536;

/** GET and POST /u/consent: what an application may do, allowed or declined by the user whom this login knows. */
export function consentPageRoutes(app: FastifyInstance, parts: Parts): void {
  const { findSession, consentQuestion, transact, sendPage, now } = parts;
  const guard = guardLogin(parts);

  app.get('/u/consent', { config: { errors: 'page' } }, (http, reply) =>
    guard(http, reply, async (context) => {
      if (!context.transaction.sessionId) return reply.redirect(`/u/login?state=${context.key.state}`, 303);
      const { living, question } = await ask(http, context);
      return question ? show(http, reply, context, living, question) : resume(reply, context);
    }),
  );

  app.post('/u/consent', { config: { errors: 'page' }, bodyLimit: MAX_FORM_BYTES }, (http, reply) =>
    guard(
      http,
      reply,
      async (context, refuse) => {
        const { living, question } = await ask(http, context);
        const { action, scope } = context.fields;
        if (action === 'decline') return refuse(authorizeErrors.consentDeclined(), whoWas(living));
        if (!question) return resume(reply, context);
        // What was shown is what is allowed: an API that has got more scopes since is shown again.
        if (action !== 'accept' || scope !== question.scopes.join(' '))
          return show(http, reply, context, living, question);
        if (!(await accept(http, context, living, question))) throw authorizePageErrors.expired();
        return resume(reply, context);
      },
      'known-user',
    ),
  );

  async function ask(http: FastifyRequest, { transaction, request }: LoginContext): Promise<Asked> {
    const living = await findSession(http, request);
    if (!living || living.session.sessionId !== transaction.sessionId) throw authorizePageErrors.expired();
    return { living, question: await consentQuestion(http.tenant, request, living.user.userId) };
  }

  async function accept(
    { tenant }: FastifyRequest,
    { key, request, transaction }: LoginContext,
    { session }: LivingSession,
    { audience, scopes }: ConsentQuestion,
  ): Promise<boolean> {
    const time = now();
    return transact(async ({ consents, sessions, loginTransactions }) => {
      // Locks the session first: a user who is deleted meanwhile can't have allowed anything.
      if (!(await sessions.touch(tenant.tenantId, session.sessionId, touched(tenant, session, time)))) return false;
      const prompts = answered(transaction.progress.prompts ?? [], time);
      const progress = { hasConsented: true, prompts };
      if (!(await loginTransactions.progress(tenant.tenantId, key.state, progress))) return false;
      const { clientId } = request.client;
      const consent = { id: hexId(), userId: session.userId, clientId, audience, scopes };
      await consents.give(tenant.tenantId, consent, request.target.api?.id);
      return true;
    });
  }

  function show(
    http: FastifyRequest,
    reply: FastifyReply,
    { key, request, csrfToken }: LoginContext,
    { user }: LivingSession,
    { scopes }: ConsentQuestion,
  ): Promise<FastifyReply> {
    const { client, target } = request;
    const descriptions = new Map(target.api?.scopes.map(({ value, description }) => [value, description]));
    return sendPage(http, reply, 'consent', {
      action: `/u/consent?state=${key.state}`,
      state: key.state,
      csrfToken,
      clientName: client.name,
      ...(client.logoUri && { clientLogoUrl: client.logoUri }),
      userName: user.email ?? user.username ?? user.name ?? user.userId,
      ...(target.api && { apiName: target.api.name }),
      scopes: scopes.map((value) => ({
        value,
        ...(descriptions.has(value) && { description: descriptions.get(value) || value }),
      })),
    });
  }
}

function resume(reply: FastifyReply, { key }: LoginContext): FastifyReply {
  return reply.redirect(`/authorize/resume?state=${key.state}`, 303);
}
