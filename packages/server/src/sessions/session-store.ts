import { type Generated, type JSONColumnType, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { createGatherer } from '../db/gather.ts';
import { endOfJoined } from './joined-account-store.ts';
import { noteDeliveries } from './logout-delivery-store.ts';
import {
  type AuthenticationMethod,
  cookieHash,
  type LogoutInitiator,
  type NewSession,
  type Session,
  type SessionTouch,
} from './session.ts';

declare module '../db/database.ts' {
  interface Tables {
    sessions: SessionTable;
  }
}

interface SessionTable {
  tenant_id: string;
  session_id: string;
  cookie_hash: string;
  user_id: string;
  connection_id: string;
  authenticated_at: Date;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
  idle_expires_at: Date;
  expires_at: Date;
  device: JSONColumnType<Record<string, unknown>>;
  /** Client ids, each with the origin that it was used at last. */
  clients: Generated<Record<string, string>>;
  metadata: Generated<Record<string, unknown>>;
  methods: Generated<readonly Record<string, unknown>[]>;
  is_persistent: Generated<boolean>;
  is_idle_set: Generated<boolean>;
}

/** Who used a session: a client, at one of the tenant's origins. */
export interface SessionUse {
  readonly clientId: string;
  readonly origin: string;
  readonly ip?: string | undefined;
  readonly userAgent?: string | undefined;
}

export interface EndedSession {
  readonly sessionId: string;
  readonly userId: string;
}

/** The sessions that end: one by its id, the one of a cookie, or all of a user or a connection. */
export type SessionsToEnd =
  | { readonly sessionId: string; readonly userId?: string }
  | { readonly cookie: string }
  | { readonly connectionId: string }
  | { readonly userId: string };

/** What tenant code is told of a session. */
export interface SessionPast {
  readonly methods: readonly AuthenticationMethod[];
  readonly clients: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly device: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly idleExpiresAt: Date;
  readonly expiresAt: Date;
  readonly isPersistent: boolean;
}

export type SessionStore = ReturnType<typeof createSessionStore>;
export type SessionHistory = SessionStore['history'];

export function createSessionStore(db: Database) {
  const sessionsOf = (tenantId: string) =>
    db
      .selectFrom('sessions')
      .select(['session_id', 'user_id', 'connection_id', 'is_persistent', 'is_idle_set'])
      .select(['authenticated_at', 'updated_at', 'idle_expires_at', 'expires_at'])
      .where('tenant_id', '=', tenantId);

  return {
    async insert(tenantId: string, session: NewSession, device: Readonly<Record<string, string>>): Promise<void> {
      const { ip, user_agent } = device;
      await db
        .insertInto('sessions')
        .values({
          tenant_id: tenantId,
          session_id: session.sessionId,
          cookie_hash: cookieHash(session.cookie),
          user_id: session.userId,
          connection_id: session.connectionId,
          authenticated_at: session.authenticatedAt,
          created_at: session.authenticatedAt,
          updated_at: session.lastUsedAt,
          idle_expires_at: session.idleExpiresAt,
          expires_at: session.expiresAt,
          device: JSON.stringify({
            initial_ip: ip,
            initial_user_agent: user_agent,
            last_ip: ip,
            last_user_agent: user_agent,
          }),
          methods: sql`${JSON.stringify(session.methods)}::jsonb`,
          is_persistent: session.isPersistent,
        })
        .execute();
    },

    async findByCookie(tenantId: string, cookie: string): Promise<Session | undefined> {
      const row = await sessionsOf(tenantId).where('cookie_hash', '=', cookieHash(cookie)).executeTakeFirst();
      return row && sessionFromRow(row);
    },

    /** How its user proved who they are, and which applications it has logged in. */
    async history(tenantId: string, sessionId: string): Promise<SessionPast | undefined> {
      const row = await db
        .selectFrom('sessions')
        .select(['methods', 'clients', 'metadata', 'device', 'created_at', 'updated_at'])
        .select(['idle_expires_at', 'expires_at', 'is_persistent'])
        .where('tenant_id', '=', tenantId)
        .where('session_id', '=', sessionId)
        .executeTakeFirst();
      return row && historyFromRow(row);
    },

    /** Notes a use. False where the session ended meanwhile; otherwise it can't end before this transaction does. */
    async touch(tenantId: string, sessionId: string, touch: SessionTouch, use?: SessionUse): Promise<boolean> {
      const expiresAt = sql`coalesce(${touch.expiresAt ?? null}::timestamptz, expires_at)`;
      const result = await sql`
        update sessions set idle_expires_at = least(${touch.idleExpiresAt}::timestamptz, ${expiresAt}), expires_at = ${expiresAt},
          is_idle_set = ${touch.isIdleSet}, updated_at = ${touch.lastUsedAt},
          is_persistent = coalesce(${touch.isPersistent ?? null}::boolean, is_persistent)${
            use
              ? sql`,
          clients = clients || jsonb_build_object(${use.clientId}::text, ${use.origin}::text),
          device = device || ${JSON.stringify({ last_ip: use.ip, last_user_agent: use.userAgent })}::jsonb`
              : sql``
          }
        where tenant_id = ${tenantId} and session_id = ${sessionId}`.execute(db);
      return (result.numAffectedRows ?? 0n) > 0n;
    },

    /**
     * Ends sessions, and notes in the same statement which clients are to be told (OpenID Connect Back-Channel Logout 1.0):
     * those that the session logged in, that registered an address and that want to hear of this reason. Those which say
     * nothing hear of logouts. A session that ended because its user was linked does not go on after that either.
     */
    async end(
      tenantId: string,
      which: SessionsToEnd,
      initiator: LogoutInitiator,
      now: Date,
    ): Promise<readonly EndedSession[]> {
      const { rows } = await sql<{ session_id: string; user_id: string }>`
        with ended as (
          delete from sessions where tenant_id = ${tenantId} and ${matching(which)}
          returning tenant_id, session_id, user_id, clients, metadata
        ), told as (${noteDeliveries(initiator, now)})
        ${'connectionId' in which ? sql`` : sql`, joined as (${endOfJoined(tenantId, which)})`}
        select session_id, user_id from ended`.execute(db);
      return rows.map((row) => ({ sessionId: row.session_id, userId: row.user_id }));
    },

    /** Ends sessions of a tenant whose time is over, at most `limit`: their applications hear of that as well. */
    async endExpired(tenantId: string, now: Date, limit: number): Promise<void> {
      await sql`
        with ended as (
          delete from sessions where (tenant_id, session_id) in (
            select tenant_id, session_id from sessions
            where tenant_id = ${tenantId} and idle_expires_at <= ${now} limit ${limit} for update skip locked)
          returning tenant_id, session_id, user_id, clients, metadata
        ) ${noteDeliveries('session-expired', now)}`.execute(db);
    },

    /** Tenants that have sessions whose time is over. */
    async tenantsWithExpired(now: Date, limit: number): Promise<string[]> {
      const rows = db.selectFrom('sessions').select('tenant_id').where('idle_expires_at', '<=', now).distinct();
      return (await rows.limit(limit).execute()).map(({ tenant_id }) => tenant_id);
    },

    /** The session that a login takes over or ends: until its transaction does, nobody else touches it. */
    async lockByCookie(tenantId: string, cookie: string): Promise<Session | undefined> {
      const row = await sessionsOf(tenantId)
        .where('cookie_hash', '=', cookieHash(cookie))
        .forUpdate()
        .executeTakeFirst();
      return row && sessionFromRow(row);
    },

    /** The same user has proved again who they are: a new cookie and new lifetimes, and what the session carries stays. */
    async renew(tenantId: string, session: NewSession, device: Readonly<Record<string, string>>): Promise<void> {
      await sql`
        update sessions set cookie_hash = ${cookieHash(session.cookie)}, connection_id = ${session.connectionId},
          authenticated_at = ${session.authenticatedAt}, updated_at = ${session.lastUsedAt},
          idle_expires_at = ${session.idleExpiresAt}, expires_at = ${session.expiresAt},
          is_persistent = ${session.isPersistent}, is_idle_set = false, methods = ${JSON.stringify(session.methods)}::jsonb,
          device = device || ${JSON.stringify({ last_ip: device.ip, last_user_agent: device.user_agent })}::jsonb
        where tenant_id = ${tenantId} and session_id = ${session.sessionId}`.execute(db);
    },
  };
}

/** Finds sessions by their cookies, those that come at once in one statement. For the pool, not for a transaction. */
export function createSessionByCookieFinder(db: Database): SessionStore['findByCookie'] {
  const find = createGatherer<{ tenantId: string; hash: string }, Session>({
    textOf: ({ tenantId, hash }) => `${tenantId} ${hash}`,
    async ask(keys) {
      const { rows } = await sql<SessionRow & { tenant_id: string; cookie_hash: string }>`
        select session.tenant_id, cookie_hash, session_id, user_id, connection_id, is_persistent, is_idle_set,
          authenticated_at, updated_at, idle_expires_at, expires_at
        from unnest(${keys.map(({ tenantId }) => tenantId)}::text[], ${keys.map(({ hash }) => hash)}::text[]) asked(tenant_id, hash)
          cross join lateral (select * from sessions where tenant_id = asked.tenant_id and cookie_hash = asked.hash limit 1) session`.execute(
        db,
      );
      return new Map(rows.map((row) => [`${row.tenant_id} ${row.cookie_hash}`, sessionFromRow(row)]));
    },
  });
  return (tenantId, cookie) => find({ tenantId, hash: cookieHash(cookie) });
}

/** The same for those that come at once in one statement. For the pool, not for a transaction. */
export function createSessionHistoryFinder(db: Database): SessionHistory {
  const find = createGatherer<{ tenantId: string; sessionId: string }, Awaited<ReturnType<SessionHistory>>>({
    textOf: ({ tenantId, sessionId }) => `${tenantId} ${sessionId}`,
    async ask(keys) {
      const { rows } = await sql<HistoryRow & { tenant_id: string; session_id: string }>`
        select session.tenant_id, session.session_id, methods, clients, session.metadata, session.device, session.created_at,
          session.updated_at, session.idle_expires_at, session.expires_at, session.is_persistent
        from unnest(${keys.map(({ tenantId }) => tenantId)}::text[], ${keys.map(({ sessionId }) => sessionId)}::text[]) asked(tenant_id, id)
          join sessions session on session.tenant_id = asked.tenant_id and session.session_id = asked.id`.execute(db);
      return new Map(rows.map((row) => [`${row.tenant_id} ${row.session_id}`, historyFromRow(row)]));
    },
  });
  return (tenantId, sessionId) => find({ tenantId, sessionId });
}

type HistoryRow = Pick<SessionPast, 'metadata' | 'device'> & {
  methods: readonly Record<string, unknown>[];
  clients: Record<string, string>;
  created_at: Date;
  updated_at: Date;
  idle_expires_at: Date;
  expires_at: Date;
  is_persistent: boolean;
};

function historyFromRow({ methods, clients, metadata, device, ...row }: HistoryRow): SessionPast {
  return {
    methods: methods.map((method) => ({ name: String(method.name), timestamp: String(method.timestamp) })),
    clients: Object.keys(clients),
    metadata,
    device,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    idleExpiresAt: row.idle_expires_at,
    expiresAt: row.expires_at,
    isPersistent: row.is_persistent,
  };
}

type SessionRow = Pick<
  SessionTable,
  'session_id' | 'user_id' | 'connection_id' | 'authenticated_at' | 'idle_expires_at' | 'expires_at'
> & { updated_at: Date; is_persistent: boolean; is_idle_set: boolean };

export function sessionFromRow(row: SessionRow): Session {
  return {
    sessionId: row.session_id,
    userId: row.user_id,
    connectionId: row.connection_id,
    authenticatedAt: row.authenticated_at,
    lastUsedAt: row.updated_at,
    idleExpiresAt: row.idle_expires_at,
    expiresAt: row.expires_at,
    isPersistent: row.is_persistent,
    isIdleSet: row.is_idle_set,
  };
}

function matching(which: SessionsToEnd) {
  if ('cookie' in which) return sql`cookie_hash = ${cookieHash(which.cookie)}`;
  if ('connectionId' in which) return sql`connection_id = ${which.connectionId}`;
  if (!('sessionId' in which)) return sql`user_id = ${which.userId}`;
  const { sessionId, userId } = which;
  return userId === undefined ? sql`session_id = ${sessionId}` : sql`session_id = ${sessionId} and user_id = ${userId}`;
}
