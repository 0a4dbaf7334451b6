import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FormBody } from '../http/body-parsers.ts';
import { isObject } from '../kit/json-values.ts';
import { authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';
import type { FindSession } from '../oauth/authorize/find-session.ts';
import { queryForm } from '../oauth/parameters.ts';
import type { RequestFacts } from '../pipeline/login-facts.ts';
import type { ContinuationStore } from './continuation-store.ts';
import { continueState } from './continue-state.ts';
import type { GoOn } from './go-on.ts';
import { type GuardParts, guardLogin } from './guard-login.ts';
import type { LoginContext } from './login-context.ts';
import { createRefusalQuota } from './refusal-quota.ts';

interface Parts extends GuardParts {
  readonly findSession: FindSession;
  readonly goOn: GoOn;
  readonly continuations: Pick<ContinuationStore, 'restart'>;
  readonly now: () => Date;
}

/** GET and POST /continue: the browser is back from the page that a rule or an action sent it to, and the login goes on. */
export function continueRoutes(app: FastifyInstance, parts: Parts): void {
  const { findSession, goOn, continuations } = parts;
  const count = createRefusalQuota(parts.now);
  const guard = guardLogin({
    ...parts,
    // Who brings no state at all attempts nothing.
    countUnknown: (http) => (continueState(http) === undefined ? undefined : count(http.tenant.tenantId)),
  });

  app.route({
    method: ['GET', 'POST'],
    url: '/continue',
    config: { errors: 'page' },
    bodyLimit: 65_536,
    handler: (http, reply) =>
      guard(
        http,
        reply,
        async (context, refuse) => {
          const { transaction, request, suspended } = context;
          const living = await findSession(http, request);
          if (!suspended || !living || living.session.sessionId !== transaction.sessionId)
            return logInAgain(http, reply, context);
          return goOn(http, reply, context, refuse, living, { suspended, request: requestFacts(http) });
        },
        'continued',
      ),
  });

  /** Logged out meanwhile, or with a new password: the same login asks again who the user is, and code runs from the beginning. */
  async function logInAgain(http: FastifyRequest, reply: FastifyReply, { key }: LoginContext): Promise<FastifyReply> {
    if (!(await continuations.restart(http.tenant.tenantId, key.state))) throw authorizePageErrors.expired();
    return reply.header('cache-control', 'no-store').redirect(`/u/login?state=${key.state}`, 303);
  }
}

/** All that the page sent along: it is meant for tenant code alone. */
function requestFacts(http: FastifyRequest): RequestFacts {
  const { requester, method, body } = http;
  const sent = body instanceof FormBody ? body.form.values : isObject(body) ? body : {};
  return { requester, method, query: without(queryForm(http).values), body: without(sent) };
}

/** A name that would be a prototype in the hands of careless code. */
function without<Value>(values: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name !== '__proto__'));
}
