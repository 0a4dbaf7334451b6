import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DeclaredError } from '../kit/errors.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { brandingFrom } from './pages/branding.ts';
import type { ErrorReason } from './pages/error-page.ts';
import type { PageModelByName, PageName, PageRenderer } from './pages/page-renderer.ts';

export type SendPage = <Name extends PageName>(
  request: FastifyRequest,
  reply: FastifyReply,
  name: Name,
  model: PageModelByName[Name],
  status?: number,
) => FastifyReply;

/** Sends a page in the look of the request's tenant. */
export function createSendPage(renderer: PageRenderer): SendPage {
  return (request, reply, name, model, status = 200) => {
    // At an unknown host, or while the database is away, there is no tenant whose look a page could have.
    const tenant: Tenant | undefined = request.tenant;
    const branding = tenant ? brandingFrom(tenant.tenantId, tenant.settings) : brandingFrom('Gatewright', {});
    const { html, headers } = renderer.render(name, model, branding);
    return reply.code(status).headers(headers).send(html);
  };
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
  return (request: FastifyRequest, reply: FastifyReply, error: DeclaredError): FastifyReply => {
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
