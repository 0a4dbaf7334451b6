import type { FastifyInstance, FastifyRequest } from 'fastify';
import { FormBody } from '../../http/body-parsers.ts';
import { DeclaredError } from '../../kit/errors.ts';
import { parseJson } from '../../kit/parse-json.ts';
import { authorizePageErrors } from '../../oauth/authorize/authorize-errors.ts';
import type { EmbeddedClients } from './embedded-clients.ts';
import { embeddedLoginErrors } from './embedded-login-errors.ts';
import type { IssueLoginTicket } from './issue-login-ticket.ts';

interface Parts {
  readonly clients: EmbeddedClients;
  readonly issueLoginTicket: IssueLoginTicket;
}

const MAX_BODY_BYTES = 32_768;
const MAX_VALUE = 8_192;
/** What of the body is a parameter of /authorize; the rest (_csrf, popup_options …) means nothing here. */
const REQUEST_PARAMETERS = [
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'audience',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'organization',
  'auth0Client',
] as const;

/**
 * POST /usernamepassword/login and POST /login/callback, the way of auth0.js on a hosted page and of older Locks: the
 * first answers with a form, the browser posts it to the second, which goes on at /authorize (authentication-api section 10).
 */
export function usernamePasswordRoutes(app: FastifyInstance, { clients, issueLoginTicket }: Parts): void {
  app.post(
    '/usernamepassword/login',
    { config: { errors: 'database' }, bodyLimit: MAX_BODY_BYTES },
    async (http, reply) => {
      const body = textsOf(http);
      try {
        const client = await clients.find(http, body.client_id);
        for (const name of ['username', 'password'] as const)
          if (!body[name]) throw embeddedLoginErrors.missing({ name });
        const { ticket } = await issueLoginTicket(http, reply, {
          client,
          realm: body.connection || body.realm || undefined,
          username: body.username ?? '',
          password: body.password ?? '',
        });
        const request = Object.fromEntries(
          REQUEST_PARAMETERS.flatMap((name) => (body[name] ? [[name, body[name]]] : [])),
        );
        const fields = { wa: 'wsignin1.0', wresult: ticket, wctx: JSON.stringify(request) };
        return reply
          .header('cache-control', 'no-store')
          .type('text/html; charset=utf-8')
          .send(formHtml(`${http.origin}/login/callback`, fields));
      } catch (error) {
        if (!(error instanceof DeclaredError) || error.status >= 500) throw error;
        await clients.recordRefusal(http, { clientId: body.client_id, userName: body.username }, error);
        throw inWordsOfLock(error);
      }
    },
  );

  app.post('/login/callback', { config: { errors: 'page' }, bodyLimit: MAX_BODY_BYTES }, async (http, reply) => {
    const { wresult: ticket, wctx } = textsOf(http);
    if (!ticket || !wctx) throw authorizePageErrors.malformed({ reason: 'The form is malformed' });
    const request = requestOf(wctx);
    // Nothing of it is believed: /authorize checks each parameter, and the ticket belongs to one client and one browser.
    const query = new URLSearchParams({ ...request, login_ticket: ticket });
    return reply
      .headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
      .redirect(`/authorize?${query}`, 303);
  });
}

/** Members that are texts: older SDKs send objects and booleans along, which nobody reads. */
function textsOf({ body }: FastifyRequest): Readonly<Record<string, string>> {
  if (body instanceof FormBody) {
    if (!body.form.wellFormed) throw embeddedLoginErrors.malformed();
    return body.form.values;
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw embeddedLoginErrors.malformed();
  const texts: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(body)) {
    if (typeof value !== 'string') continue;
    if (value.length > MAX_VALUE || !value.isWellFormed() || value.includes('\0'))
      throw embeddedLoginErrors.malformed();
    texts[name] = value;
  }
  return texts;
}

function requestOf(wctx: string): Record<string, string> {
  let parsed: unknown;
  try {
    parsed = parseJson(wctx);
  } catch (cause) {
    throw authorizePageErrors.malformed({ reason: 'The form is malformed' }, { cause });
  }
  const members = typeof parsed === 'object' && parsed !== null ? new Map(Object.entries(parsed)) : new Map();
  return Object.fromEntries(
    REQUEST_PARAMETERS.flatMap((name) => {
      const value: unknown = members.get(name);
      return typeof value === 'string' && value.isWellFormed() ? [[name, value]] : [];
    }),
  );
}

/** Lock and auth0.js show what they know by `invalid_user_password`. */
function inWordsOfLock(error: DeclaredError): DeclaredError {
  if (error.code !== 'access_denied') return error;
  return embeddedLoginErrors.wrongOnHostedPage({}, { cause: error });
}

/** The form comes first: auth0.js submits the first element of the answer. */
function formHtml(action: string, fields: Readonly<Record<string, string>>): string {
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${name}" value="${escapeAttribute(value)}">`,
  );
  return `<form method="post" name="hiddenform" action="${escapeAttribute(action)}">${inputs.join('')}<noscript><button type="submit">Continue</button></noscript></form>`;
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
