import type { FastifyInstance } from 'fastify';
import type { Transact } from '../../db/transact.ts';
import { digest } from '../../kit/digest.ts';
import type { RecordEvent } from '../../logs/event.ts';
import { type AuthenticateClient, clientRequest } from '../client-authentication/authenticate-client.ts';
import { bodyParameters } from '../parameters.ts';
import type { RefreshTokenStore } from '../refresh/refresh-token-store.ts';
import type { TokenGrantStore } from '../tokens/token-grant-store.ts';

interface Parts {
  readonly authenticateClient: AuthenticateClient;
  readonly refreshTokens: RefreshTokenStore;
  readonly transact: Transact<{ tokenGrants: TokenGrantStore; record: RecordEvent }>;
  readonly now: () => Date;
}

/** POST /oauth/revoke: refresh tokens only; unknown ones get the same empty 200 (RFC 7009 section 2.2, authentication-api section 6). */
export function revocationRoutes(
  app: FastifyInstance,
  { authenticateClient, refreshTokens, transact, now }: Parts,
): void {
  app.post('/oauth/revoke', { config: { errors: 'oauth' }, bodyLimit: 65_536 }, async (request, reply) => {
    const { tenant, requester } = request;
    const parameters = bodyParameters(request);
    const client = await authenticateClient(clientRequest(request, parameters));
    const presented = parameters.require('token');
    const token = await refreshTokens.find(tenant.tenantId, digest(presented));
    if (token && token.grant.clientId === client.clientId && !token.grant.isRevoked) {
      await transact(async ({ tokenGrants, record }) => {
        if (!(await tokenGrants.revoke(tenant.tenantId, token.grantId, now()))) return;
        await record(tenant.tenantId, {
          ...requester,
          type: 'refreshTokenRevoked',
          clientId: client.clientId,
          clientName: client.name,
          userId: token.grant.userId,
          details: { token_id: token.tokenId },
        });
      });
    }
    return reply.header('cache-control', 'no-store').code(200).send();
  });
}
