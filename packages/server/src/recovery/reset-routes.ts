import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isOfScript } from '../custom-databases/script-failure.ts';
import { FormBody } from '../http/body-parsers.ts';
import type { TenantCookie } from '../http/cookies.ts';
import { equalSecrets, keyedDigest } from '../kit/digest.ts';
import { DeclaredError } from '../kit/errors.ts';
import type { LoginTransactionStore } from '../login/login-transaction-store.ts';
import type { FormErrors } from '../login/pages/page.ts';
import type { ResetPasswordError } from '../login/pages/reset-password-page.ts';
import type { SendPage } from '../login/send-page.ts';
import { passwordRulesOf } from '../login/signup-problem.ts';
import type { RecordEvent } from '../logs/event.ts';
import { descriptionOf, explanationOf } from '../logs/explain-error.ts';
import { authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';
import { queryForm } from '../oauth/parameters.ts';
import type { ChangePasswordByTicket } from './change-password.ts';
import { type FindTicket, type FoundTicket, ticketEvent } from './find-ticket.ts';
import { isTicket, ticketErrors } from './ticket.ts';
import { applicationAddress } from './way-back.ts';

interface Parts {
  readonly ticketCookie: TenantCookie;
  readonly browserCookie: TenantCookie;
  readonly findTicket: FindTicket;
  readonly changePassword: ChangePasswordByTicket;
  readonly loginTransactions: Pick<LoginTransactionStore, 'find'>;
  readonly recordAlone: RecordEvent;
  readonly sendPage: SendPage;
  readonly now: () => Date;
}

type Errors = FormErrors<ResetPasswordError, 'password' | 'password_again'>;

const MAX_FORM_BYTES = 65_536;
/** How long the browser keeps a ticket that it was brought. */
const COOKIE_MILLISECONDS = 3_600_000;
const CHANGE = '/u/reset-password/change';

const PASSWORD_PROBLEMS: Readonly<Record<string, ResetPasswordError>> = {
  PasswordStrengthError: 'password-too-weak',
  PasswordDictionaryError: 'password-too-common',
  PasswordNoUserInfoError: 'password-has-user-info',
  PasswordHistoryError: 'password-previously-used',
};

/**
 * GET /u/reset-verify takes the ticket out of the address into a cookie; GET and POST /u/reset-password/change use it there.
 * Nothing but the ticket says how far somebody has come, and each step looks at it anew: there is no order to break
 * (attack R2). Opening the link changes nothing: programs that look at mails open links, too.
 */
export function resetRoutes(app: FastifyInstance, parts: Parts): void {
  const { ticketCookie, browserCookie, findTicket, changePassword, recordAlone, sendPage, now } = parts;

  app.get('/u/reset-verify', { config: { errors: 'page' } }, async (http, reply) => {
    const { ticket } = queryForm(http).values;
    try {
      await usable(http, ticket);
    } catch (error) {
      return refuse(http, reply, error, ticket);
    }
    ticketCookie.write(http, reply, String(ticket), new Date(now().getTime() + COOKIE_MILLISECONDS));
    // The address with the ticket must reach no other site (attack R2).
    return reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }).redirect(CHANGE, 303);
  });

  app.get(CHANGE, { config: { errors: 'page' } }, async (http, reply) => {
    const given = ticketCookie.read(http);
    try {
      return show(http, reply, await usable(http, given), csrfTokenOf(given));
    } catch (error) {
      return refuse(http, reply, error, given);
    }
  });

  app.post(CHANGE, { config: { errors: 'page' }, bodyLimit: MAX_FORM_BYTES }, async (http, reply) => {
    const given = ticketCookie.read(http);
    let found: FoundTicket | undefined;
    try {
      found = await usable(http, given);
      const { password = '', password_again: again = '' } = postedFields(http, given);
      const missing = missingOf(password, again);
      if (missing) return show(http, reply, found, csrfTokenOf(given), { fields: missing });
      await changePassword(http.tenant, found, password, http.requester);
    } catch (error) {
      const errors = found && problemOf(error);
      if (!found || !errors) return refuse(http, reply, error, given, found);
      await recordFailure(http, error, found);
      return show(http, reply, found, csrfTokenOf(given), errors);
    }
    ticketCookie.clear(http, reply);
    const { client, ticket } = found;
    return sendPage(http, reply, 'recovery-result', {
      result: 'password-changed',
      ...(client && { clientName: client.name }),
      ...defined('loginUrl', await loginUrlOf(http, ticket.loginState)),
      ...defined('clientUrl', ticket.resultUrl ?? applicationAddress(http.tenant, client)),
    });
  });

  async function usable(http: FastifyRequest, given: string | undefined): Promise<FoundTicket> {
    const found = await findTicket(http.tenant.tenantId, 'password-change', given);
    // The pages go on in the language of the mail that brought the user here.
    http.visit = { uiLocales: found.ticket.language };
    if (found.ticket.usedAt !== undefined) throw ticketErrors.invalid();
    return found;
  }

  /** What is wrong with a ticket is told on a page of its own; each refusal of something that could be one is an event. */
  async function refuse(
    http: FastifyRequest,
    reply: FastifyReply,
    error: unknown,
    given: string | undefined,
    found?: FoundTicket,
  ): Promise<FastifyReply> {
    const isOfTicket = error instanceof DeclaredError && TICKET_CODES.has(error.code);
    if (!(error instanceof DeclaredError) || error.status >= 500) throw error;
    if (isTicket(given)) await recordFailure(http, error, found);
    if (!isOfTicket) throw error;
    if (given !== undefined && given === ticketCookie.read(http)) ticketCookie.clear(http, reply);
    const result = error.code === ticketErrors.expired().code ? 'reset-link-expired' : 'reset-link-invalid';
    return sendPage(http, reply, 'recovery-result', { result }, 400);
  }

  async function recordFailure(http: FastifyRequest, error: unknown, found: FoundTicket | undefined): Promise<void> {
    const description = error instanceof Error ? descriptionOf(error) : '';
    await recordAlone(http.tenant.tenantId, {
      ...http.requester,
      ...(found && ticketEvent(found)),
      type: 'passwordChangeFailed',
      description,
      details: {
        title: 'Change password',
        error: { message: description },
        ...(error instanceof Error && explanationOf(error)),
      },
    });
  }

  function show(
    http: FastifyRequest,
    reply: FastifyReply,
    { client, connection, ticket }: FoundTicket,
    csrfToken: string,
    errors?: Errors,
  ): Promise<FastifyReply> {
    const model = {
      action: CHANGE,
      csrfToken,
      clientName: client?.name ?? http.tenant.tenantId,
      ...(client?.logoUri && { clientLogoUrl: client.logoUri }),
      ...defined('email', ticket.email),
      passwordRules: passwordRulesOf(connection),
      ...(errors && { errors }),
    };
    return sendPage(http, reply, 'reset-password', model, errors ? 400 : 200);
  }

  /** Only where this browser is still in the login that it left. */
  async function loginUrlOf(http: FastifyRequest, state: string | undefined): Promise<string | undefined> {
    const browser = browserCookie.read(http);
    if (!state || !browser) return undefined;
    const transaction = await parts.loginTransactions.find(http.tenant.tenantId, { state, browser }, now());
    return transaction && !transaction.sessionId ? `/u/login?state=${state}` : undefined;
  }
}

const TICKET_CODES: ReadonlySet<string | undefined> = new Set([
  ticketErrors.invalid().code,
  ticketErrors.expired().code,
]);

/** Only our own page can make this form: it knows the ticket of this browser (attack L6). */
function postedFields(http: FastifyRequest, ticket: string | undefined): Readonly<Record<string, string>> {
  const { origin } = http.headers;
  if (origin !== undefined && origin !== http.origin) throw authorizePageErrors.foreignOrigin();
  const form = http.body instanceof FormBody ? http.body.form : undefined;
  if (!form?.wellFormed || form.repeated.length > 0)
    throw authorizePageErrors.malformed({ reason: 'The form is malformed' });
  if (!equalSecrets(form.values._csrf ?? '', csrfTokenOf(ticket))) throw authorizePageErrors.foreignOrigin();
  return form.values;
}

function csrfTokenOf(ticket: string | undefined): string {
  return keyedDigest(Buffer.from(ticket ?? ''), 'csrf reset-password');
}

function missingOf(password: string, again: string): Errors['fields'] | undefined {
  if (password === '') return { password: 'no-password' };
  if (again === '') return { password_again: 'no-re-enter-password' };
  return password === again ? undefined : { password_again: 're-enter-password-mismatch' };
}

function problemOf(error: unknown): Errors | undefined {
  if (!(error instanceof DeclaredError)) return undefined;
  if (isOfScript(error)) return { form: ['temporarily-unavailable'] };
  if (error.code !== 'invalid_password') return undefined;
  const { name } = error.extra;
  const password = (typeof name === 'string' ? PASSWORD_PROBLEMS[name] : undefined) ?? 'password-too-weak';
  return { fields: { password } };
}

function defined<Name extends string>(name: Name, value: string | undefined): { [N in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { [N in Name]?: string });
}
