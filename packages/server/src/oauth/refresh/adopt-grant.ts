import type { Client } from '../../clients/client.ts';
import { covers, needsConsent } from '../../consents/consent.ts';
import type { ConsentStore } from '../../consents/consent-store.ts';
import type { Transact } from '../../db/transact.ts';
import type { User } from '../../users/user.ts';
import type { UserStore } from '../../users/user-store.ts';
import type { UserAccess } from '../access/resolve-access.ts';
import type { TokenGrant, TokenGrantStore } from '../tokens/token-grant-store.ts';

interface Parts {
  readonly transact: Transact<{
    readonly users: Pick<UserStore, 'lock'>;
    readonly tokenGrants: Pick<TokenGrantStore, 'handOver'>;
    readonly consents: Pick<ConsentStore, 'find'>;
  }>;
}

/**
 * Tenant code has linked the user of a refresh token to another one, while the token was exchanged: linking ended its grant,
 * which goes on as the other user's. Not where it ended for another reason, nor where that user would have to be asked whether
 * the application may: there is nobody here who could answer.
 */
export function createGrantAdoption({ transact }: Parts) {
  return function adoptGrant(
    tenantId: string,
    client: Client,
    grant: TokenGrant,
    { user: { userId }, access: { api, scopes } }: { readonly user: User; readonly access: UserAccess },
  ): Promise<boolean> {
    return transact(async ({ users, tokenGrants, consents }) => {
      // What ends all access of this user waits here, or was there first.
      const user = await users.lock(tenantId, userId);
      if (!user || user.blocked) return false;
      if (needsConsent(client, api, true)) {
        const audience = api?.identifier ?? '';
        const given = await consents.find(tenantId, { userId, clientId: client.clientId, audience });
        if (!covers(given, scopes)) return false;
      }
      return tokenGrants.handOver(tenantId, grant, userId);
    });
  };
}

export type AdoptGrant = ReturnType<typeof createGrantAdoption>;
