import { randomBytes } from 'node:crypto';
import type { ColumnType } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Sealer } from '../kit/seal.ts';

interface TenantSecretTable {
  tenant_id: string;
  purpose: string;
  sealed: Buffer;
  created_at: ColumnType<Date, never, never>;
}

declare module '../db/database.ts' {
  interface Tables {
    tenant_secrets: TenantSecretTable;
  }
}

interface Needs {
  readonly db: Database;
  readonly sealer: Sealer;
  /** The configuration cache (tenants/tenant-cache.ts). */
  readonly cache: { get<Value>(tenantId: string, name: string, load: () => Promise<Value>): Promise<Value> };
}

export type TenantSecrets = ReturnType<typeof createTenantSecrets>;

/** Secrets of a tenant that never leave the server, 32 bytes each: made when first asked for, the same ever after. */
export function createTenantSecrets({ db, sealer, cache }: Needs) {
  async function load(tenantId: string, purpose: string): Promise<Buffer> {
    const known = await find(tenantId, purpose);
    if (known) return known;
    // Of several processes that make one at once, the first to insert wins, and all read what it wrote.
    const sealed = sealer.seal(randomBytes(32), place(tenantId, purpose));
    await db
      .insertInto('tenant_secrets')
      .values({ tenant_id: tenantId, purpose, sealed })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const made = await find(tenantId, purpose);
    if (!made) throw new Error(`The secret ${purpose} of ${tenantId} vanished.`);
    return made;
  }

  async function find(tenantId: string, purpose: string): Promise<Buffer | undefined> {
    const row = await db
      .selectFrom('tenant_secrets')
      .select('sealed')
      .where('tenant_id', '=', tenantId)
      .where('purpose', '=', purpose)
      .executeTakeFirst();
    return row && sealer.open(row.sealed, place(tenantId, purpose));
  }

  return {
    /** `purpose` is a constant of the caller, like `refresh-token-succession`. */
    secretFor: (tenantId: string, purpose: string): Promise<Buffer> =>
      cache.get(tenantId, `secret:${purpose}`, () => load(tenantId, purpose)),
  };
}

const place = (tenantId: string, purpose: string): string => `tenant_secrets/${tenantId}/${purpose}`;
