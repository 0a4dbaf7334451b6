import { type Generated, type JSONColumnType, sql } from 'kysely';
import type { ConsoleLine, JobKind } from '../containers/job.ts';
import type { Database } from '../db/database.ts';
import type { KeptConsole } from './kept-console.ts';

declare module '../db/database.ts' {
  interface Tables {
    console_output: ConsoleOutputTable;
  }
}

interface ConsoleOutputTable {
  tenant_id: string;
  execution_id: string;
  at: Generated<Date>;
  kind: JobKind;
  outcome: string;
  took_ms: number;
  lines: JSONColumnType<readonly ConsoleLine[]>;
  expires_at: Date;
}

export interface NewConsole extends Omit<KeptConsole, 'at'> {
  readonly tenantId: string;
  readonly expiresAt: Date;
}

export type ConsoleStore = ReturnType<typeof createConsoleStore>;

export function createConsoleStore(db: Database) {
  const ofTenant = (tenantId: string) =>
    db
      .selectFrom('console_output')
      .select(['execution_id as id', 'at', 'kind', 'outcome', 'took_ms as tookMs', 'lines'])
      .where('tenant_id', '=', tenantId);

  return {
    async insert(consoles: readonly NewConsole[]): Promise<void> {
      const rows = consoles.map(({ tenantId, id, kind, outcome, tookMs, lines, expiresAt }) => ({
        tenant_id: tenantId,
        execution_id: id,
        kind,
        outcome,
        took_ms: Math.round(tookMs),
        lines,
        expires_at: expiresAt,
      }));
      // A tenant that was deleted meanwhile takes its rows along, and not those of the others.
      await sql`insert into console_output (tenant_id, execution_id, kind, outcome, took_ms, lines, expires_at)
        select row.* from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row
          (tenant_id text, execution_id text, kind text, outcome text, took_ms integer, lines jsonb, expires_at timestamptz)
        where row.tenant_id in (select tenant_id from tenants)`.execute(db);
    },

    /** The newest ones, in the order in which they were written. */
    async newest(tenantId: string, count: number): Promise<KeptConsole[]> {
      const rows = await ofTenant(tenantId).orderBy('at', 'desc').orderBy('execution_id').limit(count).execute();
      return rows.reverse();
    },

    /**
     * Those of the last seconds: of two that are written at once, the later one may be seen first, so that who follows asks
     * for some of them again.
     */
    lately(tenantId: string, seconds: number, most: number): Promise<KeptConsole[]> {
      return ofTenant(tenantId)
        .where('at', '>', sql<Date>`now() - make_interval(secs => ${seconds})`)
        .orderBy('at')
        .orderBy('execution_id')
        .limit(most)
        .execute();
    },
  };
}
