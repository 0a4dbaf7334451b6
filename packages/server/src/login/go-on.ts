import type { FastifyReply, FastifyRequest } from 'fastify';
import { DeclaredError } from '../kit/errors.ts';
import { authorizeErrors, authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';
import type { LivingSession } from '../oauth/authorize/find-session.ts';
import { answered } from '../oauth/authorize/login-prompts.ts';
import type { Proceed } from '../oauth/authorize/proceed.ts';
import type { Resumed } from '../pipeline/login-facts.ts';
import type { LoginPage } from './begin-login.ts';
import { type Refuse, whoWas } from './guard-login.ts';
import type { LoginContext } from './login-context.ts';
import type { LoginProgress, LoginTransactionStore } from './login-transaction-store.ts';
import type { SuspendLogin } from './suspend-login.ts';

interface Parts {
  readonly proceed: Proceed;
  readonly suspendLogin: SuspendLogin;
  readonly transactions: Pick<LoginTransactionStore, 'progress'>;
  readonly now: () => Date;
}

/** From the user whom a login knows to the answer, after the login pages or after a page of the tenant's. */
export function createGoOn({ proceed, suspendLogin, transactions, now }: Parts) {
  return async function goOn(
    http: FastifyRequest,
    reply: FastifyReply,
    { key: { state }, transaction, request, answer }: LoginContext,
    refuse: Refuse,
    living: LivingSession,
    resumed?: Resumed,
  ): Promise<FastifyReply> {
    const { tenantId } = http.tenant;
    const { userId } = living.user;
    const { bySession = false, hasConsented = false, additions, initiatedAt, prompts = [] } = transaction.progress;
    // Somebody else logged in than the client asked for: no tokens of theirs (OpenID Connect Core section 3.1.2.2). Who was
    // linked by tenant code before the question for consent is the same person.
    const isLinked = additions?.subject === userId;
    if (request.subject !== undefined && request.subject !== userId && !isLinked)
      return refuse(authorizeErrors.loginRequired(), whoWas(living));
    const login = {
      state,
      hasLoggedIn: !bySession,
      hasConsented,
      initiatedAt,
      prompts: resumed ? answered(prompts, now()) : prompts,
      additions,
      ...(resumed && { resumed }),
    };
    const interact = async (page: LoginPage, progress: LoginProgress) => {
      if (!(await transactions.progress(tenantId, state, progress))) throw authorizePageErrors.expired();
      return reply.redirect(`${page}?state=${state}`, 303);
    };
    try {
      const isAnswered = await proceed(http, reply, {
        request,
        living,
        answer,
        login,
        interact,
        leave: (redirect, progress) =>
          suspendLogin(http, reply, { state, isBack: resumed !== undefined, progress }, redirect),
      });
      if (isAnswered) return reply;
    } catch (error) {
      if (!(error instanceof DeclaredError) || error.status >= 500) throw error;
      // The client may not have what it asks for: it is told so.
      return refuse(error, whoWas(living));
    }
    throw authorizePageErrors.expired();
  };
}

export type GoOn = ReturnType<typeof createGoOn>;
