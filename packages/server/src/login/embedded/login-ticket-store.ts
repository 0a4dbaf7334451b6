import type { Generated } from 'kysely';
import type { Database } from '../../db/database.ts';
import { digest, equalSecrets } from '../../kit/digest.ts';

declare module '../../db/database.ts' {
  interface Tables {
    login_tickets: LoginTicketTable;
  }
}

interface LoginTicketTable {
  tenant_id: string;
  ticket_hash: string;
  verifier_hash: string;
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
}

export interface TicketSecrets {
  readonly ticket: string;
  /** Kept by the application's page, for browsers that send us no cookie from there (`co_verifier`). */
  readonly verifier: string;
  /** The cookie of the browser that sent the password. */
  readonly browser: string;
}

/** What a browser shows beside the ticket: our cookie, or the verifier that the application's page kept. */
export interface TicketProof {
  readonly browser: string | undefined;
  readonly verifier: string | undefined;
}

export type LoginTicketStore = ReturnType<typeof createLoginTicketStore>;

export function createLoginTicketStore(db: Database) {
  return {
    async insert(tenantId: string, secrets: TicketSecrets, ticket: LoginTicket, expiresAt: Date): Promise<void> {
      await db
        .insertInto('login_tickets')
        .values({
          tenant_id: tenantId,
          ticket_hash: digest(secrets.ticket),
          verifier_hash: digest(secrets.verifier),
          browser_hash: digest(secrets.browser),
          client_id: ticket.clientId,
          user_id: ticket.userId,
          connection_id: ticket.connectionId,
          expires_at: expiresAt,
        })
        .execute();
    },

    /** Whether the ticket could be redeemed with a verifier, without redeeming it. */
    async isLiving(tenantId: string, ticket: string, clientId: string, now: Date): Promise<boolean> {
      const row = await db
        .selectFrom('login_tickets')
        .select('ticket_hash')
        .where('tenant_id', '=', tenantId)
        .where('ticket_hash', '=', digest(ticket))
        .where('client_id', '=', clientId)
        .where('expires_at', '>', now)
        .executeTakeFirst();
      return row !== undefined;
    },

    /** Ends the ticket whoever presents it; what it says only to the client and the browser that it was made for. */
    async redeem(
      tenantId: string,
      ticket: string,
      clientId: string,
      proof: TicketProof,
      now: Date,
    ): Promise<LoginTicket | undefined> {
      const row = await db
        .deleteFrom('login_tickets')
        .where('tenant_id', '=', tenantId)
        .where('ticket_hash', '=', digest(ticket))
        .returning(['client_id', 'user_id', 'connection_id', 'browser_hash', 'verifier_hash', 'expires_at'])
        .executeTakeFirst();
      if (!row || row.client_id !== clientId || row.expires_at <= now) return undefined;
      const isProven =
        (proof.browser !== undefined && equalSecrets(digest(proof.browser), row.browser_hash)) ||
        (proof.verifier !== undefined && equalSecrets(digest(proof.verifier), row.verifier_hash));
      if (!isProven) return undefined;
      return { clientId: row.client_id, userId: row.user_id, connectionId: row.connection_id };
    },
  };
}
