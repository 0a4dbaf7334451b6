import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isWebOrigin } from '../../clients/allowed-origin.ts';
import { type Client, matchRules } from '../../clients/client.ts';
import type { Connection } from '../../connections/connection.ts';
import type { TenantCookie } from '../../http/cookies.ts';
import { queryForm } from '../../oauth/parameters.ts';
import { isAlive } from '../../sessions/session.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import type { User } from '../../users/user.ts';

interface Parts {
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly findConnection: (tenantId: string, connectionId: string) => Promise<Connection | undefined>;
  readonly sessionCookie: TenantCookie;
  readonly sessions: Pick<SessionStore, 'findByCookie'>;
  readonly now: () => Date;
}

const NOBODY = { sso: false };

/**
 * GET /user/ssodata: who of this browser is logged in, for Lock's "last time you logged in with" (authentication-api
 * section 10). Told to our own pages and to web origins of the client that is named; everybody else hears of nobody.
 */
export function ssoDataRoutes(app: FastifyInstance, parts: Parts): void {
  app.get('/user/ssodata', { config: { errors: 'oauth' } }, async (http, reply) => {
    reply.headers({ 'cache-control': 'no-store', vary: 'Origin' });
    const client = await clientOf(http);
    const { origin } = http.headers;
    if (origin !== undefined && origin !== http.origin) {
      if (!client || !isWebOrigin(client, origin, matchRules(client, http.tenant))) return NOBODY;
      reply.headers({ 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' });
    } else if (http.headers['sec-fetch-site'] === 'cross-site') return NOBODY;
    return (await whoIsLoggedIn(http, client)) ?? NOBODY;
  });

  async function clientOf(http: FastifyRequest): Promise<Client | undefined> {
    const clientId = queryForm(http).values.client_id;
    return clientId ? parts.findClient(http.tenant.tenantId, clientId) : undefined;
  }

  async function whoIsLoggedIn(http: FastifyRequest, client: Client | undefined) {
    const { tenantId } = http.tenant;
    const cookie = parts.sessionCookie.read(http);
    const session = cookie && (await parts.sessions.findByCookie(tenantId, cookie));
    if (!session || !isAlive(session, http.tenant, parts.now())) return undefined;
    const user = await parts.findUser(tenantId, session.userId);
    const connection = await parts.findConnection(tenantId, session.connectionId);
    if (!user || user.blocked || !connection || connection.isSystem) return undefined;
    if (client && !connection.enabledClients.includes(client.clientId)) return undefined;
    return {
      sso: true,
      lastUsedConnection: { name: connection.name, strategy: connection.strategy },
      lastUsedUserID: user.userId,
      lastUsedUsername: user.email ?? user.username ?? user.name ?? user.userId,
      connection: connection.name,
      strategy: connection.strategy,
    };
  }
}
