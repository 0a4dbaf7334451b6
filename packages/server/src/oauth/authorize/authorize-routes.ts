import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FormBody } from '../../http/body-parsers.ts';
import type { Form } from '../../http/form.ts';
import { DeclaredError } from '../../kit/errors.ts';
import type { AuditEvent, RecordEvent } from '../../logs/event.ts';
import { queryForm } from '../parameters.ts';
import type { AuthorizationRequest, ReturnAddress } from './authorization-request.ts';
import type { AuthorizationChecks } from './authorize.ts';
import { authorizeErrors } from './authorize-errors.ts';
import { answersRequest, type FindSession, type LivingSession } from './find-session.ts';
import type { IssueCode } from './issue-code.ts';
import type { Responder } from './respond.ts';

interface Parts {
  readonly checks: AuthorizationChecks;
  readonly findSession: FindSession;
  readonly issueCode: IssueCode;
  readonly responder: Responder;
  /** Begins a login and answers with a redirect to its first page. */
  readonly beginLogin: (
    http: FastifyRequest,
    reply: FastifyReply,
    request: AuthorizationRequest,
    form: Form,
  ) => Promise<FastifyReply>;
  readonly recordAlone: RecordEvent;
  readonly now: () => Date;
}

/** GET and POST /authorize (OpenID Connect Core section 3.1.2.1). */
export function authorizeRoutes(app: FastifyInstance, parts: Parts): void {
  const { checks, findSession, issueCode, responder, beginLogin, recordAlone, now } = parts;

  app.route({
    method: ['GET', 'POST'],
    url: '/authorize',
    config: { errors: 'page' },
    bodyLimit: 65_536,
    handler: async (http, reply) => {
      const form = http.body instanceof FormBody ? http.body.form : queryForm(http);
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
    // Consent of strangers' applications is not built yet: they get none.
    if (!request.client.isFirstParty) throw authorizeErrors.consentRequired();
    const living = await findSession(http, request);
    if (living && answersRequest(living, request, now())) {
      const code = await issueCode({
        tenant: http.tenant,
        request,
        session: living.session,
        event: sessionEvent(http, request, living),
      });
      if (code !== undefined) return responder.respond(http, reply, request, { code });
    }
    if (request.prompt === 'none') throw authorizeErrors.loginRequired();
    return beginLogin(http, reply, request, form);
  }
}

/** Single sign-on: silently (ssa), or with the browser at the address (s). */
function sessionEvent(
  http: FastifyRequest,
  request: AuthorizationRequest,
  { session, user, connection }: LivingSession,
): AuditEvent {
  return {
    ...http.requester,
    type: request.prompt === 'none' ? 'silentAuthSucceeded' : 'loginSucceeded',
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
    description: error.message,
    details: {
      qs,
      error: {
        message: error.message,
        oauthError: error.code,
        type: error.code === 'callback-mismatch' ? 'callback-url-mismatch' : 'request-error',
      },
    },
  };
}
