import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { type Identity, type Metadata, type User, userErrors } from './user.ts';
import { profileColumn } from './user-rows.ts';
import { translatingConflicts } from './user-store.ts';

/** Where an identity belongs. */
export interface IdentityOwner {
  readonly userId: string;
  readonly connectionId: string;
}

/** The part of a user that an identity of another connection brings along when it becomes a user of its own. */
export type IdentityProfile = Pick<
  User,
  | 'email'
  | 'emailVerified'
  | 'phoneNumber'
  | 'phoneVerified'
  | 'username'
  | 'name'
  | 'nickname'
  | 'givenName'
  | 'familyName'
  | 'picture'
  | 'profile'
>;

export type IdentityStore = ReturnType<typeof createIdentityStore>;

/** Identities that move between users. */
export function createIdentityStore(db: Database) {
  return {
    /** Several where the same id is known in several connections of one provider. */
    async owners(
      tenantId: string,
      provider: string,
      identityUserId: string,
      connectionId: string | undefined,
    ): Promise<IdentityOwner[]> {
      const { rows } = await sql<{ user_id: string; connection_id: string }>`
        select user_id, connection_id from user_identities
        where tenant_id = ${tenantId} and provider = ${provider} and identity_user_id = ${identityUserId}
          ${connectionId === undefined ? sql`` : sql`and connection_id = ${connectionId}`} limit 2`.execute(db);
      return rows.map((row) => ({ userId: row.user_id, connectionId: row.connection_id }));
    },

    /** Hands all identities of one user to another, behind those that are there. Both users are locked. */
    async moveAll(tenantId: string, fromUserId: string, toUserId: string): Promise<void> {
      await sql`
        update user_identities set user_id = ${toUserId}, position = position + 1 + (
          select max(position) from user_identities where tenant_id = ${tenantId} and user_id = ${toUserId})
        where tenant_id = ${tenantId} and user_id = ${fromUserId}`.execute(db);
    },

    async setProfile(tenantId: string, identity: Identity, profile: Metadata): Promise<void> {
      await sql`update user_identities set profile = ${JSON.stringify(profile)}::jsonb
        where ${isIdentity(tenantId, identity)}`.execute(db);
    },

    /** Makes a user of an identity: with its profile, and with nothing of the user that it belonged to. */
    async split(tenantId: string, identity: Identity, userId: string, user: IdentityProfile): Promise<void> {
      await translatingConflicts(
        sql`insert into users (tenant_id, user_id, email, email_verified, phone_number, phone_verified, username, blocked, profile)
          values (${tenantId}, ${userId}, ${user.email}, ${user.emailVerified}, ${user.phoneNumber}, ${user.phoneVerified},
            ${user.username}, false, ${profileColumn(user)}::jsonb)`.execute(db),
      );
      const { numAffectedRows } = await sql`
        update user_identities set user_id = ${userId}, position = 0, profile = '{}'
        where ${isIdentity(tenantId, identity)}`.execute(db);
      if (numAffectedRows !== 1n) throw userErrors.identityNotFound();
    },
  };
}

function isIdentity(tenantId: string, { provider, userId, connectionId }: Identity) {
  return sql<boolean>`tenant_id = ${tenantId} and provider = ${provider} and identity_user_id = ${userId}
    and connection_id = ${connectionId}`;
}
