import type { JSONColumnType, Selectable } from 'kysely';
import type { Database } from '../../db/database.ts';
import type { Sealer } from '../../kit/seal.ts';
import { type ActionSource, type ActionVersion, MOST_VERSIONS } from '../action.ts';
import { createSecretSealing } from '../secrets.ts';

declare module '../../db/database.ts' {
  interface Tables {
    action_versions: VersionTable;
  }
}

interface VersionTable {
  tenant_id: string;
  id: string;
  action_id: string;
  number: number;
  source: JSONColumnType<ActionSource>;
  secrets: Buffer | null;
  created_at: Date;
}

export type VersionStore = ReturnType<typeof createVersionStore>;

export function createVersionStore(db: Database, sealer: Sealer) {
  const sealing = createSecretSealing(sealer, 'action_versions');
  const rows = (tenantId: string) => db.selectFrom('action_versions').where('tenant_id', '=', tenantId);
  const toVersion = (tenantId: string, row: Selectable<VersionTable>): ActionVersion => ({
    id: row.id,
    actionId: row.action_id,
    number: row.number,
    source: row.source,
    secrets: sealing.open(tenantId, row.id, row.secrets),
    createdAt: row.created_at,
  });

  return {
    /** The next one of its action; of those before it the newest stay. Writers of actions take turns. */
    async insert(tenantId: string, version: Omit<ActionVersion, 'number'>): Promise<ActionVersion> {
      const { last } = await rows(tenantId)
        .select(({ fn }) => fn.max('number').as('last'))
        .where('action_id', '=', version.actionId)
        .executeTakeFirstOrThrow();
      const number = (last ?? 0) + 1;
      await db
        .insertInto('action_versions')
        .values({
          tenant_id: tenantId,
          id: version.id,
          action_id: version.actionId,
          number,
          source: JSON.stringify(version.source),
          secrets: sealing.seal(tenantId, version.id, version.secrets),
          created_at: version.createdAt,
        })
        .execute();
      await db
        .deleteFrom('action_versions')
        .where('tenant_id', '=', tenantId)
        .where('action_id', '=', version.actionId)
        .where('number', '<=', number - MOST_VERSIONS)
        .execute();
      return { ...version, number };
    },

    async find(tenantId: string, actionId: string, id: string): Promise<ActionVersion | undefined> {
      const row = await rows(tenantId)
        .selectAll()
        .where('action_id', '=', actionId)
        .where('id', '=', id)
        .executeTakeFirst();
      return row && toVersion(tenantId, row);
    },

    async findAll(tenantId: string, ids: readonly string[]): Promise<ActionVersion[]> {
      if (ids.length === 0) return [];
      const found = await rows(tenantId).selectAll().where('id', 'in', ids).execute();
      return found.map((row) => toVersion(tenantId, row));
    },

    /** Newest first. */
    async window(tenantId: string, actionId: string, offset: number, limit: number): Promise<ActionVersion[]> {
      const found = await rows(tenantId)
        .selectAll()
        .where('action_id', '=', actionId)
        .orderBy('number', 'desc')
        .offset(offset)
        .limit(limit)
        .execute();
      return found.map((row) => toVersion(tenantId, row));
    },

    async count(tenantId: string, actionId: string): Promise<number> {
      const row = await rows(tenantId)
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .where('action_id', '=', actionId)
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },
  };
}
