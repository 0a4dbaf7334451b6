import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { lifetimes, type Session } from './session.ts';
import { MOST_BYTES, MOST_KEYS } from './session-metadata.ts';
import { sessionFromRow } from './session-store.ts';

/** A session with all that the Management API shows of it. */
export interface ListedSession extends Session {
  readonly createdAt: Date;
  readonly device: Readonly<Record<string, unknown>>;
  readonly clientIds: readonly string[];
  readonly methods: readonly Readonly<Record<string, unknown>>[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

export type SessionListStore = ReturnType<typeof createSessionListStore>;

/** Living sessions of ordinary users, for the Management API, which knows no administrators. */
export function createSessionListStore(db: Database) {
  async function living(tenant: Tenant, now: Date, condition: RawBuilder<unknown>): Promise<ListedSession[]> {
    const { rows } = await sql<ListedRow>`
      select s.session_id, s.user_id, s.connection_id, s.authenticated_at, s.created_at, s.updated_at, s.idle_expires_at,
        s.expires_at, s.is_persistent, s.is_idle_set, s.device, s.clients, s.methods, s.metadata
      from sessions s join users u on u.tenant_id = s.tenant_id and u.user_id = s.user_id and not u.is_system
      where s.tenant_id = ${tenant.tenantId} and s.idle_expires_at > ${now} and s.expires_at > ${now}
        and ${isWithinSettings(tenant, now)} and ${condition}`.execute(db);
    return rows.map(listedFromRow);
  }

  return {
    async find(tenant: Tenant, sessionId: string, now: Date): Promise<ListedSession | undefined> {
      const [session] = await living(tenant, now, sql`s.session_id = ${sessionId}`);
      return session;
    },

    async ofUser(
      tenant: Tenant,
      userId: string,
      now: Date,
      after: string | undefined,
      limit: number,
    ): Promise<ListedSession[]> {
      return living(
        tenant,
        now,
        sql`s.user_id = ${userId} and s.session_id > ${after ?? ''} order by s.session_id limit ${limit}`,
      );
    },

    async countOfUser(tenant: Tenant, userId: string, now: Date): Promise<number> {
      const { rows } = await sql<{ total: string }>`
        select count(*) as total from sessions s where s.tenant_id = ${tenant.tenantId} and s.user_id = ${userId}
          and s.idle_expires_at > ${now} and s.expires_at > ${now} and ${isWithinSettings(tenant, now)}`.execute(db);
      return Number(rows[0]?.total ?? 0);
    },

    /** Members that are null go. What would be more than a session may carry is left as it was. */
    async changeMetadata(
      tenantId: string,
      sessionId: string,
      { change, empties }: { readonly change: Readonly<Record<string, unknown>>; readonly empties: boolean },
    ): Promise<void> {
      const members = Object.entries(change);
      const removed = members.filter(([, value]) => value === null).map(([name]) => name);
      const set = Object.fromEntries(members.filter(([, value]) => value !== null));
      const before = sql`case when ${empties}::boolean then '{}'::jsonb else metadata end`;
      const after = sql`((${before}) - ${removed}::text[]) || ${JSON.stringify(set)}::jsonb`;
      await sql`update sessions set metadata = ${after}
        where tenant_id = ${tenantId} and session_id = ${sessionId}
          and (select count(*) from jsonb_object_keys(${after})) <= ${MOST_KEYS} and octet_length((${after})::text) <= ${MOST_BYTES}`.execute(
        db,
      );
    },

    async setMetadata(tenantId: string, sessionId: string, metadata: Readonly<Record<string, unknown>>): Promise<void> {
      await sql`update sessions set metadata = ${JSON.stringify(metadata)}::jsonb
        where tenant_id = ${tenantId} and session_id = ${sessionId}`.execute(db);
    },
  };
}

interface ListedRow {
  session_id: string;
  user_id: string;
  connection_id: string;
  authenticated_at: Date;
  created_at: Date;
  updated_at: Date;
  idle_expires_at: Date;
  expires_at: Date;
  is_persistent: boolean;
  is_idle_set: boolean;
  device: Record<string, unknown>;
  clients: Record<string, string>;
  methods: readonly Record<string, unknown>[];
  metadata: Record<string, unknown>;
}

/** Shorter settings of the tenant end sessions at once, whatever their rows say. */
function isWithinSettings(tenant: Tenant, now: Date): RawBuilder<boolean> {
  const before = (milliseconds: number) => new Date(now.getTime() - milliseconds);
  const within = (isPersistent: boolean) => {
    const { absolute, idle } = lifetimes(tenant, { isPersistent });
    return sql`(s.is_persistent = ${isPersistent} and s.authenticated_at > ${before(absolute)}
      and (s.is_idle_set or s.updated_at > ${before(idle)}))`;
  };
  return sql<boolean>`(${within(true)} or ${within(false)})`;
}

function listedFromRow(row: ListedRow): ListedSession {
  return {
    ...sessionFromRow(row),
    createdAt: row.created_at,
    device: row.device,
    clientIds: Object.keys(row.clients),
    methods: row.methods,
    metadata: row.metadata,
  };
}
