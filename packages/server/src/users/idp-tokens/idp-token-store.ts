import { sql } from 'kysely';
import type { Database } from '../../db/database.ts';
import type { Sealer } from '../../kit/seal.ts';
import type { Identity } from '../user.ts';

/** What another system gave its user at a login there, as on the wire. */
export interface IdpTokens {
  readonly access_token?: string;
  readonly refresh_token?: string;
}

/** One identity of one user, with its tokens. */
export interface OwnedTokens extends Pick<Identity, 'provider' | 'userId' | 'connectionId'> {
  readonly ownerId: string;
  readonly tokens: IdpTokens;
}

type Key = Pick<Identity, 'provider' | 'userId' | 'connectionId'>;

export type IdpTokenStore = ReturnType<typeof createIdpTokenStore>;

/** Tokens of other systems: good there, so sealed here, and read by nothing but the Management API. */
export function createIdpTokenStore(db: Database, sealer: Sealer) {
  const contextOf = (tenantId: string, { provider, userId, connectionId }: Key) =>
    JSON.stringify([tenantId, 'user_identities', 'idp_tokens', provider, userId, connectionId]);

  return {
    async set(tenantId: string, identity: Key, tokens: IdpTokens): Promise<void> {
      const isEmpty = Object.keys(tokens).length === 0;
      const sealed = isEmpty ? null : sealer.seal(JSON.stringify(tokens), contextOf(tenantId, identity));
      await sql`
        update user_identities set idp_tokens = ${sealed}
        where tenant_id = ${tenantId} and provider = ${identity.provider} and identity_user_id = ${identity.userId}
          and connection_id = ${identity.connectionId}`.execute(db);
    },

    async ofUsers(tenantId: string, userIds: readonly string[]): Promise<OwnedTokens[]> {
      if (userIds.length === 0) return [];
      const { rows } = await sql<Key & { readonly ownerId: string; readonly sealed: Buffer }>`
        select user_id as "ownerId", provider, identity_user_id as "userId", connection_id as "connectionId",
          idp_tokens as sealed
        from user_identities
        where tenant_id = ${tenantId} and user_id = any(${[...userIds]}::text[]) and idp_tokens is not null`.execute(
        db,
      );
      return rows.map(({ sealed, ...key }) => ({
        ...key,
        tokens: JSON.parse(sealer.open(sealed, contextOf(tenantId, key)).toString()),
      }));
    },
  };
}
