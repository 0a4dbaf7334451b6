import type { Database } from '../../db/database.ts';

declare module '../../db/database.ts' {
  interface Tables {
    client_assertions: { tenant_id: string; client_id: string; jti_hash: string; expires_at: Date };
  }
}

export function createAssertionStore(db: Database) {
  return {
    /** Notes that an assertion was accepted; false where it was before, in whichever process. */
    async use(tenantId: string, clientId: string, jtiHash: string, expiresAt: Date): Promise<boolean> {
      const result = await db
        .insertInto('client_assertions')
        .values({ tenant_id: tenantId, client_id: clientId, jti_hash: jtiHash, expires_at: expiresAt })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
    },
  };
}
