import { sql } from 'kysely';
import { violatedConstraint } from '../db/constraint.ts';
import type { Database } from '../db/database.ts';
import { type Identity, type Metadata, type User, userErrors } from './user.ts';
import { fromRow, profileColumn, type UserRow, userColumns } from './user-rows.ts';

/** What a new row of `users` and its first identity are made of; the times come from the database. */
export type UserToInsert = Omit<
  User,
  | 'identities'
  | 'loginsCount'
  | 'lastLogin'
  | 'lastIp'
  | 'lastPasswordReset'
  | 'reportedPasswordReset'
  | 'createdAt'
  | 'updatedAt'
>;

export interface IdentityToInsert {
  readonly connectionId: string;
  readonly provider: string;
  readonly identityUserId: string;
  readonly passwordHash: string | undefined;
  readonly profileData: Metadata;
}

/** Everything that a password login needs of one user. */
export interface LoginIdentity {
  readonly user: User;
  readonly identity: Identity;
  readonly passwordHash: string | undefined;
}

/** An identifier in each of the forms in which a directory may know it. */
export interface LoginKeys {
  readonly email: string | undefined;
  readonly username: string | undefined;
  readonly phone: string | undefined;
}

export type UserStore = ReturnType<typeof createUserStore>;

export function createUserStore(db: Database) {
  return {
    /** The user and the identity in one statement: there is never one without the other. */
    async insert(tenantId: string, user: UserToInsert, identity: IdentityToInsert): Promise<void> {
      await translatingConflicts(
        sql`with made as (
          insert into users (tenant_id, user_id, email, email_verified, phone_number, phone_verified, username, blocked,
            profile, user_metadata, app_metadata, is_system)
          values (${tenantId}, ${user.userId}, ${user.email}, ${user.emailVerified}, ${user.phoneNumber}, ${user.phoneVerified},
            ${user.username}, ${user.blocked}, ${profileColumn(user)}::jsonb, ${JSON.stringify(user.userMetadata)}::jsonb,
            ${JSON.stringify(user.appMetadata)}::jsonb, ${user.isSystem})
          returning tenant_id, user_id, email, username, phone_number
        )
        insert into user_identities (tenant_id, provider, identity_user_id, user_id, connection_id, email_key, username_key,
          phone_key, password_hash, profile)
        select tenant_id, ${identity.provider}, ${identity.identityUserId}, user_id, ${identity.connectionId}, email, username,
          phone_number, ${identity.passwordHash}, ${JSON.stringify(identity.profileData)}::jsonb from made`.execute(db),
      );
    },

    async find(tenantId: string, userId: string): Promise<User | undefined> {
      const { rows } = await sql<UserRow>`
        select ${userColumns} from users u where u.tenant_id = ${tenantId} and u.user_id = ${userId}`.execute(db);
      return rows[0] && fromRow(rows[0]);
    },

    /** Locks the user's row until the transaction ends: changes that read before they write follow each other. */
    async lock(tenantId: string, userId: string): Promise<User | undefined> {
      const { rows } = await sql<UserRow>`
        select ${userColumns} from users u where u.tenant_id = ${tenantId} and u.user_id = ${userId} for no key update of u`.execute(
        db,
      );
      return rows[0] && fromRow(rows[0]);
    },

    /** The identity that a login names. Where a username looks like another's e-mail, the e-mail wins. */
    async findLogin(tenantId: string, connectionId: string, keys: LoginKeys): Promise<LoginIdentity | undefined> {
      const { rows } = await sql<
        UserRow & { login_user_id: string; login_provider: string; password_hash: string | null }
      >`
        select ${userColumns}, own.provider as login_provider, own.identity_user_id as login_user_id, own.password_hash
        from user_identities own join users u on u.tenant_id = own.tenant_id and u.user_id = own.user_id
        where own.tenant_id = ${tenantId} and own.connection_id = ${connectionId}
          and (own.email_key = ${keys.email} or own.username_key = ${keys.username} or own.phone_key = ${keys.phone})
        order by own.email_key = ${keys.email} desc nulls last, own.username_key = ${keys.username} desc nulls last
        limit 1`.execute(db);
      const [row] = rows;
      if (!row) return undefined;
      const user = fromRow(row);
      const identity = user.identities.find(
        (one) =>
          one.connectionId === connectionId && one.provider === row.login_provider && one.userId === row.login_user_id,
      );
      return identity && { user, identity, passwordHash: row.password_hash ?? undefined };
    },

    /** Writes the user's own columns; identities have their own methods. */
    async update(tenantId: string, user: User): Promise<void> {
      await sql`
        update users set email = ${user.email}, email_verified = ${user.emailVerified}, phone_number = ${user.phoneNumber},
          phone_verified = ${user.phoneVerified}, username = ${user.username}, blocked = ${user.blocked},
          profile = ${profileColumn(user)}::jsonb, user_metadata = ${JSON.stringify(user.userMetadata)}::jsonb,
          app_metadata = ${JSON.stringify(user.appMetadata)}::jsonb, updated_at = now()
        where tenant_id = ${tenantId} and user_id = ${user.userId}`.execute(db);
    },

    /** Changes by what an identity logs in. */
    async updateKeys(tenantId: string, identity: Identity, keys: LoginKeys): Promise<void> {
      await translatingConflicts(
        sql`update user_identities set email_key = ${keys.email}, username_key = ${keys.username}, phone_key = ${keys.phone}
          where ${isIdentity(tenantId, identity)}`.execute(db),
      );
    },

    /**
     * One more login. Answers how many there were; undefined when the user is gone, blocked or has a new password since
     * `user` was read: what ends all access waits for this row, or was there first.
     */
    async recordLogin(
      tenantId: string,
      { userId, lastPasswordReset }: Pick<User, 'userId' | 'lastPasswordReset'>,
      ip: string,
    ): Promise<number | undefined> {
      const { rows } = await sql<{ logins_count: string }>`
        update users set logins_count = logins_count + 1, last_login = now(), last_ip = ${ip}, updated_at = now()
        where tenant_id = ${tenantId} and user_id = ${userId} and not blocked
          and date_trunc('milliseconds', last_password_reset) is not distinct from ${lastPasswordReset ?? null}::timestamptz
        returning logins_count`.execute(db);
      return rows[0] && Number(rows[0].logins_count);
    },

    /** Sessions, grants, tokens, roles and permissions go with the user. */
    async remove(tenantId: string, userId: string): Promise<void> {
      await sql`delete from users where tenant_id = ${tenantId} and user_id = ${userId}`.execute(db);
    },

    /** Locks all who log in with a connection, in the order of their ids: who ends a user's sessions holds the user first. */
    async lockOfConnection(tenantId: string, connectionId: string): Promise<void> {
      await sql`
        select from users where tenant_id = ${tenantId} and user_id in (
          select user_id from user_identities where tenant_id = ${tenantId} and connection_id = ${connectionId})
        order by user_id for update`.execute(db);
    },

    /** Removes the user of a directory with this e-mail, or the identity where it is linked to another connection's user. */
    async removeByEmail(tenantId: string, connectionId: string, email: string): Promise<void> {
      await sql`
        delete from users u using user_identities i
        where i.tenant_id = ${tenantId} and i.connection_id = ${connectionId} and i.email_key = ${email}
          and u.tenant_id = i.tenant_id and u.user_id = i.user_id and not exists (
            select from user_identities main where main.tenant_id = i.tenant_id and main.user_id = i.user_id
              and main.position < i.position)`.execute(db);
      await sql`
        delete from user_identities
        where tenant_id = ${tenantId} and connection_id = ${connectionId} and email_key = ${email}`.execute(db);
    },
  };
}

function isIdentity(tenantId: string, { provider, userId, connectionId }: Identity) {
  return sql<boolean>`tenant_id = ${tenantId} and provider = ${provider} and identity_user_id = ${userId}
    and connection_id = ${connectionId}`;
}

export async function translatingConflicts<Result>(statement: Promise<Result>): Promise<Result> {
  try {
    return await statement;
  } catch (cause) {
    switch (violatedConstraint(cause)) {
      case 'users_pkey':
      case 'user_identities_pkey':
      case 'user_identities_email_taken':
      case 'user_identities_phone_taken':
        throw userErrors.alreadyExists({}, { cause });
      case 'user_identities_username_taken':
        throw userErrors.usernameTaken({}, { cause });
      // The connection was deleted after it was looked up.
      case 'user_identities_tenant_id_connection_id_fkey':
        throw userErrors.unknownConnection({}, { cause });
      default:
        throw cause;
    }
  }
}
