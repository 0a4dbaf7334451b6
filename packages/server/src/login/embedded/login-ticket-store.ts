import { type Generated, sql } from 'kysely';
import type { Database } from '../../db/database.ts';
import { digest, equalSecrets } from '../../kit/digest.ts';
import type { User } from '../../users/user.ts';

declare module '../../db/database.ts' {
  interface Tables {
    login_tickets: LoginTicketTable;
  }
}

interface LoginTicketTable {
  tenant_id: string;
  ticket_hash: string;
  /** Nothing reads it; a version before this one writes it. */
  verifier_hash: string | null;
  browser_hash: string;
  client_id: string;
  user_id: string;
  connection_id: string;
  created_at: Generated<Date>;
  expires_at: Date;
}

/** A password that was right, at a form of the application's own. */
export interface LoginTicket {
  readonly clientId: string;
  readonly userId: string;
  readonly connectionId: string;
  /** By the clock of the database, as the date of a new password is. */
  readonly createdAt: Date;
}

/** `user` as the password was checked. */
export type NewLoginTicket = Pick<LoginTicket, 'clientId' | 'connectionId'> & {
  readonly user: Pick<User, 'userId' | 'lastPasswordReset'>;
};

export interface TicketSecrets {
  readonly ticket: string;
  /** Kept by the application's page (`co_verifier`). Whoever made the ticket has it, so it proves nothing of a browser. */
  readonly verifier: string;
  /** The cookie of the browser that sent the password. */
  readonly browser: string;
}

export type LoginTicketStore = ReturnType<typeof createLoginTicketStore>;

export function createLoginTicketStore(db: Database) {
  return {
    /**
     * False where the user is gone, was blocked or got a new password since theirs was checked: the row is locked, so that
     * such a change comes before this or finds the ticket.
     */
    async insert(
      tenantId: string,
      secrets: TicketSecrets,
      { clientId, user, connectionId }: NewLoginTicket,
      expiresAt: Date,
    ): Promise<boolean> {
      const result = await sql`
        insert into login_tickets (tenant_id, ticket_hash, browser_hash, client_id, user_id, connection_id, expires_at)
        select tenant_id, ${digest(secrets.ticket)}, ${digest(secrets.browser)}, ${clientId}, user_id,
          ${connectionId}, ${expiresAt}::timestamptz
        from users
        where tenant_id = ${tenantId} and user_id = ${user.userId} and not blocked
          and date_trunc('milliseconds', last_password_reset) is not distinct from ${user.lastPasswordReset ?? null}::timestamptz
        for share`.execute(db);
      return result.numAffectedRows === 1n;
    },

    async removeOfUser(tenantId: string, userId: string): Promise<void> {
      await db.deleteFrom('login_tickets').where('tenant_id', '=', tenantId).where('user_id', '=', userId).execute();
    },

    /** Ends the ticket whoever presents it; what it says only to the client and the browser that it was made for. */
    async redeem(
      tenantId: string,
      ticket: string,
      clientId: string,
      browser: string | undefined,
      now: Date,
    ): Promise<LoginTicket | undefined> {
      const row = await db
        .deleteFrom('login_tickets')
        .where('tenant_id', '=', tenantId)
        .where('ticket_hash', '=', digest(ticket))
        .returning(['client_id', 'user_id', 'connection_id', 'browser_hash', 'created_at', 'expires_at'])
        .executeTakeFirst();
      if (!row || row.client_id !== clientId || row.expires_at <= now) return undefined;
      if (browser === undefined || !equalSecrets(digest(browser), row.browser_hash)) return undefined;
      return {
        clientId: row.client_id,
        userId: row.user_id,
        connectionId: row.connection_id,
        createdAt: row.created_at,
      };
    },
  };
}
