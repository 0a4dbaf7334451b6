import type { FastifyReply, FastifyRequest } from 'fastify';
import { isDatabaseAway } from '../db/database-away.ts';
import type { DeclaredError } from '../kit/errors.ts';
import { queryForm } from '../oauth/parameters.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { settingsOf } from '../tenants/tenant-settings.ts';
import { type Branding, brandingFrom } from './pages/branding.ts';
import type { ErrorReason } from './pages/error-page.ts';
import { chooseLanguage, parseAcceptLanguage, parseUiLocales } from './pages/page-language.ts';
import type { PageModelByName, PageName, PageRenderer, Presentation } from './pages/page-renderer.ts';
import { templateVariables } from './template-variables.ts';
import type { TenantLooks } from './tenant-looks.ts';

export type SendPage = <Name extends PageName>(
  request: FastifyRequest,
  reply: FastifyReply,
  name: Name,
  model: PageModelByName[Name],
  status?: number,
) => Promise<FastifyReply>;

interface Parts {
  readonly renderer: PageRenderer;
  readonly looks: TenantLooks;
}

/** Sends a page in the look of the request's tenant and in a language that the browser or the application asked for. */
export function createSendPage({ renderer, looks }: Parts): SendPage {
  return async (request, reply, name, model, status = 200) => {
    const { branding, presentation } = await present(request, Object(model).state);
    const { html, headers } = renderer.render(name, model, branding, presentation);
    return reply.code(status).headers(headers).send(html);
  };

  async function present(
    request: FastifyRequest,
    state: unknown,
  ): Promise<{ branding: Branding; presentation: Presentation }> {
    // At an unknown host there is no tenant whose look a page could have.
    const tenant: Tenant | undefined = request.tenant;
    const wanted = wantedLanguages(request);
    if (!tenant) return plain('Gatewright', {}, chooseLanguage(wanted, ['en', ...renderer.languages]));
    try {
      const look = await looks.find(tenant);
      const known = [...renderer.languages, ...look.languages];
      const language = chooseLanguage(wanted, offeredLanguages(tenant, known));
      const { texts, custom } = await looks.texts(tenant.tenantId, language);
      const { branding, template, partials } = look;
      const variables = templateVariables(request, tenant, look, state);
      return { branding, presentation: { language, texts, customTexts: custom, template, partials, variables } };
    } catch (error) {
      // Who is told that the database is away is told in words, without the look that is kept in it.
      if (!isDatabaseAway(error)) throw error;
      const language = chooseLanguage(wanted, offeredLanguages(tenant, renderer.languages));
      return plain(tenant.tenantId, tenant.settings, language);
    }
  }
}

function plain(name: string, settings: Tenant['settings'], language: string) {
  return { branding: brandingFrom(name, settings), presentation: { language } };
}

/** What the application asked for comes first: it may have been told by the user. */
function wantedLanguages(request: FastifyRequest): string[] {
  const uiLocales = request.visit?.uiLocales ?? queryForm(request).values.ui_locales;
  return [...parseUiLocales(uiLocales), ...parseAcceptLanguage(request.headers['accept-language'])];
}

/** The tenant's locales that have texts, ours or its own; the first is the default. `de-CH` has the texts of `de`. */
function offeredLanguages(tenant: Tenant, known: readonly string[]): string[] {
  return settingsOf(tenant).enabledLocales.filter(
    (locale) => known.includes(locale) || known.includes(locale.split('-', 1)[0] ?? ''),
  );
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
