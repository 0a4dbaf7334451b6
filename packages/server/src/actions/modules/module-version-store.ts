import type { JSONColumnType, Selectable } from 'kysely';
import type { Database } from '../../db/database.ts';
import type { Sealer } from '../../kit/seal.ts';
import { createSecretSealing } from '../secrets.ts';
import { type ActionModuleVersion, MOST_VERSIONS_OF_MODULE, type ModuleSource, moduleErrors } from './action-module.ts';

declare module '../../db/database.ts' {
  interface Tables {
    action_module_versions: ModuleVersionTable;
  }
}

interface ModuleVersionTable {
  tenant_id: string;
  id: string;
  module_id: string;
  number: number;
  source: JSONColumnType<ModuleSource>;
  secrets: Buffer | null;
  created_at: Date;
}

export type ModuleVersionStore = ReturnType<typeof createModuleVersionStore>;

export function createModuleVersionStore(db: Database, sealer: Sealer) {
  const sealing = createSecretSealing(sealer, 'action_module_versions');
  const rows = (tenantId: string) => db.selectFrom('action_module_versions').where('tenant_id', '=', tenantId);
  const toVersion = (tenantId: string, row: Selectable<ModuleVersionTable>): ActionModuleVersion => ({
    id: row.id,
    moduleId: row.module_id,
    number: row.number,
    source: row.source,
    secrets: sealing.open(tenantId, row.id, row.secrets),
    createdAt: row.created_at,
  });

  return {
    /** The next one of its module. None is pruned: an older version of an action may run with it again. */
    async insert(tenantId: string, version: Omit<ActionModuleVersion, 'number'>): Promise<ActionModuleVersion> {
      const number = (await this.count(tenantId, version.moduleId)) + 1;
      if (number > MOST_VERSIONS_OF_MODULE)
        throw moduleErrors.tooMany({ limit: MOST_VERSIONS_OF_MODULE, things: 'versions of a module' });
      await db
        .insertInto('action_module_versions')
        .values({
          tenant_id: tenantId,
          id: version.id,
          module_id: version.moduleId,
          number,
          source: JSON.stringify(version.source),
          secrets: sealing.seal(tenantId, version.id, version.secrets),
          created_at: version.createdAt,
        })
        .execute();
      return { ...version, number };
    },

    async find(tenantId: string, moduleId: string, id: string): Promise<ActionModuleVersion | undefined> {
      const row = await rows(tenantId)
        .selectAll()
        .where('module_id', '=', moduleId)
        .where('id', '=', id)
        .executeTakeFirst();
      return row && toVersion(tenantId, row);
    },

    async findAll(tenantId: string, ids: readonly string[]): Promise<ActionModuleVersion[]> {
      if (ids.length === 0) return [];
      const found = await rows(tenantId).selectAll().where('id', 'in', ids).execute();
      return found.map((row) => toVersion(tenantId, row));
    },

    /** The newest version of each of these modules that has one. */
    async newest(tenantId: string, moduleIds: readonly string[]): Promise<ReadonlyMap<string, ActionModuleVersion>> {
      if (moduleIds.length === 0) return new Map();
      const found = await rows(tenantId)
        .selectAll()
        .where('module_id', 'in', moduleIds)
        .distinctOn('module_id')
        .orderBy('module_id')
        .orderBy('number', 'desc')
        .execute();
      return new Map(found.map((row) => [row.module_id, toVersion(tenantId, row)]));
    },

    /** Newest first. */
    async window(tenantId: string, moduleId: string, offset: number, limit: number): Promise<ActionModuleVersion[]> {
      const found = await rows(tenantId)
        .selectAll()
        .where('module_id', '=', moduleId)
        .orderBy('number', 'desc')
        .offset(offset)
        .limit(limit)
        .execute();
      return found.map((row) => toVersion(tenantId, row));
    },

    async count(tenantId: string, moduleId: string): Promise<number> {
      const row = await rows(tenantId)
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .where('module_id', '=', moduleId)
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },
  };
}
