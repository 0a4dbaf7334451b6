import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { digest } from '../kit/digest.ts';
import { isObject } from '../kit/json-values.ts';
import type { Log } from '../kit/log.ts';
import { mayReadMetrics } from '../status/may-read-metrics.ts';
import type { AuthorizationServer } from './authorization-server.ts';
import { AwayError } from './away-error.ts';
import type { ServiceMetrics } from './service-metrics.ts';
import type { Caller, ServiceSettings } from './service-settings.ts';
import type { Verdict } from './verdict.ts';
import type { VerifyToken } from './verify-token.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of the token service: who asks. */
    caller: Caller | undefined;
  }
}

interface Parts {
  readonly settings: Pick<ServiceSettings, 'callers' | 'metricsToken'>;
  readonly verify: VerifyToken;
  readonly server: Pick<AuthorizationServer, 'checkReachable'>;
  /** Seconds that a caller has to wait. */
  readonly takeFromRate: (caller: Caller) => number;
  readonly metrics: ServiceMetrics;
  readonly log: Log;
  readonly isStopping: () => boolean;
}

const MOST_BODY_BYTES = 32_768;
/** RFC 6750 section 2.1; as long as authorization servers make them. */
const TOKEN = /^[A-Za-z0-9\-._~+/]{1,16384}=*$/;
const LONGEST_TOKEN = 16_384;

/** POST /token/verify, /health/live, /health/ready, /metrics. */
export function createServiceApp({
  settings,
  verify,
  server,
  takeFromRate,
  metrics,
  log,
  isStopping,
}: Parts): FastifyInstance {
  // Found by their hash: how long a look takes tells nothing of a secret.
  const callers = new Map(settings.callers.map((caller) => [digest(caller.secret), caller]));
  let isAway = false;
  const app = fastify({
    bodyLimit: MOST_BODY_BYTES,
    routerOptions: { querystringParser: () => ({}) },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
  });
  app.decorateRequest('caller', undefined);
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });
  app.setErrorHandler(({ statusCode }: { statusCode?: number }, request, reply) => {
    if (statusCode === undefined || statusCode >= 500) {
      log.error('A request failed.', { route: request.routeOptions.url });
      return refuse(reply, 500, 'server_error', 'Something went wrong here.');
    }
    if (request.caller) metrics.countQuestion(request.caller.name, 'malformed');
    return refuse(reply, statusCode, 'invalid_request', WANTED);
  });
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'not_found', 'There is no such page.'));

  app.post('/token/verify', {
    // Before the body is read: a stranger's is not.
    onRequest: async (request, reply) => {
      const secret = /^Bearer +(\S{1,600})$/i.exec(request.headers.authorization ?? '')?.[1];
      const caller = secret === undefined ? undefined : callers.get(digest(secret));
      if (!caller) {
        metrics.countStranger();
        reply.header('www-authenticate', 'Bearer realm="token service"');
        return refuse(reply, 401, 'invalid_client', 'The secret is none of a caller of this service.');
      }
      request.caller = caller;
      const wait = takeFromRate(caller);
      if (wait === 0) return;
      metrics.countQuestion(caller.name, 'throttled');
      reply.header('retry-after', String(wait));
      return refuse(reply, 429, 'too_many_requests', 'This caller asks more often than it may.');
    },
    handler: async (request, reply) => {
      const { body, caller } = request;
      const token = isObject(body) ? body.token : undefined;
      if (!caller) return refuse(reply, 401, 'invalid_client', 'The secret is none of a caller of this service.');
      if (typeof token !== 'string' || token.length > LONGEST_TOKEN || !TOKEN.test(token)) {
        metrics.countQuestion(caller.name, 'malformed');
        return refuse(reply, 400, 'invalid_request', WANTED);
      }
      metrics.beginQuestion();
      try {
        const verdict = await verify(token, caller);
        back();
        metrics.countQuestion(caller.name, verdict.active ? 'active' : `refused_${verdict.reason}`);
        return reply.send(toWire(verdict));
      } catch (error) {
        if (!(error instanceof AwayError)) throw error;
        metrics.countQuestion(caller.name, 'away');
        away(error);
        reply.header('retry-after', String(error.retryAfterSeconds));
        return refuse(reply, 503, 'temporarily_unavailable', 'Nobody can say now whether the token is good.');
      } finally {
        metrics.endQuestion();
      }
    },
  });

  app.get('/health/live', async () => ({ status: 'live' }));
  app.get('/health/ready', async (_request, reply) => {
    if (isStopping()) return notReady(reply, 'The service is stopping.');
    try {
      await server.checkReachable();
      return { status: 'ready' };
    } catch (error) {
      if (!(error instanceof AwayError)) throw error;
      return notReady(reply, 'The authorization server does not answer.');
    }
  });
  app.get('/metrics', async (request, reply) => {
    if (!mayReadMetrics(request, settings.metricsToken))
      return refuse(reply, 404, 'not_found', 'There is no such page.');
    return reply.type(metrics.type).send(await metrics.text());
  });

  /** Said once each time, not at each question. */
  function away({ message }: AwayError): void {
    if (!isAway) log.warn('The authorization server can not be asked.', { reason: message });
    isAway = true;
  }

  function back(): void {
    if (isAway) log.info('The authorization server answers again.');
    isAway = false;
  }

  return app;
}

const WANTED = 'Send {"token":"<access token>"} as application/json.';

function refuse(reply: FastifyReply, status: number, error: string, description: string): FastifyReply {
  return reply.code(status).send({ error, error_description: description });
}

function notReady(reply: FastifyReply, reason: string): FastifyReply {
  return reply.code(503).header('retry-after', '2').send({ status: 'unavailable', reason });
}

function toWire(verdict: Verdict): object {
  if (!verdict.active) return verdict;
  const { active, user, permissions, expiresAt } = verdict;
  return { active, user, permissions, ...(expiresAt !== undefined && { expires_at: expiresAt }) };
}
