import { type Generated, type JSONColumnType, type Selectable, sql } from 'kysely';
import { violatedConstraint } from '../../db/constraint.ts';
import type { Database } from '../../db/database.ts';
import type { Sealer } from '../../kit/seal.ts';
import type { ModuleUse } from '../action.ts';
import { lockActions } from '../action-lock.ts';
import { createSecretSealing } from '../secrets.ts';
import {
  type ActionModule,
  MOST_MODULES_OF_TENANT,
  MOST_VERSIONS_OF_MODULE,
  type ModuleSource,
  moduleErrors,
} from './action-module.ts';

declare module '../../db/database.ts' {
  interface Tables {
    action_modules: ModuleTable;
  }
}

interface ModuleTable {
  tenant_id: string;
  id: string;
  seq: Generated<string>;
  name: string;
  source: JSONColumnType<ModuleSource>;
  secrets: Buffer | null;
  is_changed: boolean;
  created_at: Date;
  updated_at: Date;
}

/** How an action names the version of a module that it uses; the newest where it names none. */
export interface NamedUse {
  readonly moduleId: string | undefined;
  readonly moduleName: string | undefined;
  readonly versionId: string | undefined;
  readonly versionNumber: number | undefined;
}

/** An action that uses a module in its draft. */
export interface UsingAction extends ModuleUse {
  readonly actionId: string;
  readonly actionName: string;
  readonly triggers: readonly { readonly id: string; readonly version: string }[];
}

export type ActionModuleStore = ReturnType<typeof createActionModuleStore>;

export function createActionModuleStore(db: Database, sealer: Sealer) {
  const sealing = createSecretSealing(sealer, 'action_modules');
  const rows = (tenantId: string) => db.selectFrom('action_modules').where('tenant_id', '=', tenantId);
  const toModule = (tenantId: string, row: Selectable<ModuleTable>): ActionModule => ({
    id: row.id,
    name: row.name,
    source: row.source,
    secrets: sealing.open(tenantId, row.id, row.secrets),
    isChanged: row.is_changed,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  });
  const valuesOf = (tenantId: string, module: ActionModule) => ({
    name: module.name,
    source: JSON.stringify(module.source),
    secrets: sealing.seal(tenantId, module.id, module.secrets),
    is_changed: module.isChanged,
    created_at: module.createdAt,
    updated_at: module.updatedAt,
  });
  const uses = (moduleId: string) => sql`${JSON.stringify({ modules: [{ moduleId }] })}::jsonb`;

  return {
    lock: (tenantId: string) => lockActions(db, tenantId),

    async insert(tenantId: string, module: ActionModule): Promise<void> {
      if ((await this.count(tenantId)) >= MOST_MODULES_OF_TENANT)
        throw moduleErrors.tooMany({ limit: MOST_MODULES_OF_TENANT, things: 'modules for this tenant' });
      const values = { tenant_id: tenantId, id: module.id, ...valuesOf(tenantId, module) };
      await translatingConflicts(db.insertInto('action_modules').values(values).execute());
    },

    async save(tenantId: string, module: ActionModule): Promise<void> {
      await db
        .updateTable('action_modules')
        .set(valuesOf(tenantId, module))
        .where('tenant_id', '=', tenantId)
        .where('id', '=', module.id)
        .execute();
    },

    async find(tenantId: string, id: string): Promise<ActionModule | undefined> {
      const row = await rows(tenantId).selectAll().where('id', '=', id).executeTakeFirst();
      return row && toModule(tenantId, row);
    },

    async findUse(tenantId: string, use: NamedUse): Promise<ModuleUse | undefined> {
      const { moduleId, moduleName, versionId, versionNumber } = use;
      if (moduleId === undefined && moduleName === undefined) return undefined;
      if (versionNumber !== undefined && Math.abs(versionNumber) > MOST_VERSIONS_OF_MODULE) return undefined;
      const row = await db
        .selectFrom('action_modules as module')
        .innerJoin('action_module_versions as version', (join) =>
          join.onRef('version.tenant_id', '=', 'module.tenant_id').onRef('version.module_id', '=', 'module.id'),
        )
        .select(['module.id as moduleId', 'module.name as moduleName', 'version.id as versionId'])
        .select('version.number as versionNumber')
        .where('module.tenant_id', '=', tenantId)
        .$if(moduleId !== undefined, (query) => query.where('module.id', '=', moduleId ?? ''))
        .$if(moduleName !== undefined, (query) => query.where('module.name', '=', moduleName ?? ''))
        .$if(versionId !== undefined, (query) => query.where('version.id', '=', versionId ?? ''))
        .$if(versionNumber !== undefined, (query) => query.where(sql`version.number`, '=', versionNumber ?? 0))
        .orderBy('version.number', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row;
    },

    /** Whether a draft or a version that can run names it: those before it are history. */
    async isUsed(tenantId: string, moduleId: string): Promise<boolean> {
      const { rows: found } = await sql<{ used: boolean }>`
        select exists (
          select from actions where tenant_id = ${tenantId} and (
            source @> ${uses(moduleId)}
            or exists (select from action_versions version where version.tenant_id = ${tenantId}
              and version.id = actions.deployed_version_id and version.source @> ${uses(moduleId)}))) as used`.execute(
        db,
      );
      return found[0]?.used === true;
    },

    async remove(tenantId: string, id: string): Promise<void> {
      await db.deleteFrom('action_modules').where('tenant_id', '=', tenantId).where('id', '=', id).execute();
    },

    async window(tenantId: string, offset: number, limit: number): Promise<ActionModule[]> {
      const found = await rows(tenantId).selectAll().orderBy('seq').offset(offset).limit(limit).execute();
      return found.map((row) => toModule(tenantId, row));
    },

    async count(tenantId: string): Promise<number> {
      const row = await rows(tenantId)
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },

    async usingActions(tenantId: string, moduleId: string, offset: number, limit: number): Promise<UsingAction[]> {
      const found = await db
        .selectFrom('actions')
        .select(['id', 'name', 'source'])
        .where('tenant_id', '=', tenantId)
        .where(sql<boolean>`source @> ${uses(moduleId)}`)
        .orderBy('seq')
        .offset(offset)
        .limit(limit)
        .execute();
      return found.flatMap(({ id, name, source }) =>
        source.modules
          .filter((use) => use.moduleId === moduleId)
          .map((use) => ({ ...use, actionId: id, actionName: name, triggers: source.triggers })),
      );
    },

    /** How many actions use each of these modules in their drafts. */
    async usingTotals(tenantId: string, moduleIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
      const { rows: found } = await sql<{ id: string; total: string }>`
        select used->>'moduleId' as id, count(*) as total
        from actions, jsonb_array_elements(source->'modules') used
        where tenant_id = ${tenantId} and used->>'moduleId' = any(${moduleIds as string[]}::text[])
        group by 1`.execute(db);
      return new Map(found.map(({ id, total }) => [id, Number(total)]));
    },
  };
}

async function translatingConflicts<Result>(statement: Promise<Result>): Promise<Result> {
  try {
    return await statement;
  } catch (cause) {
    if (violatedConstraint(cause) === 'action_modules_name_taken') throw moduleErrors.nameTaken({}, { cause });
    throw cause;
  }
}
