import { type Generated, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { NewTicket, Ticket, TicketPurpose } from './ticket.ts';

declare module '../db/database.ts' {
  interface Tables {
    tickets: TicketTable;
  }
}

interface TicketTable {
  tenant_id: string;
  user_id: string;
  purpose: TicketPurpose;
  ticket_hash: string;
  connection_id: string;
  identity_user_id: string;
  email: string | null;
  client_id: string | null;
  result_url: string | null;
  marks_email_verified: boolean;
  includes_email: boolean;
  login_state: string | null;
  language: string | null;
  /** Of links that this one took the place of, the youngest first. */
  former_hashes: Generated<readonly string[]>;
  created_at: Generated<Date>;
  used_at: Date | null;
  /** While somebody asks another database about it. */
  claimed_until: Date | null;
  expires_at: Date;
}

/** Whoever asks for more mails than this in a row has an old one that says nothing. */
const MOST_FORMER = 5;

export type TicketStore = ReturnType<typeof createTicketStore>;

export function createTicketStore(db: Database) {
  return {
    /**
     * Stores a ticket in place of the user's last one of this purpose. False where there is no such user with this address (a
     * linked identity has its own), or where they are blocked: the row is locked, so that a change of the user comes before this or finds the ticket.
     */
    async replace(tenantId: string, ticket: NewTicket): Promise<boolean> {
      const result = await sql`
        with person as (
          select u.tenant_id, u.user_id from users u
          where u.tenant_id = ${tenantId} and u.user_id = ${ticket.userId} and not u.blocked
            and ${ticket.email ?? ''} = coalesce(
              (select coalesce(i.profile ->> 'email', '') from user_identities i
                where i.tenant_id = u.tenant_id and i.user_id = u.user_id and i.connection_id = ${ticket.connectionId}
                  and i.identity_user_id = ${ticket.identityUserId} and exists (
                    select from user_identities main where main.tenant_id = i.tenant_id and main.user_id = i.user_id
                      and main.position < i.position)), u.email, '')
          for no key update of u
        )
        insert into tickets (tenant_id, user_id, purpose, ticket_hash, connection_id, identity_user_id, email, client_id,
          result_url, marks_email_verified, includes_email, login_state, language, created_at, expires_at)
        select tenant_id, user_id, ${ticket.purpose}, ${ticket.ticketHash}, ${ticket.connectionId}, ${ticket.identityUserId},
          ${ticket.email ?? null}, ${ticket.clientId ?? null}, ${ticket.resultUrl ?? null}, ${ticket.marksEmailVerified}::boolean,
          ${ticket.includesEmail}::boolean, ${ticket.loginState ?? null}, ${ticket.language ?? null}, ${ticket.createdAt}::timestamptz,
          ${ticket.expiresAt}::timestamptz
        from person
        on conflict on constraint tickets_pkey do update set
          former_hashes = case when tickets.email is not distinct from excluded.email and tickets.identity_user_id = excluded.identity_user_id
            then (array_prepend(tickets.ticket_hash, tickets.former_hashes))[1:${MOST_FORMER}::int] else '{}' end,
          ticket_hash = excluded.ticket_hash, connection_id = excluded.connection_id,
          identity_user_id = excluded.identity_user_id, email = excluded.email, client_id = excluded.client_id,
          result_url = excluded.result_url, marks_email_verified = excluded.marks_email_verified,
          includes_email = excluded.includes_email, login_state = excluded.login_state, language = excluded.language,
          created_at = excluded.created_at, used_at = null, claimed_until = null, expires_at = excluded.expires_at`.execute(
        db,
      );
      return result.numAffectedRows === 1n;
    },

    async find(tenantId: string, ticketHash: string, purpose: TicketPurpose): Promise<Ticket | undefined> {
      const row = await db
        .selectFrom('tickets')
        .selectAll()
        .where('tenant_id', '=', tenantId)
        .where('ticket_hash', '=', ticketHash)
        .where('purpose', '=', purpose)
        .executeTakeFirst();
      return row && fromRow(row);
    },

    /** The ticket that a link to verify an address belongs to, or that took its place. */
    async findVerification(tenantId: string, ticketHash: string): Promise<Ticket | undefined> {
      const row = await db
        .selectFrom('tickets')
        .selectAll()
        .where('tenant_id', '=', tenantId)
        .where('purpose', '=', 'email-verification')
        .where(sql<boolean>`(ticket_hash = ${ticketHash} or former_hashes @> array[${ticketHash}]::text[])`)
        .executeTakeFirst();
      return row && fromRow(row);
    },

    /** Of those who use a ticket at once, one gets true. */
    async use(tenantId: string, ticketHash: string, purpose: TicketPurpose, now: Date): Promise<boolean> {
      const result = await db
        .updateTable('tickets')
        .set({ used_at: now })
        .where('tenant_id', '=', tenantId)
        .where('ticket_hash', '=', ticketHash)
        .where('purpose', '=', purpose)
        .where('used_at', 'is', null)
        .where('expires_at', '>', now)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },

    /** Of those who claim a ticket at once one gets it, until the time is over or `release`. */
    async claim(tenantId: string, ticketHash: string, now: Date, until: Date): Promise<boolean> {
      const { numAffectedRows } = await sql`
        update tickets set claimed_until = ${until}::timestamptz
        where tenant_id = ${tenantId} and ticket_hash = ${ticketHash} and used_at is null and expires_at > ${now}::timestamptz
          and (claimed_until is null or claimed_until <= ${now}::timestamptz)`.execute(db);
      return numAffectedRows === 1n;
    },

    async release(tenantId: string, ticketHash: string): Promise<void> {
      await sql`
        update tickets set claimed_until = null where tenant_id = ${tenantId} and ticket_hash = ${ticketHash}`.execute(
        db,
      );
    },

    /** Stores a ticket again whose use came to nothing, unless a newer one was asked for or the user is gone. */
    async giveBack(tenantId: string, ticket: NewTicket): Promise<void> {
      await sql`
        insert into tickets (tenant_id, user_id, purpose, ticket_hash, connection_id, identity_user_id, email, client_id,
          result_url, marks_email_verified, includes_email, login_state, language, created_at, expires_at)
        select tenant_id, user_id, ${ticket.purpose}, ${ticket.ticketHash}, ${ticket.connectionId}, ${ticket.identityUserId},
          ${ticket.email ?? null}, ${ticket.clientId ?? null}, ${ticket.resultUrl ?? null}, ${ticket.marksEmailVerified}::boolean,
          ${ticket.includesEmail}::boolean, ${ticket.loginState ?? null}, ${ticket.language ?? null}, ${ticket.createdAt}::timestamptz,
          ${ticket.expiresAt}::timestamptz
        from users where tenant_id = ${tenantId} and user_id = ${ticket.userId} and not blocked
        on conflict do nothing`.execute(db);
    },

    async removeOfUser(tenantId: string, userId: string): Promise<void> {
      await db.deleteFrom('tickets').where('tenant_id', '=', tenantId).where('user_id', '=', userId).execute();
    },
  };
}

function fromRow(row: Omit<TicketTable, 'created_at' | 'former_hashes' | 'claimed_until'>): Ticket {
  return {
    purpose: row.purpose,
    userId: row.user_id,
    connectionId: row.connection_id,
    identityUserId: row.identity_user_id,
    email: row.email ?? undefined,
    clientId: row.client_id ?? undefined,
    resultUrl: row.result_url ?? undefined,
    marksEmailVerified: row.marks_email_verified,
    includesEmail: row.includes_email,
    loginState: row.login_state ?? undefined,
    language: row.language ?? undefined,
    usedAt: row.used_at ?? undefined,
    expiresAt: row.expires_at,
  };
}
