import { type Generated, type JSONColumnType, type Selectable, sql } from 'kysely';
import { violatedConstraint } from '../db/constraint.ts';
import type { Database } from '../db/database.ts';
import type { Sealer } from '../kit/seal.ts';
import { type Action, type ActionSource, actionErrors, type CodeFault, MOST_ACTIONS } from './action.ts';
import { lockActions } from './action-lock.ts';
import { createSecretSealing } from './secrets.ts';

declare module '../db/database.ts' {
  interface Tables {
    actions: ActionTable;
  }
}

interface ActionTable {
  tenant_id: string;
  id: string;
  seq: Generated<string>;
  name: string;
  source: JSONColumnType<ActionSource>;
  secrets: Buffer | null;
  is_changed: boolean;
  deployed_version_id: string | null;
  code_fault: JSONColumnType<CodeFault> | null;
  created_at: Date;
  updated_at: Date;
}

export interface ActionFilter {
  readonly triggerId?: string | undefined;
  readonly name?: string | undefined;
  readonly isDeployed?: boolean | undefined;
}

export type ActionStore = ReturnType<typeof createActionStore>;

export function createActionStore(db: Database, sealer: Sealer) {
  const sealing = createSecretSealing(sealer, 'actions');
  const rows = (tenantId: string, { triggerId, name, isDeployed }: ActionFilter) =>
    db
      .selectFrom('actions')
      .where('tenant_id', '=', tenantId)
      .$if(name !== undefined, (query) => query.where('name', '=', name ?? ''))
      .$if(isDeployed !== undefined, (query) => query.where('deployed_version_id', isDeployed ? 'is not' : 'is', null))
      .$if(triggerId !== undefined, (query) =>
        query.where(sql<boolean>`source @> ${JSON.stringify({ triggers: [{ id: triggerId }] })}::jsonb`),
      );
  const toAction = (tenantId: string, row: Selectable<ActionTable>): Action => ({
    id: row.id,
    name: row.name,
    source: row.source,
    secrets: sealing.open(tenantId, row.id, row.secrets),
    isChanged: row.is_changed,
    deployedVersionId: row.deployed_version_id ?? undefined,
    codeFault: row.code_fault ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  });
  const valuesOf = (tenantId: string, action: Action) => ({
    name: action.name,
    source: JSON.stringify(action.source),
    secrets: sealing.seal(tenantId, action.id, action.secrets),
    is_changed: action.isChanged,
    deployed_version_id: action.deployedVersionId ?? null,
    code_fault: action.codeFault ? JSON.stringify(action.codeFault) : null,
    created_at: action.createdAt,
    updated_at: action.updatedAt,
  });

  return {
    lock: (tenantId: string) => lockActions(db, tenantId),

    async insert(tenantId: string, action: Action): Promise<void> {
      if ((await this.count(tenantId, {})) >= MOST_ACTIONS)
        throw actionErrors.tooMany({ limit: MOST_ACTIONS, things: 'actions for this tenant' });
      const values = { tenant_id: tenantId, id: action.id, ...valuesOf(tenantId, action) };
      await translatingConflicts(db.insertInto('actions').values(values).execute());
    },

    async save(tenantId: string, action: Action): Promise<void> {
      await translatingConflicts(
        db
          .updateTable('actions')
          .set(valuesOf(tenantId, action))
          .where('tenant_id', '=', tenantId)
          .where('id', '=', action.id)
          .execute(),
      );
    },

    async find(tenantId: string, id: string): Promise<Action | undefined> {
      const row = await rows(tenantId, {}).selectAll().where('id', '=', id).executeTakeFirst();
      return row && toAction(tenantId, row);
    },

    async findByName(tenantId: string, name: string): Promise<Action | undefined> {
      const row = await rows(tenantId, { name }).selectAll().executeTakeFirst();
      return row && toAction(tenantId, row);
    },

    async findAll(tenantId: string, ids: readonly string[]): Promise<Action[]> {
      if (ids.length === 0) return [];
      const found = await rows(tenantId, {}).selectAll().where('id', 'in', ids).execute();
      return found.map((row) => toAction(tenantId, row));
    },

    /** Its versions and bindings go with it. */
    async remove(tenantId: string, id: string): Promise<void> {
      await db.deleteFrom('actions').where('tenant_id', '=', tenantId).where('id', '=', id).execute();
    },

    async window(tenantId: string, filter: ActionFilter, offset: number, limit: number): Promise<Action[]> {
      const found = await rows(tenantId, filter).selectAll().orderBy('seq').offset(offset).limit(limit).execute();
      return found.map((row) => toAction(tenantId, row));
    },

    async count(tenantId: string, filter: ActionFilter): Promise<number> {
      const row = await rows(tenantId, filter)
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },
  };
}

async function translatingConflicts<Result>(statement: Promise<Result>): Promise<Result> {
  try {
    return await statement;
  } catch (cause) {
    if (violatedConstraint(cause) === 'actions_name_taken') throw actionErrors.nameTaken({}, { cause });
    throw cause;
  }
}
