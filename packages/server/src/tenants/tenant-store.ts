import type { Generated, JSONColumnType } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Environment, Tenant } from './tenant.ts';

declare module '../db/database.ts' {
  interface Tables {
    tenants: TenantTable;
    tenant_origins: TenantOriginTable;
  }
}

interface TenantTable {
  tenant_id: string;
  environment: Environment;
  is_default: boolean;
  settings: JSONColumnType<Record<string, unknown>>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

interface TenantOriginTable {
  tenant_id: string;
  origin: string;
  is_canonical: boolean;
}

export type TenantStore = ReturnType<typeof createTenantStore>;

export function createTenantStore(db: Database) {
  return {
    /** False when the name is taken. */
    async insert(tenant: {
      tenantId: string;
      environment: Environment;
      isDefault: boolean;
      settings: Record<string, unknown>;
    }): Promise<boolean> {
      const inserted = await db
        .insertInto('tenants')
        .values({
          tenant_id: tenant.tenantId,
          environment: tenant.environment,
          is_default: tenant.isDefault,
          settings: JSON.stringify(tenant.settings),
        })
        .onConflict((conflict) => conflict.doNothing())
        .returning('tenant_id')
        .executeTakeFirst();
      return inserted !== undefined;
    },

    async find(tenantId: string): Promise<Tenant | undefined> {
      const row = await db.selectFrom('tenants').selectAll().where('tenant_id', '=', tenantId).executeTakeFirst();
      if (!row) return undefined;
      const origins = await db
        .selectFrom('tenant_origins')
        .select(['origin', 'is_canonical'])
        .where('tenant_id', '=', tenantId)
        .orderBy('origin')
        .execute();
      return {
        tenantId: row.tenant_id,
        environment: row.environment,
        isDefault: row.is_default,
        settings: row.settings,
        origins: origins.map(({ origin }) => origin),
        canonicalOrigin: origins.find(({ is_canonical }) => is_canonical)?.origin,
      };
    },

    /** Locks the tenant's row until the transaction ends, so that two changes of its settings follow each other. */
    async lockSettings(tenantId: string): Promise<Record<string, unknown>> {
      const row = await db
        .selectFrom('tenants')
        .select('settings')
        .where('tenant_id', '=', tenantId)
        .forUpdate()
        .executeTakeFirstOrThrow();
      return row.settings;
    },

    async updateSettings(tenantId: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
      await db
        .updateTable('tenants')
        .set({ settings: JSON.stringify(settings), updated_at: new Date() })
        .where('tenant_id', '=', tenantId)
        .execute();
    },

    async setEnvironment(tenantId: string, environment: Environment): Promise<boolean> {
      const result = await db
        .updateTable('tenants')
        .set({ environment, updated_at: new Date() })
        .where('tenant_id', '=', tenantId)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },

    /** Ids of all tenants and the owners of all registered origins: what finds the tenant of a request. */
    async directory(): Promise<{
      tenantIds: ReadonlySet<string>;
      defaultTenantId: string | undefined;
      owners: ReadonlyMap<string, string>;
    }> {
      const tenants = await db.selectFrom('tenants').select(['tenant_id', 'is_default']).execute();
      const origins = await db.selectFrom('tenant_origins').select(['tenant_id', 'origin']).execute();
      return {
        tenantIds: new Set(tenants.map((row) => row.tenant_id)),
        defaultTenantId: tenants.find((row) => row.is_default)?.tenant_id,
        owners: new Map(origins.map((row) => [row.origin, row.tenant_id])),
      };
    },

    async registerOrigin(tenantId: string, origin: string, isCanonical: boolean): Promise<void> {
      await db
        .insertInto('tenant_origins')
        .values({ tenant_id: tenantId, origin, is_canonical: isCanonical })
        .execute();
    },

    /** False where it is another tenant's. */
    async claimOrigin(tenantId: string, origin: string): Promise<boolean> {
      const row = await db
        .insertInto('tenant_origins')
        .values({ tenant_id: tenantId, origin, is_canonical: false })
        .onConflict((conflict) => conflict.constraint('tenant_origins_taken').doNothing())
        .returning('origin')
        .executeTakeFirst();
      return row !== undefined;
    },

    async removeOrigin(tenantId: string, origin: string): Promise<void> {
      await db.deleteFrom('tenant_origins').where('tenant_id', '=', tenantId).where('origin', '=', origin).execute();
    },

    /** None: the computed one again. Changes of one tenant follow each other, `lockSettings`. */
    async setCanonicalOrigin(tenantId: string, origin: string | undefined): Promise<void> {
      const own = db.updateTable('tenant_origins').where('tenant_id', '=', tenantId);
      await own.set({ is_canonical: false }).where('is_canonical', '=', true).execute();
      if (origin !== undefined) await own.set({ is_canonical: true }).where('origin', '=', origin).execute();
    },
  };
}
