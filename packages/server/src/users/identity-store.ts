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

/** What an identity was linked without: a proof of the user's address, or of its own. */
export interface IdentityMarks extends Pick<Identity, 'provider' | 'userId' | 'connectionId'> {
  readonly userUnproved: boolean;
  readonly addressUnproved: boolean;
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
    async moveAll(
      tenantId: string,
      fromUserId: string,
      toUserId: string,
      { userUnproved }: Pick<IdentityMarks, 'userUnproved'>,
    ): Promise<void> {
      await sql`
        update user_identities set user_id = ${toUserId}, user_unproved = user_unproved or ${userUnproved}, position = position + 1 + (
          select max(position) from user_identities where tenant_id = ${tenantId} and user_id = ${toUserId})
        where tenant_id = ${tenantId} and user_id = ${fromUserId}`.execute(db);
    },

    /** What the identities of a user were linked without. */
    async marksOf(tenantId: string, userId: string): Promise<IdentityMarks[]> {
      const { rows } = await sql<IdentityMarks>`
        select provider, identity_user_id as "userId", connection_id as "connectionId", user_unproved as "userUnproved",
          address_unproved as "addressUnproved"
        from user_identities where tenant_id = ${tenantId} and user_id = ${userId} order by position`.execute(db);
      return rows;
    },

    /** The user's address is another one, which nobody has proved: what is linked now was not linked by its owner. */
    async distrustLinked(tenantId: string, userId: string): Promise<void> {
      await sql`update user_identities set user_unproved = true
        where tenant_id = ${tenantId} and user_id = ${userId} and position > 0`.execute(db);
    },

    async distrustAddress(tenantId: string, identity: Identity): Promise<void> {
      await sql`update user_identities set address_unproved = true where ${isIdentity(tenantId, identity)}`.execute(db);
    },

    async remove(tenantId: string, identity: Identity): Promise<void> {
      await sql`delete from user_identities where ${isIdentity(tenantId, identity)}`.execute(db);
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
        update user_identities set user_id = ${userId}, position = 0, profile = '{}', user_unproved = false, address_unproved = false
        where ${isIdentity(tenantId, identity)}`.execute(db);
      if (numAffectedRows !== 1n) throw userErrors.identityNotFound();
    },
  };
}

function isIdentity(tenantId: string, { provider, userId, connectionId }: Identity) {
  return sql<boolean>`tenant_id = ${tenantId} and provider = ${provider} and identity_user_id = ${userId}
    and connection_id = ${connectionId}`;
}
