import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ConsentStore } from '../../consents/consent-store.ts';
import type { Transact } from '../../db/transact.ts';
import { digest } from '../../kit/digest.ts';
import type { RecordEvent } from '../../logs/event.ts';
import { settingsOf } from '../../tenants/tenant-settings.ts';
import { userNameOf } from '../../users/user.ts';
import type { UserStore } from '../../users/user-store.ts';
import { type AuthenticateClient, clientRequest } from '../client-authentication/authenticate-client.ts';
import { bodyParameters } from '../parameters.ts';
import type { PresentedRefreshToken, RefreshTokenStore } from '../refresh/refresh-token-store.ts';
import type { TokenGrantStore } from '../tokens/token-grant-store.ts';

interface Stores {
  readonly tokenGrants: Pick<TokenGrantStore, 'revoke' | 'revokeOfConsent'>;
  readonly consents: Pick<ConsentStore, 'withdraw'>;
  readonly users: Pick<UserStore, 'find'>;
  readonly record: RecordEvent;
}

interface Parts {
  readonly authenticateClient: AuthenticateClient;
  readonly refreshTokens: RefreshTokenStore;
  readonly transact: Transact<Stores>;
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
    if (token && token.grant.clientId === client.clientId) {
      await transact(async ({ tokenGrants, consents, users, record }) => {
        if (!(await tokenGrants.revoke(tenant.tenantId, token.grantId, now()))) return;
        if (settingsOf(tenant).flags.revoke_refresh_token_grant)
          await endGrant({ tokenGrants, consents }, request, token);
        const user = await users.find(tenant.tenantId, token.grant.userId);
        await record(tenant.tenantId, {
          ...requester,
          type: 'refreshTokenRevoked',
          clientId: client.clientId,
          clientName: client.name,
          userId: token.grant.userId,
          ...(user && { userName: userNameOf(user) }),
          details: { token_id: token.tokenId },
        });
      });
    }
    return reply.header('cache-control', 'no-store').code(200).send();
  });

  /** Where the tenant wants it, all that the user allowed the client at this API ends with the token. */
  async function endGrant(
    { tokenGrants, consents }: Pick<Stores, 'tokenGrants' | 'consents'>,
    { tenant }: FastifyRequest,
    { grant: { userId, clientId, audience } }: PresentedRefreshToken,
  ): Promise<void> {
    const isAbout = (other: string | undefined) => other === audience;
    await tokenGrants.revokeOfConsent(tenant.tenantId, { userId, clientId }, isAbout, now());
    await consents.withdraw(tenant.tenantId, { userId, clientId, audience: audience ?? '' });
  }
}
