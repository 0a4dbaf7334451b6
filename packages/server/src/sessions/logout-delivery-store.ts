import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { LogoutInitiator } from './session.ts';

declare module '../db/database.ts' {
  interface Tables {
    logout_deliveries: LogoutDeliveryTable;
  }
}

interface LogoutDeliveryTable {
  tenant_id: string;
  delivery_id: string;
  client_id: string;
  url: string;
  issuer: string;
  user_id: string;
  session_id: string;
  session_metadata: Record<string, unknown> | null;
  initiator: string;
  attempts: number;
  created_at: Date;
  due_at: Date;
}

/** A logout token to be sent to one address of one client. */
export interface LogoutDelivery {
  readonly deliveryId: string;
  readonly clientId: string;
  readonly url: string;
  /** Of the tokens that the client has of this session. */
  readonly issuer: string;
  readonly userId: string;
  readonly sessionId: string;
  /** Undefined where the client did not ask for it. */
  readonly sessionMetadata: Readonly<Record<string, unknown>> | undefined;
  readonly initiator: string;
  /** The present one counts. */
  readonly attempts: number;
}

export type LogoutDeliveryStore = ReturnType<typeof createLogoutDeliveryStore>;

export function createLogoutDeliveryStore(db: Database) {
  return {
    /** In no order: where there are more than `limit`, each has its turn. */
    async tenantsWithDue(now: Date, limit: number): Promise<string[]> {
      const { rows } = await sql<{ tenant_id: string }>`
        select tenant_id from (select distinct tenant_id from logout_deliveries where due_at <= ${now}) as due
        order by random() limit ${limit}`.execute(db);
      return rows.map(({ tenant_id }) => tenant_id);
    },

    /** Takes deliveries that are due. Until `leaseEnd` nobody else does; a process that dies leaves them to the next one. */
    async claim(tenantId: string, now: Date, leaseEnd: Date, limit: number): Promise<LogoutDelivery[]> {
      const { rows } = await sql<LogoutDeliveryTable>`
        update logout_deliveries set due_at = ${leaseEnd}, attempts = attempts + 1
        where (tenant_id, delivery_id) in (
          select tenant_id, delivery_id from logout_deliveries where tenant_id = ${tenantId} and due_at <= ${now}
          order by due_at limit ${limit} for update skip locked)
        returning *`.execute(db);
      return rows.map((row) => ({
        deliveryId: row.delivery_id,
        clientId: row.client_id,
        url: row.url,
        issuer: row.issuer,
        userId: row.user_id,
        sessionId: row.session_id,
        sessionMetadata: row.session_metadata ?? undefined,
        initiator: row.initiator,
        attempts: row.attempts,
      }));
    },

    /** False where somebody else has finished it: a lease was over before its process was. */
    async finish(tenantId: string, { deliveryId, attempts }: LogoutDelivery): Promise<boolean> {
      const { numAffectedRows } = await sql`delete from logout_deliveries
        where tenant_id = ${tenantId} and delivery_id = ${deliveryId} and attempts = ${attempts}`.execute(db);
      return numAffectedRows === 1n;
    },

    async postpone(tenantId: string, { deliveryId, attempts }: LogoutDelivery, dueAt: Date): Promise<boolean> {
      const { numAffectedRows } = await sql`update logout_deliveries set due_at = ${dueAt}
        where tenant_id = ${tenantId} and delivery_id = ${deliveryId} and attempts = ${attempts}`.execute(db);
      return numAffectedRows === 1n;
    },
  };
}

/**
 * One row for each session of the query `ended` and each address that hears of its end: of clients that the session logged
 * in, that registered an address and that want to hear of this reason. Those which say nothing hear of logouts.
 */
export function noteDeliveries(initiator: LogoutInitiator, now: Date) {
  return sql`
    insert into logout_deliveries (tenant_id, delivery_id, client_id, url, issuer, user_id, session_id, session_metadata,
      initiator, created_at, due_at)
    select ended.tenant_id, gen_random_uuid()::text, client.client_id, address.url, used.origin || '/', ended.user_id,
      ended.session_id,
      case when (rules.logout->'backchannel_logout_session_metadata'->>'include')::boolean then ended.metadata end,
      ${initiator}::text, ${now}::timestamptz, ${now}::timestamptz
    from ended
      cross join lateral jsonb_each_text(ended.clients) used(client_id, origin)
      join clients client on client.tenant_id = ended.tenant_id and client.client_id = used.client_id
      cross join lateral (select coalesce(client.body->'oidc_logout', client.body->'oidc_backchannel_logout') as logout) rules
      cross join lateral jsonb_array_elements_text(rules.logout->'backchannel_logout_urls') address(url)
    where rules.logout->'backchannel_logout_initiators'->>'mode' = 'all'
      or coalesce(rules.logout->'backchannel_logout_initiators'->'selected_initiators', '["rp-logout", "idp-logout"]')
        @> to_jsonb(${initiator}::text)`;
}
