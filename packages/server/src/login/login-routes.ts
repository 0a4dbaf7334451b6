import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  type Connection,
  identifierKindOf,
  identifiersOf,
  isPasswordResetOpen,
  isSignupOpen,
} from '../connections/connection.ts';
import { describe, explanation } from '../custom-databases/script-failure.ts';
import { authorizeErrors } from '../oauth/authorize/authorize-errors.ts';
import { knownUserOf, type PasswordAuthentication } from '../users/password-authentication.ts';
import type { FinishLogin, FinishStores } from './finish-login.ts';
import { type GuardParts, guardLogin } from './guard-login.ts';
import { type LoginContext, loginEvent } from './login-context.ts';
import type { LoginError, LoginModel } from './pages/login-page.ts';
import type { SendPage } from './send-page.ts';

interface Parts extends GuardParts {
  readonly authenticate: PasswordAuthentication;
  readonly finishLogin: FinishLogin<FinishStores>;
  readonly sendPage: SendPage;
}

const MAX_FORM_BYTES = 65_536;
const MAX_IDENTIFIER = 320;

/** GET and POST /u/login: one page for identifier and password. Every refusal looks and takes the same (attack L1). */
export function loginRoutes(app: FastifyInstance, parts: Parts): void {
  const { authenticate, finishLogin, recordAlone, sendPage } = parts;
  const guard = guardLogin(parts);

  app.get('/u/login', { config: { errors: 'page' } }, (http, reply) =>
    guard(http, reply, async (context) => {
      if (context.transaction.sessionId) return reply.redirect(`/authorize/resume?state=${context.key.state}`, 303);
      return show(http, reply, context, context.request.loginHint ?? context.transaction.progress.loginHint ?? '');
    }),
  );

  app.post('/u/login', { config: { errors: 'page' }, bodyLimit: MAX_FORM_BYTES }, (http, reply) =>
    guard(http, reply, async (context, refuse) => {
      const { connection, fields } = context;
      const username = (fields.username ?? '').trim();
      const password = fields.password ?? '';
      if (username === '' || username.length > MAX_IDENTIFIER)
        return show(http, reply, context, '', { username: missing(connection) });
      if (password === '') return show(http, reply, context, username, { password: 'no-password' });
      const asked = loginEvent(http, context);
      const outcome = await authenticate(http.tenant, connection, username, password, asked);
      const event = { ...asked, userName: username, ...knownUserOf(outcome) };
      if (outcome.outcome === 'ok') {
        const { user } = outcome;
        return finishLogin(http, reply, { context, prompt: 'prompt-authenticate', user: async () => user });
      }
      if (outcome.outcome === 'blocked') return refuse(authorizeErrors.userBlocked(), event);
      if (outcome.outcome === 'directoryFailed') {
        const { failure } = outcome;
        await recordAlone(http.tenant.tenantId, {
          ...event,
          type: 'loginFailed',
          description: describe(failure),
          details: explanation(failure),
        });
        return show(http, reply, context, username, {}, 'temporarily-unavailable');
      }
      const description = 'Wrong email or password.';
      await recordAlone(http.tenant.tenantId, {
        ...event,
        type: outcome.outcome,
        description,
        details: { error: { message: description } },
      });
      return show(
        http,
        reply,
        context,
        username,
        {},
        identifiersOf(connection).has('username') ? 'wrong-credentials' : 'wrong-email-credentials',
      );
    }),
  );

  function show(
    http: FastifyRequest,
    reply: FastifyReply,
    { key, request, connection, csrfToken }: LoginContext,
    username: string,
    fields: { username?: LoginError; password?: LoginError } = {},
    form?: LoginError,
  ): Promise<FastifyReply> {
    const hasErrors = form !== undefined || Object.keys(fields).length > 0;
    const model: LoginModel = {
      action: `/u/login?state=${key.state}`,
      state: key.state,
      csrfToken,
      connection: connection.name,
      clientName: request.client.name,
      ...(request.client.logoUri && { clientLogoUrl: request.client.logoUri }),
      identifier: identifierKindOf(connection),
      username,
      ...(hasErrors && { errors: { ...(form && { form: [form] }), fields } }),
      ...(isPasswordResetOpen(connection) && { resetPasswordUrl: `/u/reset-password/request?state=${key.state}` }),
      ...(isSignupOpen(connection) && { signUpUrl: `/u/signup?state=${key.state}` }),
    };
    return sendPage(http, reply, 'login', model, hasErrors ? 400 : 200);
  }
}

function missing(connection: Connection): LoginError {
  const identifier = identifierKindOf(connection);
  if (identifier === 'email') return 'no-email';
  return identifier === 'username' ? 'no-username' : 'no-username-or-email';
}
