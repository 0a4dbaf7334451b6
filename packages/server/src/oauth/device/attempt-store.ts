import { sql } from 'kysely';
import type { Database } from '../../db/database.ts';

declare module '../../db/database.ts' {
  interface Tables {
    attempt_windows: AttemptWindowTable;
  }
}

interface AttemptWindowTable {
  tenant_id: string;
  name: string;
  attempts: number;
  expires_at: Date;
}

export type AttemptStore = ReturnType<typeof createAttemptStore>;

export function createAttemptStore(db: Database) {
  return {
    /** Counts one attempt and tells how many there were in this window; the first after its end begins a new one. */
    async count(tenantId: string, name: string, windowSeconds: number, now: Date): Promise<number> {
      const end = new Date(now.getTime() + windowSeconds * 1000);
      const row = await db
        .insertInto('attempt_windows')
        .values({ tenant_id: tenantId, name, attempts: 1, expires_at: end })
        .onConflict((conflict) =>
          conflict.columns(['tenant_id', 'name']).doUpdateSet({
            attempts: sql`case when attempt_windows.expires_at <= ${now} then 1 else attempt_windows.attempts + 1 end`,
            expires_at: sql`case when attempt_windows.expires_at <= ${now} then excluded.expires_at else attempt_windows.expires_at end`,
          }),
        )
        .returning('attempts')
        .executeTakeFirstOrThrow();
      return row.attempts;
    },

    /** An attempt that turned out to be none. */
    async takeBack(tenantId: string, name: string): Promise<void> {
      await db
        .updateTable('attempt_windows')
        .set({ attempts: sql`greatest(attempts - 1, 0)` })
        .where('tenant_id', '=', tenantId)
        .where('name', '=', name)
        .execute();
    },
  };
}
