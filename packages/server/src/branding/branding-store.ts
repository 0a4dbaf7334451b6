import { type Generated, type JSONColumnType, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Json } from '../kit/json-values.ts';
import { NO_BRANDING, type StoredBranding } from './branding.ts';

declare module '../db/database.ts' {
  interface Tables {
    branding: BrandingTable;
  }
}

interface BrandingTable {
  tenant_id: string;
  settings: JSONColumnType<Record<string, unknown>, string | undefined>;
  theme_id: string | null;
  theme: JSONColumnType<Record<string, unknown>> | null;
  template: string | null;
  updated_at: Generated<Date>;
}

export type BrandingStore = ReturnType<typeof createBrandingStore>;

const COLUMNS = ['settings', 'theme_id', 'theme', 'template'] as const;

export function createBrandingStore(db: Database) {
  const own = (tenantId: string) => db.selectFrom('branding').select(COLUMNS).where('tenant_id', '=', tenantId);

  return {
    async find(tenantId: string): Promise<StoredBranding> {
      const row = await own(tenantId).executeTakeFirst();
      return row ? fromRow(row) : NO_BRANDING;
    },

    /** The tenant's branding, locked until the transaction ends: parallel changes follow each other and lose nothing. */
    async lock(tenantId: string): Promise<StoredBranding> {
      await db
        .insertInto('branding')
        .values({ tenant_id: tenantId, theme_id: null, theme: null, template: null })
        .onConflict((conflict) => conflict.column('tenant_id').doNothing())
        .execute();
      return fromRow(await own(tenantId).forUpdate().executeTakeFirstOrThrow());
    },

    /** Members that are left out stay; a theme or template of null goes. */
    async update(
      tenantId: string,
      change: {
        readonly settings?: Json;
        readonly theme?: NonNullable<StoredBranding['theme']> | null;
        readonly template?: string | null;
      },
    ): Promise<void> {
      const { settings, theme, template } = change;
      await db
        .updateTable('branding')
        .set({
          updated_at: sql`now()`,
          ...(settings && { settings: JSON.stringify(settings) }),
          ...(theme !== undefined && {
            theme_id: theme?.themeId ?? null,
            theme: theme ? JSON.stringify(theme.body) : null,
          }),
          ...(template !== undefined && { template }),
        })
        .where('tenant_id', '=', tenantId)
        .execute();
    },
  };
}

interface Row {
  readonly settings: Json;
  readonly theme_id: string | null;
  readonly theme: Json | null;
  readonly template: string | null;
}

function fromRow({ settings, theme_id: themeId, theme, template }: Row): StoredBranding {
  return {
    settings,
    theme: themeId !== null && theme !== null ? { themeId, body: theme } : undefined,
    template: template ?? undefined,
  };
}
