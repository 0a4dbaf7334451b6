import { type Generated, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Sealer } from '../kit/seal.ts';
import { MOST_CONFIGS, rulesConfigErrors } from './rules-config.ts';

declare module '../db/database.ts' {
  interface Tables {
    rules_configs: RulesConfigTable;
  }
}

interface RulesConfigTable {
  tenant_id: string;
  key: string;
  value: Buffer;
  updated_at: Generated<Date>;
}

export type RulesConfigStore = ReturnType<typeof createRulesConfigStore>;

export function createRulesConfigStore(db: Database, sealer: Sealer) {
  return {
    /** `db` is a transaction: the limit holds for parallel writers as well. */
    async set(tenantId: string, key: string, value: string): Promise<void> {
      await sql`select pg_advisory_xact_lock(hashtext('rules_configs'), hashtext(${tenantId}))`.execute(db);
      const known = await this.keys(tenantId);
      if (known.length >= MOST_CONFIGS && !known.includes(key))
        throw rulesConfigErrors.tooMany({ limit: MOST_CONFIGS });
      const sealed = sealer.seal(value, place(tenantId, key));
      await db
        .insertInto('rules_configs')
        .values({ tenant_id: tenantId, key, value: sealed })
        .onConflict((conflict) =>
          conflict.columns(['tenant_id', 'key']).doUpdateSet({ value: sealed, updated_at: sql`now()` }),
        )
        .execute();
    },

    async remove(tenantId: string, key: string): Promise<void> {
      await db.deleteFrom('rules_configs').where('tenant_id', '=', tenantId).where('key', '=', key).execute();
    },

    async keys(tenantId: string): Promise<string[]> {
      const rows = await db
        .selectFrom('rules_configs')
        .select('key')
        .where('tenant_id', '=', tenantId)
        .orderBy('key')
        .execute();
      return rows.map(({ key }) => key);
    },

    /** What rules read as `configuration`. */
    async values(tenantId: string): Promise<Readonly<Record<string, string>>> {
      const rows = await db
        .selectFrom('rules_configs')
        .select(['key', 'value'])
        .where('tenant_id', '=', tenantId)
        .execute();
      return Object.fromEntries(
        rows.map(({ key, value }) => [key, sealer.open(value, place(tenantId, key)).toString()]),
      );
    },
  };
}

function place(tenantId: string, key: string): string {
  return `${tenantId}/rules_configs/${key}`;
}
