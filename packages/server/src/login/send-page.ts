import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DeclaredError } from '../kit/errors.ts';
import { queryForm } from '../oauth/parameters.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { settingsOf } from '../tenants/tenant-settings.ts';
import { brandingFrom } from './pages/branding.ts';
import type { ErrorReason } from './pages/error-page.ts';
import { chooseLanguage, parseAcceptLanguage, parseUiLocales } from './pages/page-language.ts';
import type { PageModelByName, PageName, PageRenderer } from './pages/page-renderer.ts';

export type SendPage = <Name extends PageName>(
  request: FastifyRequest,
  reply: FastifyReply,
  name: Name,
  model: PageModelByName[Name],
  status?: number,
) => Promise<FastifyReply>;

/** Sends a page in the look of the request's tenant and in a language that the browser or the application asked for. */
export function createSendPage(renderer: PageRenderer): SendPage {
  return async (request, reply, name, model, status = 200) => {
    // At an unknown host, or while the database is away, there is no tenant whose look a page could have.
    const tenant: Tenant | undefined = request.tenant;
    const branding = tenant ? brandingFrom(tenant.tenantId, tenant.settings) : brandingFrom('Gatewright', {});
    const language = chooseLanguage(wantedLanguages(request), offeredLanguages(tenant, renderer.languages));
    const { html, headers } = renderer.render(name, model, branding, language);
    return reply.code(status).headers(headers).send(html);
  };
}

/** What the application asked for comes first: it may have been told by the user. */
function wantedLanguages(request: FastifyRequest): string[] {
  const uiLocales = request.visit?.uiLocales ?? queryForm(request).values.ui_locales;
  return [...parseUiLocales(uiLocales), ...parseAcceptLanguage(request.headers['accept-language'])];
}

/** The tenant's locales that have texts; the first is the default. Where there is no tenant, every language is there. */
function offeredLanguages(tenant: Tenant | undefined, known: readonly string[]): string[] {
  if (!tenant) return ['en', ...known];
  return settingsOf(tenant).enabledLocales.filter((locale) => known.includes(textsLanguage(locale)));
}

/** `de-CH` has the texts of `de`. */
function textsLanguage(locale: string): string {
  return locale.split('-', 1)[0] ?? '';
}

const REASONS: ReadonlySet<string> = new Set<ErrorReason>([
  'invalid-request',
  'unknown-client',
  'callback-mismatch',
  'logout-url-mismatch',
  'access-denied',
  'transaction-expired',
  'cookies-missing',
  'not-found',
  'too-many-requests',
  'temporarily-unavailable',
  'server-error',
]);

/** Errors of endpoints whose users are people: what happened, what to do, and a reference for support. */
export function createErrorPage(sendPage: SendPage) {
  return (request: FastifyRequest, reply: FastifyReply, error: DeclaredError): Promise<FastifyReply> => {
    reply.headers(error.headers);
    const details =
      error.code && error.status < 500 ? { details: { error: error.code, description: error.message } } : {};
    return sendPage(
      request,
      reply,
      'error',
      { reason: reasonOf(error), reference: request.id, ...details },
      error.status,
    );
  };
}

function reasonOf({ code, status }: DeclaredError): ErrorReason {
  if (code !== undefined && isReason(code)) return code;
  if (status === 404) return 'not-found';
  if (status === 429) return 'too-many-requests';
  if (status === 503) return 'temporarily-unavailable';
  return status >= 500 ? 'server-error' : 'invalid-request';
}

function isReason(code: string): code is ErrorReason {
  return REASONS.has(code);
}
