import { type Generated, type JSONColumnType, type Selectable, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { textOf } from '../kit/json-values.ts';
import type { Sealer } from '../kit/seal.ts';
import { type Hook, type HookSecrets, type HookTrigger, hookErrors, MOST_HOOKS } from './hook.ts';

declare module '../db/database.ts' {
  interface Tables {
    hooks: HookTable;
  }
}

interface HookTable {
  tenant_id: string;
  id: string;
  seq: Generated<string>;
  name: string;
  trigger_id: HookTrigger;
  script: string;
  dependencies: JSONColumnType<Record<string, string>>;
  is_enabled: boolean;
  secrets: Buffer | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface HookFilter {
  readonly isEnabled?: boolean | undefined;
  readonly triggerId?: string | undefined;
}

export type HookStore = ReturnType<typeof createHookStore>;

export function createHookStore(db: Database, sealer: Sealer) {
  const filtered = (tenantId: string, { isEnabled, triggerId }: HookFilter) =>
    db
      .selectFrom('hooks')
      .where('tenant_id', '=', tenantId)
      .$if(isEnabled !== undefined, (query) => query.where('is_enabled', '=', isEnabled ?? true))
      .$if(triggerId !== undefined, (query) => query.where(sql`trigger_id`, '=', triggerId ?? ''));

  /** Who enables a hook is alone in its tenant while the others are disabled. */
  const lock = (tenantId: string) =>
    sql`select pg_advisory_xact_lock(hashtext('hooks'), hashtext(${tenantId}))`.execute(db);

  const disableOthers = (tenantId: string, triggerId: HookTrigger, id: string) =>
    db
      .updateTable('hooks')
      .set({ is_enabled: false, updated_at: sql`now()` })
      .where('tenant_id', '=', tenantId)
      .where('trigger_id', '=', triggerId)
      .where('is_enabled', '=', true)
      .where('id', '<>', id)
      .execute();

  const openSecrets = (tenantId: string, id: string, sealed: Buffer | null): HookSecrets => {
    if (!sealed) return {};
    const opened: object = JSON.parse(sealer.open(sealed, place(tenantId, id)).toString());
    return Object.fromEntries(Object.entries(opened).map(([name, value]) => [name, textOf(value) ?? '']));
  };

  return {
    /** `db` is one transaction. An enabled hook takes the place of the one that was enabled for its trigger. */
    async insert(tenantId: string, hook: Hook): Promise<void> {
      await lock(tenantId);
      if ((await this.count(tenantId, {})) >= MOST_HOOKS)
        throw hookErrors.tooMany({ limit: MOST_HOOKS, things: 'hooks for this tenant' });
      if (hook.isEnabled) await disableOthers(tenantId, hook.triggerId, hook.id);
      await db
        .insertInto('hooks')
        .values({
          tenant_id: tenantId,
          id: hook.id,
          name: hook.name,
          trigger_id: hook.triggerId,
          script: hook.script,
          dependencies: JSON.stringify(hook.dependencies),
          is_enabled: hook.isEnabled,
          secrets: null,
        })
        .execute();
    },

    async find(tenantId: string, id: string): Promise<Hook | undefined> {
      const row = await filtered(tenantId, {}).selectAll().where('id', '=', id).executeTakeFirst();
      return row && fromRow(row);
    },

    /** The hook that runs at a trigger, with its secrets. */
    async enabledOf(tenantId: string, triggerId: HookTrigger): Promise<(Hook & { secrets: HookSecrets }) | undefined> {
      const row = await filtered(tenantId, { isEnabled: true, triggerId }).selectAll().executeTakeFirst();
      return row && { ...fromRow(row), secrets: openSecrets(tenantId, row.id, row.secrets) };
    },

    async update(
      tenantId: string,
      id: string,
      change: Partial<Pick<Hook, 'name' | 'script' | 'dependencies' | 'isEnabled'>>,
    ): Promise<Hook | undefined> {
      await lock(tenantId);
      const hook = await this.find(tenantId, id);
      if (hook && change.isEnabled) await disableOthers(tenantId, hook.triggerId, id);
      const row = await db
        .updateTable('hooks')
        .set({
          ...(change.name !== undefined && { name: change.name }),
          ...(change.script !== undefined && { script: change.script }),
          ...(change.dependencies !== undefined && { dependencies: JSON.stringify(change.dependencies) }),
          ...(change.isEnabled !== undefined && { is_enabled: change.isEnabled }),
          updated_at: sql`now()`,
        })
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirst();
      return row && fromRow(row);
    },

    async remove(tenantId: string, id: string): Promise<boolean> {
      const result = await db
        .deleteFrom('hooks')
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    },

    async window(tenantId: string, filter: HookFilter, offset: number, limit: number): Promise<Hook[]> {
      const rows = await filtered(tenantId, filter).selectAll().orderBy('seq').offset(offset).limit(limit).execute();
      return rows.map(fromRow);
    },

    async count(tenantId: string, filter: HookFilter): Promise<number> {
      const row = await filtered(tenantId, filter)
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },

    async secretNames(tenantId: string, id: string): Promise<string[] | undefined> {
      const row = await filtered(tenantId, {}).select('secrets').where('id', '=', id).executeTakeFirst();
      return row && Object.keys(openSecrets(tenantId, id, row.secrets)).sort();
    },

    /** `change` sees the secrets while nobody else changes them: `db` is one transaction. False without the hook. */
    async changeSecrets(tenantId: string, id: string, change: (secrets: HookSecrets) => HookSecrets): Promise<boolean> {
      const row = await filtered(tenantId, {}).select('secrets').where('id', '=', id).forUpdate().executeTakeFirst();
      if (!row) return false;
      const secrets = change(openSecrets(tenantId, id, row.secrets));
      await db
        .updateTable('hooks')
        .set({ secrets: sealer.seal(JSON.stringify(secrets), place(tenantId, id)), updated_at: sql`now()` })
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .execute();
      return true;
    },
  };
}

function place(tenantId: string, id: string): string {
  return `${tenantId}/hooks/${id}/secrets`;
}

function fromRow(row: Selectable<HookTable>): Hook {
  return {
    id: row.id,
    name: row.name,
    triggerId: row.trigger_id,
    script: row.script,
    dependencies: row.dependencies,
    isEnabled: row.is_enabled,
  };
}
