import type { Database } from '../../db/database.ts';

declare module '../../db/database.ts' {
  interface Tables {
    dpop_proofs: { tenant_id: string; proof_hash: string; expires_at: Date };
  }
}

export function createDpopProofStore(db: Database) {
  return {
    /** Notes that a proof was accepted; false where it was before, in whichever process. */
    async use(tenantId: string, proofHash: string, expiresAt: Date): Promise<boolean> {
      const result = await db
        .insertInto('dpop_proofs')
        .values({ tenant_id: tenantId, proof_hash: proofHash, expires_at: expiresAt })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
    },
  };
}
