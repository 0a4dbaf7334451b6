import type { Generated, JSONColumnType } from 'kysely';
import type { Database } from '../db/database.ts';
import { cookieHash, type NewSession, type Session } from './session.ts';

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
}

export type SessionStore = ReturnType<typeof createSessionStore>;

export function createSessionStore(db: Database) {
  return {
    async insert(tenantId: string, session: NewSession, device: Readonly<Record<string, string>>): Promise<void> {
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
          device: JSON.stringify(device),
        })
        .execute();
    },

    async findByCookie(tenantId: string, cookie: string): Promise<Session | undefined> {
      const row = await db
        .selectFrom('sessions')
        .select(['session_id', 'user_id', 'connection_id'])
        .select(['authenticated_at', 'updated_at', 'idle_expires_at', 'expires_at'])
        .where('tenant_id', '=', tenantId)
        .where('cookie_hash', '=', cookieHash(cookie))
        .executeTakeFirst();
      return (
        row && {
          sessionId: row.session_id,
          userId: row.user_id,
          connectionId: row.connection_id,
          authenticatedAt: row.authenticated_at,
          lastUsedAt: row.updated_at,
          idleExpiresAt: row.idle_expires_at,
          expiresAt: row.expires_at,
        }
      );
    },

    /** Notes a use. False where the session ended meanwhile; otherwise it can't end before this transaction does. */
    async touch(tenantId: string, sessionId: string, idleExpiresAt: Date, now: Date): Promise<boolean> {
      const result = await db
        .updateTable('sessions')
        .set({ idle_expires_at: idleExpiresAt, updated_at: now })
        .where('tenant_id', '=', tenantId)
        .where('session_id', '=', sessionId)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },

    /** The session that ended, or undefined where none was there (any more). */
    async removeByCookie(tenantId: string, cookie: string): Promise<{ sessionId: string; userId: string } | undefined> {
      const row = await db
        .deleteFrom('sessions')
        .where('tenant_id', '=', tenantId)
        .where('cookie_hash', '=', cookieHash(cookie))
        .returning(['session_id', 'user_id'])
        .executeTakeFirst();
      return row && { sessionId: row.session_id, userId: row.user_id };
    },

    async removeOfUser(tenantId: string, userId: string): Promise<void> {
      await db.deleteFrom('sessions').where('tenant_id', '=', tenantId).where('user_id', '=', userId).execute();
    },
  };
}
