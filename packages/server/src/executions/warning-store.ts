import type { Database } from '../db/database.ts';

declare module '../db/database.ts' {
  interface Tables {
    code_warnings: CodeWarningTable;
  }
}

interface CodeWarningTable {
  tenant_id: string;
  name: string;
  told_at: Date;
  expires_at: Date;
}

export type CodeWarningStore = ReturnType<typeof createCodeWarningStore>;

export function createCodeWarningStore(db: Database) {
  return {
    /** Whether a warning is news: true for one of all who ask in this time. */
    async isNews(tenantId: string, name: string, everyMilliseconds: number, now: Date): Promise<boolean> {
      const told = { told_at: now, expires_at: new Date(now.getTime() + everyMilliseconds) };
      const result = await db
        .insertInto('code_warnings')
        .values({ tenant_id: tenantId, name, ...told })
        .onConflict((conflict) =>
          conflict
            .columns(['tenant_id', 'name'])
            .doUpdateSet(told)
            .where('code_warnings.told_at', '<=', new Date(now.getTime() - everyMilliseconds)),
        )
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
  };
}
