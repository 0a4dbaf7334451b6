import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Client } from '../clients/client.ts';
import { tunnelledRequest } from '../containers/tunnelled-request.ts';
import type { DeclaredError } from '../kit/errors.ts';
import { randomHex } from '../kit/ids.ts';
import type { Log } from '../kit/log.ts';
import { parseOrigin } from '../kit/parse-origin.ts';
import type { Requester } from '../logs/event.ts';
import { type Tenant, tenantErrors } from '../tenants/tenant.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';
import { addBodyParsers } from './body-parsers.ts';
import type { ClientCertificate } from './client-certificate.ts';
import { hasMtlsAliases, originBehindAlias } from './mtls-alias.ts';
import { declareError, requestErrors, sendError } from './render-error.ts';
import type { RequestReader } from './requester.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The tenant that answers at the requested origin. Never unset where a route runs, but where it needs none. */
    tenant: Tenant;
    /** The registered origin that matched: issuer and links are made from it. */
    origin: string;
    /** The origin that was asked: the same, or its host beside that asks programs for certificates (mtls-alias.ts). */
    askedOrigin: string;
    requester: Requester;
    /** What is known of the login that a page belongs to: the page is shown in its words. */
    visit: Visit | undefined;
    /** The certificate that the client showed to a trusted proxy (CLIENT_CERTIFICATE_HEADER). */
    clientCertificate: ClientCertificate | undefined;
  }
  interface FastifyContextConfig {
    /** Answers at any host: /health, /metrics. */
    needsNoTenant?: boolean;
  }
}

/** The application that a user is on the way to, and the languages that it asked for. */
export interface Visit {
  readonly uiLocales?: string | undefined;
  readonly client?: Client;
}

interface Parts {
  readonly log: Log;
  readonly reader: RequestReader;
  readonly directory: Pick<TenantDirectory, 'resolve'>;
  /** Renders errors of endpoints whose users are people. */
  readonly renderErrorPage: (
    request: FastifyRequest,
    reply: FastifyReply,
    error: DeclaredError,
  ) => Promise<FastifyReply>;
  /** Told of each request once its answer is written. */
  readonly observeRequest: (request: {
    /** The route's template; undefined where there is none. */
    readonly route: string | undefined;
    readonly method: string;
    readonly status: number;
    readonly seconds: number;
  }) => void;
}

/** Of strangers' requests; the Management API takes more from those that it knows. */
const MAX_BODY_BYTES = 65_536;

/** The HTTP side without its routes: tenant of the request, bodies, security headers, errors. */
export function createHttpServer({ log, reader, directory, renderErrorPage, observeRequest }: Parts): FastifyInstance {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    routerOptions: { maxParamLength: 1024, querystringParser: () => ({}) },
    genReqId: () => randomHex(10),
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    rewriteUrl: toOriginForm,
    // A path that can't be decoded: no route, no tenant and no hook, hence no family but the default one.
    frameworkErrors: (error, request, reply) =>
      sendError(
        (reply as FastifyReply).headers({ 'x-auth0-requestid': request.id, 'x-content-type-options': 'nosniff' }),
        'management',
        declareError(error, request as FastifyRequest, log),
      ),
  });
  addBodyParsers(app);
  app.decorateRequest('tenant');
  app.decorateRequest('origin', '');
  app.decorateRequest('askedOrigin', '');
  app.decorateRequest('requester');
  app.decorateRequest('visit');
  app.decorateRequest('clientCertificate');

  // Fastify's own hook for answers takes several times as long as this listener.
  function observe(request: FastifyRequest, { raw }: FastifyReply, route: string | undefined): void {
    const began = performance.now();
    raw.once('finish', () => {
      const seconds = (performance.now() - began) / 1000;
      observeRequest({ route, method: request.method, status: raw.statusCode, seconds });
    });
  }

  app.addHook('onRequest', async (request, reply) => {
    // Made anew each time that somebody looks.
    const { config, url: route } = request.routeOptions;
    observe(request, reply, route);
    reply.header('x-auth0-requestid', request.id);
    reply.header('x-content-type-options', 'nosniff');
    request.requester = reader.requester(request.raw);
    request.clientCertificate = reader.clientCertificate(request.raw);
    checkTarget(request.raw);
    if (config.needsNoTenant) return;
    const tunnelled = tunnelledRequest();
    const asked = tunnelled ? tunnelled.origin : reader.origin(request.raw);
    if (asked === undefined) throw tenantErrors.unknownHost();
    const tenant = await directory.resolve(asked);
    const found = tenant ? { tenant, origin: asked } : await findBehindAlias(asked, request.url);
    // A tenant's code asks its own tenant, whose origin may have gone to another one in the meantime.
    if (tunnelled && found.tenant.tenantId !== tunnelled.tenantId) throw tenantErrors.unknownHost();
    request.tenant = found.tenant;
    request.origin = found.origin;
    request.askedOrigin = asked;
    if (insistsOnHttps(found.origin)) reply.header('strict-transport-security', 'max-age=31536000');
    // Pages change state at GET as OAuth wants it; mail scanners and link checkers may look without using anything up.
    if (request.method === 'HEAD' && config.errors === 'page') return reply.header('cache-control', 'no-store').send();
  });

  async function findBehindAlias(asked: string, url: string): Promise<{ tenant: Tenant; origin: string }> {
    const origin = originBehindAlias(asked, url);
    const tenant = origin === undefined ? undefined : await directory.resolve(origin);
    if (origin === undefined || !tenant || !hasMtlsAliases(tenant)) throw tenantErrors.unknownHost();
    return { tenant, origin };
  }

  // Before its body is read: whoever asks for what is not there could else keep us busy with a megabyte of JSON.
  app.addHook('preParsing', async (request) => {
    if (request.is404) throw requestErrors.notFound();
  });

  app.setErrorHandler((error, request, reply) => {
    const declared = declareError(error, request, log);
    const family = request.routeOptions.config.errors ?? (isStray(request) ? 'page' : 'management');
    return family === 'page' ? renderErrorPage(request, reply, declared) : sendError(reply, family, declared);
  });
  app.setNotFoundHandler((_request, reply) => sendError(reply, 'management', requestErrors.notFound()));
  return app;
}

/** Paths that programs ask for, whatever they accept. */
const FOR_PROGRAMS = /^\/(?:api|oauth|userinfo|\.well-known|health|dbconnections)(?:[/?]|$)/;

/** A person who typed an address, or followed an old link. */
function isStray({ is404, method, url, headers }: FastifyRequest): boolean {
  const isRead = method === 'GET' || method === 'HEAD';
  return is404 && isRead && /\btext\/html\b/i.test(headers.accept ?? '') && !FOR_PROGRAMS.test(url);
}

/** `GET http://host/path` names its host twice; only where both agree is it what it seems (RFC 9112 section 3.2.2). */
function toOriginForm({ url = '/', headers }: Pick<IncomingMessage, 'url' | 'headers'>): string {
  if (url.startsWith('/')) return url;
  const [, authority, target = ''] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? [];
  if (authority === undefined || authority.toLowerCase() !== headers.host?.toLowerCase()) return url;
  return target.startsWith('/') ? target : `/${target}`;
}

/** RFC 9112 section 3.2: a request has one Host, and a proxy before us must not have understood another one. */
function checkTarget({ url = '/', rawHeaders }: IncomingMessage): void {
  if (!url.startsWith('/') && url !== '*')
    throw requestErrors.malformed({ reason: 'its target is not the host that it names' });
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  if (hosts > 1) throw requestErrors.malformed({ reason: 'it names several hosts' });
}

/** Not on this machine: browsers remember it for the name, whatever the port, and would lock other local programs out. */
function insistsOnHttps(origin: string): boolean {
  if (!origin.startsWith('https:')) return false;
  const { hostname = '' } = parseOrigin(origin) ?? {};
  return hostname !== 'localhost' && !hostname.endsWith('.localhost') && isIP(hostname.replace(/^\[|\]$/g, '')) === 0;
}
