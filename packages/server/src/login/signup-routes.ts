import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { transactionPart } from '../actions/running/transaction-part.ts';
import { identifiersOf, isSignupOpen } from '../connections/connection.ts';
import { mailLanguage } from '../email/mail-language.ts';
import { DeclaredError } from '../kit/errors.ts';
import { descriptionOf, explanationOf } from '../logs/explain-error.ts';
import type { FinishLogin, FinishStores } from './finish-login.ts';
import { type GuardParts, guardLogin } from './guard-login.ts';
import { type LoginContext, loginEvent } from './login-context.ts';
import type { FormErrors } from './pages/page.ts';
import type { SignUpError } from './pages/sign-up-page.ts';
import type { SendPage } from './send-page.ts';
import type { PrepareSignUp, SignUpStores } from './sign-up.ts';
import { passwordRulesOf, signUpProblem } from './signup-problem.ts';

type Errors = FormErrors<SignUpError, 'email' | 'username' | 'password'>;
type Given = { readonly email: string; readonly username: string };
type SignUpPageStores = FinishStores & SignUpStores;

interface Parts extends GuardParts {
  readonly prepareSignUp: PrepareSignUp;
  readonly finishLogin: FinishLogin<SignUpPageStores>;
  readonly sendPage: SendPage;
}

const MAX_FORM_BYTES = 65_536;
const MAX_FIELD = 320;

/** GET and POST /u/signup: a new user of the directory, logged in at once. */
export function signupRoutes(app: FastifyInstance, parts: Parts): void {
  const { prepareSignUp, finishLogin, recordAlone, sendPage } = parts;
  const guard = guardLogin(parts);

  app.get('/u/signup', { config: { errors: 'page' } }, (http, reply) =>
    guard(http, reply, async (context) => {
      if (context.transaction.sessionId || !isSignupOpen(context.connection))
        return reply.redirect(`/u/login?state=${context.key.state}`, 303);
      return show(http, reply, context, { email: context.request.loginHint ?? '' });
    }),
  );

  app.post('/u/signup', { config: { errors: 'page' }, bodyLimit: MAX_FORM_BYTES }, (http, reply) =>
    guard(http, reply, async (context) => {
      const { fields } = context;
      const given = { email: field(fields.email), username: field(fields.username) };
      const password = fields.password ?? '';
      try {
        return await signUp(http, reply, context, given, password);
      } catch (error) {
        const errors = signUpProblem(error);
        if (!errors || !(error instanceof DeclaredError)) throw error;
        await recordAlone(http.tenant.tenantId, {
          ...loginEvent(http, context),
          type: 'signUpFailed',
          userName: given.email || given.username,
          description: descriptionOf(error),
          details: { ...detailsOf(context, given, password), ...explanationOf(error) },
        });
        return show(http, reply, context, given, errors);
      }
    }),
  );

  async function signUp(
    http: FastifyRequest,
    reply: FastifyReply,
    context: LoginContext,
    given: Given,
    password: string,
  ): Promise<FastifyReply> {
    const { connection, request, transaction } = context;
    const { makeUser, committed } = await prepareSignUp({
      tenant: http.tenant,
      client: request.client,
      connection,
      input: { ...(given.email && { email: given.email }), ...(given.username && { username: given.username }) },
      password,
      language: mailLanguage(http.tenant, http.headers, transaction.request.ui_locales),
      requester: http.requester,
      transaction: transactionPart(transaction.request),
      event: { ...loginEvent(http, context), details: detailsOf(context, given, password) },
    });
    const finished = await finishLogin(http, reply, { context, prompt: 'prompt-signup', user: makeUser });
    await committed();
    return finished;
  }

  function show(
    http: FastifyRequest,
    reply: FastifyReply,
    { key, request, connection, csrfToken }: LoginContext,
    given: Partial<Given>,
    errors?: Errors,
  ): Promise<FastifyReply> {
    return sendPage(
      http,
      reply,
      'sign-up',
      {
        action: `/u/signup?state=${key.state}`,
        state: key.state,
        csrfToken,
        connection: connection.name,
        clientName: request.client.name,
        ...(request.client.logoUri && { clientLogoUrl: request.client.logoUri }),
        requiresUsername: identifiersOf(connection).has('username'),
        email: given.email ?? '',
        username: given.username ?? '',
        passwordRules: passwordRulesOf(connection),
        loginUrl: `/u/login?state=${key.state}`,
        ...(errors && { errors }),
      },
      errors ? 400 : 200,
    );
  }
}

/** The password is masked when the event is written: the log shows that one was sent. */
function detailsOf({ request, connection }: LoginContext, given: Given, password: string) {
  return { body: { client_id: request.client.clientId, connection: connection.name, ...given, password } };
}

function field(value: string | undefined): string {
  return (value ?? '').trim().slice(0, MAX_FIELD);
}
