import type { Selectable } from 'kysely';
import type { Database } from '../../db/database.ts';
import type { Sealer } from '../../kit/seal.ts';
import { createSecretSealing, type Secret } from '../secrets.ts';

declare module '../../db/database.ts' {
  interface Tables {
    action_bindings: BindingTable;
  }
}

interface BindingTable {
  tenant_id: string;
  id: string;
  trigger_id: string;
  action_id: string;
  position: number;
  display_name: string;
  secrets: Buffer | null;
  created_at: Date;
  updated_at: Date;
}

/** An action at a trigger. */
export interface Binding {
  readonly id: string;
  readonly triggerId: string;
  readonly actionId: string;
  readonly displayName: string;
  /** They win over those of the action. */
  readonly secrets: readonly Secret[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type BindingStore = ReturnType<typeof createBindingStore>;

export function createBindingStore(db: Database, sealer: Sealer) {
  const sealing = createSecretSealing(sealer, 'action_bindings');
  const rows = (tenantId: string, triggerId: string) =>
    db.selectFrom('action_bindings').where('tenant_id', '=', tenantId).where('trigger_id', '=', triggerId);

  return {
    /** In the order in which they run. */
    async window(tenantId: string, triggerId: string, offset: number, limit: number): Promise<Binding[]> {
      const found = await rows(tenantId, triggerId)
        .selectAll()
        .orderBy('position')
        .offset(offset)
        .limit(limit)
        .execute();
      return found.map((row) => fromRow(row, sealing.open(tenantId, row.id, row.secrets)));
    },

    async count(tenantId: string, triggerId: string): Promise<number> {
      const row = await rows(tenantId, triggerId)
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },

    /** These take the place of all that the trigger had. Writers of actions take turns. */
    async replace(tenantId: string, triggerId: string, bindings: readonly Binding[]): Promise<void> {
      await db
        .deleteFrom('action_bindings')
        .where('tenant_id', '=', tenantId)
        .where('trigger_id', '=', triggerId)
        .execute();
      if (bindings.length === 0) return;
      const values = bindings.map((binding, position) => ({
        tenant_id: tenantId,
        id: binding.id,
        trigger_id: triggerId,
        action_id: binding.actionId,
        position,
        display_name: binding.displayName,
        secrets: sealing.seal(tenantId, binding.id, binding.secrets),
        created_at: binding.createdAt,
        updated_at: binding.updatedAt,
      }));
      await db.insertInto('action_bindings').values(values).execute();
    },

    async hasAction(tenantId: string, actionId: string): Promise<boolean> {
      const row = await db
        .selectFrom('action_bindings')
        .select('id')
        .where('tenant_id', '=', tenantId)
        .where('action_id', '=', actionId)
        .executeTakeFirst();
      return row !== undefined;
    },
  };
}

function fromRow(row: Selectable<BindingTable>, secrets: readonly Secret[]): Binding {
  return {
    id: row.id,
    triggerId: row.trigger_id,
    actionId: row.action_id,
    displayName: row.display_name,
    secrets,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
