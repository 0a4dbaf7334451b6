import { type Generated, sql } from 'kysely';
import { violatedConstraint } from '../db/constraint.ts';
import type { Database } from '../db/database.ts';
import { connectionErrors } from './connection.ts';

declare module '../db/database.ts' {
  interface Tables {
    connection_clients: ConnectionClientTable;
  }
}

interface ConnectionClientTable {
  tenant_id: string;
  connection_id: string;
  client_id: string;
  seq: Generated<string>;
}

export interface EnabledClient {
  readonly clientId: string;
  readonly seq: string;
}

export type ConnectionClientStore = ReturnType<typeof createConnectionClientStore>;

/** Which clients may use which connection: a row each, so that parallel changes lose nothing. */
export function createConnectionClientStore(db: Database) {
  return {
    async enable(tenantId: string, connectionId: string, clientIds: readonly string[]): Promise<void> {
      if (clientIds.length === 0) return;
      try {
        await db
          .insertInto('connection_clients')
          .values(
            // In one order everywhere: two callers who enable the same clients must not wait for each other in a circle.
            [...new Set(clientIds)]
              .sort()
              .map((client_id) => ({ tenant_id: tenantId, connection_id: connectionId, client_id })),
          )
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      } catch (cause) {
        const constraint = violatedConstraint(cause) ?? '';
        if (constraint.includes('client_id')) throw connectionErrors.unknownClient({}, { cause });
        if (constraint.includes('connection_id')) throw connectionErrors.notFound({}, { cause });
        throw cause;
      }
    },

    async disable(tenantId: string, connectionId: string, clientIds: readonly string[]): Promise<void> {
      await sql`
        delete from connection_clients where tenant_id = ${tenantId} and connection_id = ${connectionId}
          and client_id = any(${[...clientIds]}::text[])`.execute(db);
    },

    /** Makes the list exactly this one, as bodies of old SDKs mean it. */
    async replace(tenantId: string, connectionId: string, clientIds: readonly string[]): Promise<void> {
      await sql`
        delete from connection_clients where tenant_id = ${tenantId} and connection_id = ${connectionId}
          and client_id <> all(${[...clientIds]}::text[])`.execute(db);
      await this.enable(tenantId, connectionId, clientIds);
    },

    async after(tenantId: string, connectionId: string, seq: string, limit: number): Promise<EnabledClient[]> {
      const rows = await db
        .selectFrom('connection_clients')
        .select(['client_id', 'seq'])
        .where('tenant_id', '=', tenantId)
        .where('connection_id', '=', connectionId)
        .where('seq', '>', seq)
        .orderBy('seq')
        .limit(limit)
        .execute();
      return rows.map((row) => ({ clientId: row.client_id, seq: row.seq }));
    },
  };
}
