import { randomBytes } from 'node:crypto';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { DeclaredError } from '../kit/errors.ts';
import type { Log } from '../kit/log.ts';
import type { Requester } from '../logs/event.ts';
import { type Tenant, tenantErrors } from '../tenants/tenant.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';
import { addBodyParsers } from './body-parsers.ts';
import { declareError, requestErrors, sendError } from './render-error.ts';
import type { RequestReader } from './requester.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The tenant that answers at the requested origin. Never unset where a route runs, but for /health. */
    tenant: Tenant;
    /** The registered origin that matched: issuer and links are made from it. */
    origin: string;
    requester: Requester;
  }
}

interface Parts {
  readonly log: Log;
  readonly reader: RequestReader;
  readonly directory: Pick<TenantDirectory, 'resolve'>;
  /** Renders errors of endpoints whose users are people. */
  readonly renderErrorPage: (request: FastifyRequest, reply: FastifyReply, error: DeclaredError) => FastifyReply;
}

const MAX_BODY_BYTES = 1_048_576;

/** The HTTP side without its routes: tenant of the request, bodies, security headers, errors. */
export function createHttpServer({ log, reader, directory, renderErrorPage }: Parts): FastifyInstance {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    routerOptions: { maxParamLength: 1024, querystringParser: () => ({}) },
    genReqId: () => randomBytes(10).toString('hex'),
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) =>
      sendError(reply as FastifyReply, 'management', declareError(error, request as FastifyRequest, log)),
  });
  addBodyParsers(app);
  app.decorateRequest('tenant');
  app.decorateRequest('origin', '');
  app.decorateRequest('requester');

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-auth0-requestid', request.id);
    reply.header('x-content-type-options', 'nosniff');
    if ('encrypted' in request.raw.socket) reply.header('strict-transport-security', 'max-age=31536000');
    request.requester = reader.requester(request.raw);
    if (request.url.startsWith('/health/')) return;
    const origin = reader.origin(request.raw);
    const tenant = origin && (await directory.resolve(origin));
    if (!tenant) throw tenantErrors.unknownHost();
    request.tenant = tenant;
    request.origin = origin;
  });

  app.setErrorHandler((error, request, reply) => {
    const declared = declareError(error, request, log);
    const family = request.routeOptions.config.errors ?? 'management';
    // Without a tenant there is no branding to make a page with.
    if (family === 'page' && request.tenant) return renderErrorPage(request, reply, declared);
    return sendError(reply, family === 'page' ? 'management' : family, declared);
  });
  app.setNotFoundHandler((_request, reply) => sendError(reply, 'management', requestErrors.notFound()));
  return app;
}
