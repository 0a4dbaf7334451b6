import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { User } from '../users/user.ts';
import { cookieHash } from './session.ts';

declare module '../db/database.ts' {
  interface Tables {
    joined_accounts: JoinedAccountTable;
  }
}

interface JoinedAccountTable {
  tenant_id: string;
  account_id: string;
  user_id: string;
  blocked: boolean;
  last_password_reset: Date | null;
  sessions: string[];
  expires_at: Date;
}

/** An account, by the id that it had, and the user whom it joined. */
export interface Joining {
  readonly accountId: string;
  readonly userId: string;
}

export type JoinedAccountStore = ReturnType<typeof createJoinedAccountStore>;

/**
 * What accounts were when they joined others. Of a login that is under way it tells whether it ended because its user was
 * linked, or before that: logged out, blocked, with a new password. Whoever asks holds the row of the user who is left.
 */
export function createJoinedAccountStore(db: Database) {
  return {
    /** Before the account's sessions end. Both users are locked. */
    async note(
      tenantId: string,
      { userId: accountId, blocked, lastPasswordReset }: User,
      userId: string,
    ): Promise<void> {
      // Of two links in a row the last one counts for all.
      await sql`update joined_accounts set user_id = ${userId}
        where tenant_id = ${tenantId} and user_id = ${accountId}`.execute(db);
      await sql`
        insert into joined_accounts (tenant_id, account_id, user_id, blocked, last_password_reset, sessions, expires_at)
        select ${tenantId}, ${accountId}, ${userId}, ${blocked}::boolean, ${lastPasswordReset ?? null}::timestamptz,
          array(select unnest(array[session_id, cookie_hash]) from sessions
            where tenant_id = ${tenantId} and user_id = ${accountId}),
          now() + interval '10 minutes'
        on conflict (tenant_id, account_id) do update set user_id = excluded.user_id, blocked = excluded.blocked,
          last_password_reset = excluded.last_password_reset, sessions = excluded.sessions, expires_at = excluded.expires_at`.execute(
        db,
      );
    },

    /** True where the session ended because its account joined the user; once. */
    async takeSession(
      tenantId: string,
      { accountId, userId }: Joining,
      { sessionId, cookie }: { readonly sessionId: string; readonly cookie: string },
    ): Promise<boolean> {
      const hash = cookieHash(cookie);
      const result = await sql`
        update joined_accounts set sessions = array_remove(array_remove(sessions, ${sessionId}), ${hash})
        where tenant_id = ${tenantId} and account_id = ${accountId} and user_id = ${userId}
          and sessions @> array[${sessionId}, ${hash}]::text[]`.execute(db);
      return (result.numAffectedRows ?? 0n) > 0n;
    },

    /** True where who logged in with the account might have done so until it joined the user, and since. */
    async isGood(
      tenantId: string,
      { userId: accountId, lastPasswordReset }: Pick<User, 'userId' | 'lastPasswordReset'>,
      userId: string,
    ): Promise<boolean> {
      const { rows } = await sql`
        select from joined_accounts
        where tenant_id = ${tenantId} and account_id = ${accountId} and user_id = ${userId} and not blocked
          and date_trunc('milliseconds', last_password_reset) is not distinct from ${lastPasswordReset ?? null}::timestamptz`.execute(
        db,
      );
      return rows.length > 0;
    },
  };
}

/** For the statement that ends sessions: what ended as well, of accounts that have joined their user. */
export function endOfJoined(
  tenantId: string,
  which: { readonly userId: string } | { readonly cookie: string } | { readonly sessionId: string },
): RawBuilder<unknown> {
  if (!('cookie' in which) && !('sessionId' in which))
    return sql`delete from joined_accounts where tenant_id = ${tenantId} and user_id = ${which.userId}`;
  const name = 'cookie' in which ? cookieHash(which.cookie) : which.sessionId;
  return sql`update joined_accounts set sessions = array_remove(sessions, ${name})
    where tenant_id = ${tenantId} and sessions @> array[${name}]::text[]`;
}
