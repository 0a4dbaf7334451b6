import type { Database } from '../../db/database.ts';
import { DEFAULT_DAYS, type Retention } from './retention.ts';

declare module '../../db/database.ts' {
  interface Tables {
    log_retention: LogRetentionTable;
  }
}

interface LogRetentionTable {
  tenant_id: string;
  days: number;
}

export type RetentionStore = ReturnType<typeof createRetentionStore>;

export function createRetentionStore(db: Database) {
  return {
    async find(tenantId: string): Promise<Retention> {
      const row = await db
        .selectFrom('log_retention')
        .select('days')
        .where('tenant_id', '=', tenantId)
        .executeTakeFirst();
      return row ? { days: row.days, isDefault: false } : { days: DEFAULT_DAYS, isDefault: true };
    },

    /** Null goes back to the default. */
    async set(tenantId: string, days: number | null): Promise<void> {
      if (days === null) {
        await db.deleteFrom('log_retention').where('tenant_id', '=', tenantId).execute();
        return;
      }
      await db
        .insertInto('log_retention')
        .values({ tenant_id: tenantId, days })
        .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet({ days }))
        .execute();
    },
  };
}
