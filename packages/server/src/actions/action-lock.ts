import { sql } from 'kysely';
import type { Database } from '../db/database.ts';

/**
 * Writers of a tenant's actions take turns: limits, names, bindings and the modules that actions use are looked at and changed
 * by one transaction at a time. `db` is that transaction.
 */
export async function lockActions(db: Database, tenantId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('actions'), hashtext(${tenantId}))`.execute(db);
}
