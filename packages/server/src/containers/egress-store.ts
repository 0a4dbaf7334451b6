import { type Generated, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Egress } from './egress.ts';

declare module '../db/database.ts' {
  interface Tables {
    tenant_egress: TenantEgressTable;
  }
}

interface TenantEgressTable {
  tenant_id: string;
  mode: Egress['mode'] | null;
  hosts: Generated<string[]>;
  intranet: Generated<string[]>;
}

/** Where `mode` is undefined, the installation's default counts. */
export type TenantEgress = Omit<Egress, 'mode'> & { readonly mode: Egress['mode'] | undefined };

export type EgressStore = ReturnType<typeof createEgressStore>;

export function createEgressStore(db: Database) {
  return {
    async find(tenantId: string): Promise<TenantEgress | undefined> {
      const row = await db
        .selectFrom('tenant_egress')
        .select(['mode', 'hosts', 'intranet'])
        .where('tenant_id', '=', tenantId)
        .executeTakeFirst();
      return row && { ...row, mode: row.mode ?? undefined };
    },

    /** Null goes back to the installation's default. */
    async setMode(tenantId: string, mode: Egress['mode'] | null): Promise<void> {
      await db
        .insertInto('tenant_egress')
        .values({ tenant_id: tenantId, mode })
        .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet({ mode }))
        .execute();
    },

    /** Adds a target once; two at the same time both stay. */
    async allow(tenantId: string, list: 'hosts' | 'intranet', target: string): Promise<void> {
      await db
        .insertInto('tenant_egress')
        .values({ tenant_id: tenantId, mode: null, [list]: [target] })
        .onConflict((conflict) =>
          conflict.column('tenant_id').doUpdateSet({
            [list]: sql`array_append(array_remove(${sql.ref(`tenant_egress.${list}`)}, ${target}::text), ${target}::text)`,
          }),
        )
        .execute();
    },

    async remove(tenantId: string, target: string): Promise<void> {
      await db
        .updateTable('tenant_egress')
        .set({
          hosts: sql`array_remove(hosts, ${target}::text)`,
          intranet: sql`array_remove(intranet, ${target}::text)`,
        })
        .where('tenant_id', '=', tenantId)
        .execute();
    },
  };
}
