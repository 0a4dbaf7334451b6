import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FormBody } from '../../http/body-parsers.ts';
import type { Form } from '../../http/form.ts';
import { DeclaredError } from '../../kit/errors.ts';
import type { BeginLogin, LoginPage } from '../../login/begin-login.ts';
import type { RedeemedTicket } from '../../login/embedded/redeem-login-ticket.ts';
import type { LoginProgress } from '../../login/login-transaction-store.ts';
import type { SuspendLogin } from '../../login/suspend-login.ts';
import type { AuditEvent, RecordEvent } from '../../logs/event.ts';
import { aboutOf, descriptionOf, explanationOf } from '../../logs/explain-error.ts';
import type { Redirect } from '../../pipeline/outcome.ts';
import { queryForm } from '../parameters.ts';
import type { AnswerAuthorization } from './answer-authorization.ts';
import type { AuthorizationRequest, ReturnAddress } from './authorization-request.ts';
import type { AuthorizationChecks } from './authorize.ts';
import { authorizeErrors } from './authorize-errors.ts';
import { answersRequest, type FindSession } from './find-session.ts';
import { firstPageOf } from './first-page.ts';
import type { Proceed } from './proceed.ts';
import type { ResolveRequest } from './resolve-request.ts';
import type { Responder } from './respond.ts';

interface Parts {
  readonly resolveRequest: ResolveRequest;
  readonly checks: AuthorizationChecks;
  readonly findSession: FindSession;
  readonly proceed: Proceed;
  readonly answerAuthorization: AnswerAuthorization;
  readonly responder: Responder;
  readonly beginLogin: BeginLogin;
  readonly suspendLogin: SuspendLogin;
  /** Logs the browser in with a ticket of an application's own login form. */
  readonly redeemLoginTicket: (
    http: FastifyRequest,
    reply: FastifyReply,
    request: AuthorizationRequest,
    ticket: string,
  ) => Promise<RedeemedTicket>;
  readonly recordAlone: RecordEvent;
  readonly now: () => Date;
}

/** GET and POST /authorize (OpenID Connect Core section 3.1.2.1). */
export function authorizeRoutes(app: FastifyInstance, parts: Parts): void {
  const { resolveRequest, checks, findSession, proceed, answerAuthorization, responder, recordAlone, now } = parts;
  const { beginLogin, suspendLogin } = parts;

  app.route({
    method: ['GET', 'POST'],
    url: '/authorize',
    config: { errors: 'page' },
    bodyLimit: 65_536,
    handler: async (http, reply) => {
      const sent = http.body instanceof FormBody ? http.body.form : queryForm(http);
      let form: Form;
      try {
        form = await resolveRequest(http.tenant, http.origin, sent);
      } catch (error) {
        return refuseUnresolved(http, reply, sent, error);
      }
      const address = await addressOrEvent(http, form);
      try {
        return await answer(http, reply, await checks.authorizationRequest(http.tenant, address, form), form);
      } catch (error) {
        if (!(error instanceof DeclaredError) || error.status >= 500) throw error;
        await recordAlone(http.tenant.tenantId, { ...failure(http, form, error), clientName: address.client.name });
        return responder.respondError(http, reply, address, error);
      }
    },
  });

  /** Nothing is known of the request itself: it is told at an address that is named beside it and proven, or on a page. */
  async function refuseUnresolved(
    http: FastifyRequest,
    reply: FastifyReply,
    sent: Form,
    error: unknown,
  ): Promise<FastifyReply> {
    if (!(error instanceof DeclaredError) || error.status >= 500) throw error;
    await recordAlone(http.tenant.tenantId, failure(http, sent, error));
    if (!sent.values.redirect_uri) throw error;
    return responder.respondError(http, reply, await checks.returnAddress(http.tenant, sent), error);
  }

  async function addressOrEvent(http: FastifyRequest, form: Form): Promise<ReturnAddress> {
    try {
      return await checks.returnAddress(http.tenant, form);
    } catch (error) {
      if (error instanceof DeclaredError && error.status < 500)
        await recordAlone(http.tenant.tenantId, failure(http, form, error));
      throw error;
    }
  }

  async function answer(
    http: FastifyRequest,
    reply: FastifyReply,
    request: AuthorizationRequest,
    form: Form,
  ): Promise<FastifyReply> {
    const login = { kind: 'authorize', clientId: request.client.clientId, request: form.values } as const;
    const { login_ticket: ticket } = form.values;
    if (ticket) {
      const initiatedAt = now().getTime();
      const { living, prompts } = await parts.redeemLoginTicket(http, reply, request, ticket);
      const { sessionId } = living.session;
      const interact = (page: LoginPage, progress: LoginProgress) =>
        beginLogin(http, reply, { ...login, sessionId, progress: { initiatedAt, ...progress } }, page);
      const leave = (redirect: Redirect, progress: LoginProgress) =>
        suspendLogin(http, reply, { ...login, sessionId, progress: { initiatedAt, ...progress } }, redirect);
      const answer = answerAuthorization(request);
      const under = { hasLoggedIn: true, hasConsented: false, initiatedAt, prompts };
      if (await proceed(http, reply, { request, living, answer, interact, leave, login: under })) return reply;
      throw authorizeErrors.loginRequired();
    }
    const living = await findSession(http, request);
    if (living && answersRequest(living, request, now())) {
      const { sessionId } = living.session;
      const interact = (page: LoginPage, progress: LoginProgress) =>
        beginLogin(http, reply, { ...login, sessionId, progress: { ...progress, bySession: true } }, page);
      const leave = (redirect: Redirect, progress: LoginProgress) =>
        suspendLogin(http, reply, { ...login, sessionId, progress: { ...progress, bySession: true } }, redirect);
      const answer = answerAuthorization(request);
      if (await proceed(http, reply, { request, living, answer, interact, leave })) return reply;
    }
    if (request.prompts.has('none')) throw authorizeErrors.loginRequired();
    if (living && request.prompts.has('select_account'))
      return beginLogin(http, reply, login, '/u/login-select-account');
    return beginLogin(http, reply, login, firstPageOf(request));
  }
}

const LOGGED_PARAMETERS = [
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'audience',
  'connection',
  'prompt',
  'max_age',
];

function failure(http: FastifyRequest, form: Form, error: DeclaredError): AuditEvent {
  const qs = Object.fromEntries(
    LOGGED_PARAMETERS.flatMap((name) => (form.values[name] ? [[name, form.values[name].slice(0, 512)]] : [])),
  );
  return {
    ...http.requester,
    type: form.values.prompt === 'none' ? 'silentAuthFailed' : 'loginFailed',
    ...(form.values.client_id && { clientId: form.values.client_id.slice(0, 128) }),
    ...aboutOf(error),
    description: descriptionOf(error),
    details: {
      qs,
      error: {
        message: descriptionOf(error),
        oauthError: error.code,
        type: error.code === 'callback-mismatch' ? 'callback-url-mismatch' : 'request-error',
      },
      ...explanationOf(error),
    },
  };
}
