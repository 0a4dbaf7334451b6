import { type Generated, type JSONColumnType, sql } from 'kysely';
import { violatedConstraint } from '../db/constraint.ts';
import type { Database } from '../db/database.ts';
import { type CustomDomain, customDomainErrors, type DomainSettings } from './custom-domain.ts';

declare module '../db/database.ts' {
  interface Tables {
    custom_domains: CustomDomainTable;
  }
}

interface CustomDomainTable {
  tenant_id: string;
  custom_domain_id: string;
  domain: string;
  status: Generated<'pending_verification' | 'ready'>;
  proof: string;
  settings: JSONColumnType<DomainSettings>;
  created_at: Date;
  checked_at: Date | null;
  error: string | null;
}

export type CustomDomainStore = ReturnType<typeof createCustomDomainStore>;

/** A custom domain that is ready is a row of tenant_origins as well: both change in one transaction. */
export function createCustomDomainStore(db: Database) {
  const rows = (tenantId: string) =>
    db
      .selectFrom('custom_domains as d')
      .leftJoin('tenant_origins as o', (join) =>
        join.onRef('o.tenant_id', '=', 'd.tenant_id').on('o.origin', '=', sql<string>`'https://' || d.domain`),
      )
      .where('d.tenant_id', '=', tenantId)
      .selectAll('d')
      .select('o.is_canonical');
  type Row = Awaited<ReturnType<ReturnType<typeof rows>['execute']>>[number];

  const fromRow = (row: Row): CustomDomain => ({
    id: row.custom_domain_id,
    domain: row.domain,
    isReady: row.status === 'ready',
    isDefault: row.status === 'ready' && row.is_canonical === true,
    proof: row.proof,
    settings: row.settings,
    createdAt: row.created_at,
    checkedAt: row.checked_at ?? undefined,
    error: row.error ?? undefined,
  });

  async function find(tenantId: string, id: string): Promise<CustomDomain | undefined> {
    const row = await rows(tenantId).where('d.custom_domain_id', '=', id).executeTakeFirst();
    return row && fromRow(row);
  }

  return {
    find,

    /** All of them, in the order of their ids; behind `after` where it is given. */
    async list(tenantId: string, after: string | undefined, limit: number): Promise<CustomDomain[]> {
      let query = rows(tenantId).orderBy('d.custom_domain_id').limit(limit);
      if (after !== undefined) query = query.where('d.custom_domain_id', '>', after);
      return (await query.execute()).map(fromRow);
    },

    async count(tenantId: string): Promise<number> {
      const { n } = await db
        .selectFrom('custom_domains')
        .where('tenant_id', '=', tenantId)
        .select((eb) => eb.fn.countAll<string>().as('n'))
        .executeTakeFirstOrThrow();
      return Number(n);
    },

    async insert(tenantId: string, domain: CustomDomain): Promise<void> {
      await orTaken(
        db
          .insertInto('custom_domains')
          .values({
            tenant_id: tenantId,
            custom_domain_id: domain.id,
            domain: domain.domain,
            proof: domain.proof,
            settings: JSON.stringify(domain.settings),
            created_at: domain.createdAt,
          })
          .execute(),
      );
    },

    async updateSettings(tenantId: string, id: string, settings: DomainSettings): Promise<void> {
      await db
        .updateTable('custom_domains')
        .set({ settings: JSON.stringify(settings) })
        .where('tenant_id', '=', tenantId)
        .where('custom_domain_id', '=', id)
        .execute();
    },

    /** Locks the row until the transaction ends; false where it is gone. */
    async lock(tenantId: string, id: string): Promise<boolean> {
      const row = await db
        .selectFrom('custom_domains')
        .select('custom_domain_id')
        .where('tenant_id', '=', tenantId)
        .where('custom_domain_id', '=', id)
        .forUpdate()
        .executeTakeFirst();
      return row !== undefined;
    },

    async noteCheck(tenantId: string, id: string, checkedAt: Date, error: string | undefined): Promise<void> {
      await db
        .updateTable('custom_domains')
        .set({ checked_at: checkedAt, error: error ?? null })
        .where('tenant_id', '=', tenantId)
        .where('custom_domain_id', '=', id)
        .execute();
    },

    /** Of two tenants that prove a domain at once, the second one gets `taken`. */
    async makeReady(tenantId: string, id: string): Promise<void> {
      await orTaken(
        db
          .updateTable('custom_domains')
          .set({ status: 'ready' })
          .where('tenant_id', '=', tenantId)
          .where('custom_domain_id', '=', id)
          .execute(),
      );
    },

    async remove(tenantId: string, id: string): Promise<{ domain: string; isReady: boolean } | undefined> {
      const row = await db
        .deleteFrom('custom_domains')
        .where('tenant_id', '=', tenantId)
        .where('custom_domain_id', '=', id)
        .returning(['domain', 'status'])
        .executeTakeFirst();
      return row && { domain: row.domain, isReady: row.status === 'ready' };
    },
  };
}

async function orTaken(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (cause) {
    const constraint = violatedConstraint(cause);
    if (constraint === 'custom_domains_taken' || constraint === 'custom_domains_taken_in_tenant')
      throw customDomainErrors.taken({}, { cause });
    throw cause;
  }
}
