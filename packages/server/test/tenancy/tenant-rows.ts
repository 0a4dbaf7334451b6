import type pg from 'pg';

/** Every row of a tenant, by table and as text: two of these differ when anything was changed. */
export async function rowsOf(pool: pg.Pool, tenantId: string): Promise<Record<string, string[]>> {
  const rows: Record<string, string[]> = {};
  for (const table of await tablesOf(pool)) {
    const found = await pool.query<{ row: string }>(
      `select to_jsonb(t)::text as row from ${table} t where tenant_id = $1 order by 1`,
      [tenantId],
    );
    rows[table] = found.rows.map(({ row }) => row);
  }
  return rows;
}

/** Tables that carry a tenant; partitions are read through the table that they are parts of. */
export async function tablesOf(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(`
    select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1`);
  return rows.map(({ name }) => name);
}
