import type { Generated, JSONColumnType } from 'kysely';
import type { Database } from '../../db/database.ts';

declare module '../../db/database.ts' {
  interface Tables {
    pushed_requests: PushedRequestTable;
  }
}

interface PushedRequestTable {
  tenant_id: string;
  request_hash: string;
  client_id: string;
  request: JSONColumnType<Record<string, string>>;
  created_at: Generated<Date>;
  expires_at: Date;
}

/** The parameters of an /authorize request that passed every check when it was pushed. */
export interface PushedRequest {
  readonly requestHash: string;
  readonly clientId: string;
  readonly request: Readonly<Record<string, string>>;
  readonly expiresAt: Date;
}

export type PushedRequestStore = ReturnType<typeof createPushedRequestStore>;

export function createPushedRequestStore(db: Database) {
  return {
    async insert(tenantId: string, pushed: PushedRequest): Promise<void> {
      await db
        .insertInto('pushed_requests')
        .values({
          tenant_id: tenantId,
          request_hash: pushed.requestHash,
          client_id: pushed.clientId,
          request: JSON.stringify(pushed.request),
          expires_at: pushed.expiresAt,
        })
        .execute();
    },

    /** Hands a request over to the client that pushed it. Of parallel callers, in however many processes, one gets it. */
    async take(
      tenantId: string,
      clientId: string,
      requestHash: string,
      now: Date,
    ): Promise<PushedRequest['request'] | undefined> {
      const row = await db
        .deleteFrom('pushed_requests')
        .where('tenant_id', '=', tenantId)
        .where('request_hash', '=', requestHash)
        .where('client_id', '=', clientId)
        .where('expires_at', '>', now)
        .returning('request')
        .executeTakeFirst();
      return row?.request;
    },
  };
}
