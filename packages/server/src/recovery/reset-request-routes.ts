import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { identifierKindOf, isPasswordResetOpen } from '../connections/connection.ts';
import { mailLanguage } from '../email/mail-language.ts';
import { type GuardParts, guardLogin } from '../login/guard-login.ts';
import { type LoginContext, loginEvent } from '../login/login-context.ts';
import type { FormErrors } from '../login/pages/page.ts';
import type { ResetRequestError } from '../login/pages/reset-request-page.ts';
import type { SendPage } from '../login/send-page.ts';
import { normaliseEmail } from '../users/identifier.ts';
import type { RequestRate } from './request-rate.ts';
import type { RequestReset } from './request-reset.ts';

interface Parts extends GuardParts {
  readonly requestReset: RequestReset;
  readonly rate: RequestRate;
  readonly sendPage: SendPage;
}

const MAX_FORM_BYTES = 16_384;
const LONGEST_IDENTIFIER = 320;
const PATH = '/u/reset-password/request';

/** GET and POST /u/reset-password/request: asks for the link, in the middle of a login. */
export function resetRequestRoutes(app: FastifyInstance, parts: Parts): void {
  const { requestReset, rate, recordAlone, sendPage } = parts;
  const guard = guardLogin(parts);

  app.get(PATH, { config: { errors: 'page' } }, (http, reply) =>
    guard(http, reply, async (context) => {
      if (context.transaction.sessionId || !isPasswordResetOpen(context.connection))
        return reply.redirect(`/u/login?state=${context.key.state}`, 303);
      return show(http, reply, context, context.request.loginHint ?? '');
    }),
  );

  app.post(PATH, { config: { errors: 'page' }, bodyLimit: MAX_FORM_BYTES }, (http, reply) =>
    guard(http, reply, async (context) => {
      const { connection, fields, request } = context;
      const username = (fields.username ?? '').trim();
      // The page hides the link, but a form can be posted without it (attack L7).
      if (!isPasswordResetOpen(connection)) return refuse(http, reply, context, username, 'reset-disabled');
      const wrong = identifierProblem(context, username);
      if (wrong) return show(http, reply, context, username, { fields: { username: wrong } });
      if (!(await rate.take(http.tenant.tenantId, http.requester.ip, username)))
        return refuse(http, reply, context, username, 'too-many-attempts');
      await requestReset({
        tenant: http.tenant,
        client: request.client,
        connection,
        identifier: username,
        language: mailLanguage(http.tenant, http.headers, context.transaction.request.ui_locales),
        event: { ...loginEvent(http, context), details: { body: bodyOf(context, username) } },
        loginState: context.key.state,
      });
      return sendPage(http, reply, 'reset-sent', { ...commonModel(context), username });
    }),
  );

  async function refuse(
    http: FastifyRequest,
    reply: FastifyReply,
    context: LoginContext,
    username: string,
    error: 'reset-disabled' | 'too-many-attempts',
  ): Promise<FastifyReply> {
    await recordAlone(http.tenant.tenantId, {
      ...loginEvent(http, context),
      type: 'passwordChangeRequestFailed',
      userName: username.slice(0, LONGEST_IDENTIFIER),
      description:
        error === 'reset-disabled' ? 'Password reset is disabled for this connection.' : 'Too many requests.',
      details: { body: bodyOf(context, username) },
    });
    return show(http, reply, context, username, { form: [error] }, error === 'reset-disabled' ? 400 : 429);
  }

  function show(
    http: FastifyRequest,
    reply: FastifyReply,
    context: LoginContext,
    username: string,
    errors?: FormErrors<ResetRequestError, 'username'>,
    status = 400,
  ): Promise<FastifyReply> {
    const identifier = identifierKindOf(context.connection);
    const model = { ...commonModel(context), identifier, username, ...(errors && { errors }) };
    return sendPage(http, reply, 'reset-request', model, errors ? status : 200);
  }
}

function commonModel({ key, csrfToken, request }: LoginContext) {
  return {
    action: `${PATH}?state=${key.state}`,
    state: key.state,
    csrfToken,
    clientName: request.client.name,
    ...(request.client.logoUri && { clientLogoUrl: request.client.logoUri }),
    loginUrl: `/u/login?state=${key.state}`,
  };
}

function identifierProblem({ connection }: LoginContext, username: string): ResetRequestError | undefined {
  const isEmail = identifierKindOf(connection) === 'email';
  if (username === '' || username.length > LONGEST_IDENTIFIER) return isEmail ? 'no-email' : 'no-username';
  return isEmail && normaliseEmail(username) === undefined ? 'invalid-email-format' : undefined;
}

function bodyOf({ request, connection }: LoginContext, username: string) {
  return {
    client_id: request.client.clientId,
    connection: connection.name,
    email: username.slice(0, LONGEST_IDENTIFIER),
  };
}
