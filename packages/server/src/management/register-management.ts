import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { tunnelledRequest } from '../containers/tunnelled-request.ts';
import type { Transact } from '../db/transact.ts';
import { declareError, sendError } from '../http/render-error.ts';
import { DeclaredError } from '../kit/errors.ts';
import { textOf } from '../kit/json-values.ts';
import type { Log } from '../kit/log.ts';
import type { RecordEvent } from '../logs/event.ts';
import { actsOnlyOnSelf, checkChangedFields, checkScopes, checkSubject } from './authorize.ts';
import type { Actor, Management, ManagementCall } from './call.ts';
import { type Operation, operationNamed } from './catalogue.ts';
import { managementErrors, unauthorized } from './management-errors.ts';
import { changeEvent, rateLimitEvent, secretReadEvent } from './management-events.ts';
import { answerList } from './paging.ts';
import { parseQuery } from './parse-query.ts';
import type { RateBucketStore, RateLimit } from './rate-bucket-store.ts';
import { createRateLimiter, DEFAULT_RATE_LIMIT } from './rate-limit.ts';
import { addManagementBodyParsers, bodyOf } from './read-body.ts';
import { selectFields } from './select-fields.ts';
import { validateBody } from './validate-body.ts';
import { validateParams } from './validate-params.ts';
import type { VerifyAccessToken } from './verify-management-token.ts';

export type CheckHolder = (
  request: FastifyRequest,
  reply: FastifyReply,
  presented: { readonly scheme: 'Bearer' | 'DPoP'; readonly token: string; readonly actor: Actor },
) => Promise<void>;

export interface ManagementParts<Stores extends { readonly record: RecordEvent }> {
  /** Scoped to /api/v2; the tenant, the origin and the requester of a request are known before its hooks run. */
  readonly app: FastifyInstance;
  readonly log: Log;
  readonly stores: Stores;
  readonly transact: Transact<Stores>;
  readonly recordAlone: RecordEvent;
  readonly verifyAccessToken: VerifyAccessToken;
  /** Refuses a bound token that its holder did not bring, and a DPoP request without a bound token. */
  readonly checkHolder: CheckHolder;
  /** Called when a change is committed, before it is answered: caches of this process forget the tenant. */
  readonly afterCommit?: (tenantId: string) => void;
  readonly now: () => Date;
  readonly rateLimit?: RateLimit | undefined;
  /** Where all processes count together; without it this one counts alone. */
  readonly rateBuckets?: RateBucketStore;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls the Management API; set where one of its routes runs. */
    actor: Actor | undefined;
  }
}

/** Makes the machinery on which each domain declares its operations of the Management API. */
export function registerManagement<Stores extends { readonly record: RecordEvent }>(
  parts: ManagementParts<Stores>,
): Management<Stores> {
  const { app, log, now } = parts;
  const { rateLimit = DEFAULT_RATE_LIMIT, rateBuckets } = parts;
  const operators = createRateLimiter(rateLimit, now, rateBuckets);
  // Rules that call at each login leave the tenant's operators their own limit, and the other way round.
  const tenantCode = createRateLimiter(rateLimit, now, rateBuckets, 'management, tenant code');
  const limiterOfRequest = () => (tunnelledRequest() ? tenantCode : operators);

  app.decorateRequest('actor');
  addManagementBodyParsers(app);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-cache');
    tellRate(request, reply);
  });
  app.setErrorHandler((error, request, reply) => sendError(reply, 'management', toDeclared(error, request, log)));
  app.setNotFoundHandler((_request, reply) => sendError(reply, 'management', managementErrors.notFound()));

  function tellRate(request: FastifyRequest, reply: FastifyReply): void {
    const { limit, remaining, resetAt } = limiterOfRequest().look(request.tenant.tenantId);
    reply.headers({ 'x-ratelimit-limit': limit, 'x-ratelimit-remaining': remaining, 'x-ratelimit-reset': resetAt });
  }

  /** Only a request with a valid token costs a token of the bucket: strangers can't lock a tenant's operators out. */
  async function admit(operation: Operation, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { tenant } = request;
    const { scheme, token } = accessToken(request);
    const actor = await parts.verifyAccessToken(tenant, token);
    if (scheme === 'DPoP' || actor.cnf !== undefined) await parts.checkHolder(request, reply, { scheme, token, actor });
    const limiter = limiterOfRequest();
    const isAdmitted = await limiter.take(tenant.tenantId);
    tellRate(request, reply);
    if (!isAdmitted) {
      const { resetAt } = limiter.look(tenant.tenantId);
      const wait = Math.max(1, Math.ceil(resetAt - now().getTime() / 1000));
      if (await limiter.isNews(tenant.tenantId)) {
        await parts.recordAlone(
          tenant.tenantId,
          rateLimitEvent(request.requester, actor, operation, limiter === tenantCode),
        );
      }
      throw managementErrors.rateLimited({}, { headers: { 'retry-after': String(wait) } });
    }
    checkScopes(operation, actor);
    request.actor = actor;
  }

  async function answer(
    operation: Operation,
    handler: (call: ManagementCall<Stores>) => Promise<unknown>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const { tenant, origin, requester, actor } = request;
    if (actor === undefined) throw unauthorized('missing');
    const params = validateParams(operation, paramsOf(request));
    checkSubject(operation, actor, params);
    const query = parseQuery(request.url, operation);
    const body = operation.body === undefined ? undefined : bodyToCheck(request, operation);
    validateBody(operation, body);
    checkChangedFields(operation, actor, body);

    let isCommitted = false;
    const secrets = new Set<string>();
    const context = { requester, actor, operation, path: pathOf(request), query, body };
    const result = await handler({
      tenant,
      origin,
      customDomain: textOf(request.headers['auth0-custom-domain']),
      lastEventId: textOf(request.headers['last-event-id']),
      actor,
      onlyOwnUser: actsOnlyOnSelf(operation, actor),
      requester,
      params,
      query,
      body: isObject(body) ? body : {},
      bodyList: Array.isArray(body) ? body : [],
      bodyText: typeof body === 'string' ? body : undefined,
      stores: parts.stores,
      async commit(work) {
        if (isCommitted) throw new Error(`${operation.name} commits twice: one request is one change and one event.`);
        isCommitted = true;
        const changed = await parts.transact(async (stores) => {
          const result = await work(stores);
          await stores.record(tenant.tenantId, changeEvent(context, result));
          return result;
        });
        parts.afterCommit?.(tenant.tenantId);
        return changed;
      },
      setHeader: (name, value) => void reply.header(name, value),
      list: (key, source) => answerList(operation, query, key, source),
      accessedSecrets(names) {
        for (const name of names) secrets.add(name);
      },
    });
    if (operation.method !== 'GET' && !isCommitted) throw new Error(`${operation.name} ends without its commit.`);
    if (operation.method === 'GET' && secrets.size > 0) {
      await parts.recordAlone(tenant.tenantId, secretReadEvent(context, [...secrets]));
    }
    reply.code(operation.status);
    if (result instanceof Readable) {
      // Whoever asks for the headers alone would else read all of it.
      if (request.method === 'HEAD') result.destroy();
      return reply.send(result);
    }
    if (operation.status === 204 || result === undefined) return reply.send();
    const selected = selectFields(result, query, operation);
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(selected));
  }

  return {
    route(name, handler) {
      const operation = operationNamed(name);
      app.route({
        method: operation.method,
        url: operation.path.replace(/\{(\w+)\}/g, ':$1'),
        onRequest: (request, reply) => admit(operation, request, reply),
        handler: (request, reply) => answer(operation, handler, request, reply),
      });
    },
  };
}

function accessToken(request: FastifyRequest): { scheme: 'Bearer' | 'DPoP'; token: string } {
  const { authorization } = request.headers;
  if (authorization === undefined || authorization === '') throw unauthorized('missing');
  const [, scheme, token] = /^(bearer|dpop) +(\S+) *$/i.exec(authorization) ?? [];
  if (token === undefined) throw managementErrors.badAuthenticationFormat();
  return { scheme: scheme?.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', token };
}

function toDeclared(error: unknown, request: FastifyRequest, log: Log): DeclaredError {
  if (error instanceof DeclaredError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return managementErrors.bodyTooLarge();
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return managementErrors.unsupportedMediaType();
  if (typeof code === 'string' && code.startsWith('FST_ERR_CTP'))
    return managementErrors.unreadableBody({}, { cause: error });
  return declareError(error, request, log);
}

/** A request without a body is checked like one with an empty object, so that the first missing property is named. */
function bodyToCheck(request: FastifyRequest, operation: Operation): unknown {
  const body = bodyOf(request.body, operation);
  if (body !== undefined) return body;
  return operation.body?.type === 'array' ? null : {};
}

function paramsOf(request: FastifyRequest): Readonly<Record<string, string>> {
  const { params } = request;
  if (!isObject(params)) return {};
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]));
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
