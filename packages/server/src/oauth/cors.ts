import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isAllowedOrigin } from '../clients/allowed-origin.ts';
import { type Client, matchRules } from '../clients/client.ts';
import type { ClientStore } from '../clients/client-store.ts';
import { FormBody } from '../http/body-parsers.ts';
import type { RecordEvent } from '../logs/event.ts';
import type { TenantCache } from '../tenants/tenant-cache.ts';

interface Parts {
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly cache: TenantCache;
  readonly stores: { readonly clients: ClientStore };
  readonly recordAlone: RecordEvent;
}

/** Endpoints that pages call with a client's id (authentication-api section 0). Others are open to all, or to nobody. */
const CLIENT_PATHS: ReadonlySet<string> = new Set([
  '/oauth/token',
  '/oauth/revoke',
  '/co/authenticate',
  '/usernamepassword/login',
  '/dbconnections/signup',
  '/dbconnections/signup/challenge',
  '/dbconnections/change_password',
  '/dbconnections/change_password/challenge',
]);
const OPEN_PATHS: ReadonlySet<string> = new Set([
  '/userinfo',
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/.well-known/jwks.json',
]);
const ALLOWED_HEADERS = 'Authorization, Content-Type, Auth0-Client, DPoP, X-Request-Language';
const EXPOSED_HEADERS =
  'DPoP-Nonce, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, WWW-Authenticate, Retry-After';
const PREFLIGHT_SECONDS = '86400';
const MOST_CLIENTS = 1_000;

/** Cross-origin calls: a page's origin must be registered for the client that it names; a refusal is an event (`fco`). */
export function addCors(app: FastifyInstance, { findClient, cache, stores, recordAlone }: Parts): void {
  for (const path of [...CLIENT_PATHS, ...OPEN_PATHS]) {
    app.options(path, async (request, reply) => {
      const { origin } = request.headers;
      // A preflight names no client: any client of the tenant that knows the origin opens the door to the real request.
      if (OPEN_PATHS.has(path)) allow(reply, '*');
      else if (origin !== undefined && (await isKnownToSomeClient(request, origin))) allow(reply, origin);
      return reply
        .headers({
          'access-control-allow-methods': 'GET, POST, OPTIONS',
          'access-control-allow-headers': ALLOWED_HEADERS,
          'access-control-max-age': PREFLIGHT_SECONDS,
        })
        .code(204)
        .send();
    });
  }

  app.addHook('preHandler', async (request, reply) => {
    const { origin } = request.headers;
    if (origin === undefined || request.method === 'OPTIONS' || !CLIENT_PATHS.has(pathOf(request))) return;
    if (origin === request.origin) return;
    const clientId = clientIdOf(request);
    const client = clientId === undefined ? undefined : await findClient(request.tenant.tenantId, clientId);
    if (client && isAllowedOrigin(client, origin, matchRules(client, request.tenant))) return allow(reply, origin);
    if (!client) return;
    await recordAlone(request.tenant.tenantId, {
      ...request.requester,
      type: 'corsOriginRejected',
      clientId: client.clientId,
      clientName: client.name,
      description: `The origin ${origin.slice(0, 256)} is not registered for the client.`,
    });
  });

  async function isKnownToSomeClient({ tenant }: FastifyRequest, origin: string): Promise<boolean> {
    const clients = await cache.get(tenant.tenantId, 'clients-with-origins', () => listClients(tenant.tenantId));
    return clients.some((client) => isAllowedOrigin(client, origin, matchRules(client, tenant)));
  }

  async function listClients(tenantId: string): Promise<readonly Client[]> {
    const listed = await stores.clients.page(tenantId, {}, 0, MOST_CLIENTS);
    return listed
      .map(({ client }) => client)
      .filter((client) => client.callbacks.length + client.allowedOrigins.length + client.webOrigins.length > 0);
  }
}

function allow(reply: FastifyReply, origin: string): void {
  reply.headers({
    'access-control-allow-origin': origin,
    'access-control-expose-headers': EXPOSED_HEADERS,
    ...(origin !== '*' && { vary: 'Origin', 'access-control-allow-credentials': 'true' }),
  });
}

function clientIdOf(request: FastifyRequest): string | undefined {
  const { body } = request;
  const value =
    body instanceof FormBody
      ? body.form.values.client_id
      : typeof body === 'object' && body !== null && 'client_id' in body
        ? body.client_id
        : undefined;
  return typeof value === 'string' ? value : undefined;
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? '';
}
