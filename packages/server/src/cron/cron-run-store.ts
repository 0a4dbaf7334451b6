import { type Generated, type JSONColumnType, type Selectable, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { type CronRun, EXIT_CODES, MOST_LINES, MOST_RUNS, type RunLine, type RunOutcome } from './cron-job.ts';

declare module '../db/database.ts' {
  interface Tables {
    cron_runs: CronRunTable;
  }
}

interface CronRunTable {
  tenant_id: string;
  run_id: string;
  name: string;
  started_at: Date;
  ended_at: Date | null;
  outcome: RunOutcome;
  exit_code: number | null;
  read: Generated<number>;
  sent: Generated<number>;
  skipped: Generated<number>;
  lag_seconds: number | null;
  error: string | null;
  lines: JSONColumnType<RunLine[], string | undefined>;
  line_count: Generated<number>;
  expires_at: Date;
}

/** A run, and how much of it there is to read. */
export interface RunHead extends Pick<CronRun, 'runId' | 'name' | 'startedAt' | 'lineCount'> {
  readonly isOver: boolean;
}

export type RunCounts = Pick<CronRun, 'read' | 'sent' | 'skipped'>;
export type CronRunStore = ReturnType<typeof createCronRunStore>;

const KEPT_MILLISECONDS = 30 * 86_400_000;

export function createCronRunStore(db: Database) {
  const of = (tenantId: string, runId: string) =>
    db.updateTable('cron_runs').where('tenant_id', '=', tenantId).where('run_id', '=', runId);

  return {
    /** `db` is one transaction. Runs of this job that never ended were lost: there is one at a time. */
    async begin(
      tenantId: string,
      { runId, name, startedAt }: Pick<CronRun, 'runId' | 'name' | 'startedAt'>,
    ): Promise<void> {
      await db
        .updateTable('cron_runs')
        .set({ outcome: 'lost', ended_at: startedAt })
        .where('tenant_id', '=', tenantId)
        .where('name', '=', name)
        .where('ended_at', 'is', null)
        .execute();
      const older = db
        .selectFrom('cron_runs')
        .select('run_id')
        .where('tenant_id', '=', tenantId)
        .where('name', '=', name)
        .orderBy('started_at', 'desc')
        .offset(MOST_RUNS - 1);
      await db.deleteFrom('cron_runs').where('tenant_id', '=', tenantId).where('run_id', 'in', older).execute();
      await db
        .insertInto('cron_runs')
        .values({
          tenant_id: tenantId,
          run_id: runId,
          name,
          started_at: startedAt,
          ended_at: null,
          outcome: 'running',
          exit_code: null,
          lag_seconds: null,
          error: null,
          expires_at: new Date(startedAt.getTime() + KEPT_MILLISECONDS),
        })
        .execute();
    },

    /** What it has printed since, and how far it is. */
    async note(tenantId: string, runId: string, lines: readonly RunLine[], counts: RunCounts): Promise<void> {
      await of(tenantId, runId)
        .set({
          ...counts,
          lines: sql`(select coalesce(jsonb_agg(line order by place), '[]')
            from jsonb_array_elements(lines || ${JSON.stringify(lines)}::jsonb) with ordinality as all_lines (line, place)
            where place > jsonb_array_length(lines) + ${lines.length}::int - ${MOST_LINES}::int)`,
          line_count: sql`line_count + ${lines.length}::int`,
        })
        .execute();
    },

    async end(
      tenantId: string,
      runId: string,
      {
        endedAt,
        outcome,
        lagSeconds,
        error,
        ...counts
      }: RunCounts & Pick<CronRun, 'lagSeconds' | 'error'> & { endedAt: Date; outcome: RunOutcome },
    ): Promise<void> {
      await of(tenantId, runId)
        .where('ended_at', 'is', null)
        .set({
          ...counts,
          ended_at: endedAt,
          outcome,
          exit_code: EXIT_CODES[outcome] ?? null,
          lag_seconds: lagSeconds ?? null,
          error: error?.slice(0, 1_000) ?? null,
        })
        .execute();
    },

    /** Newest first, of one job or of all. */
    async newest(tenantId: string, name: string | undefined, limit: number): Promise<CronRun[]> {
      const rows = await db
        .selectFrom('cron_runs')
        .selectAll()
        .where('tenant_id', '=', tenantId)
        .$if(name !== undefined, (query) => query.where('name', '=', name ?? ''))
        .orderBy('started_at', 'desc')
        .orderBy('run_id')
        .limit(limit)
        .execute();
      return rows.map(fromRow);
    },

    /** The same, without what they printed. */
    async heads(tenantId: string, name: string | undefined, limit: number): Promise<RunHead[]> {
      const { rows } = await newestHeads(tenantId, name, limit).execute(db);
      return rows;
    },

    /** What the newest runs have printed beyond the lines of each that are told already: no other line is read. */
    async since(
      tenantId: string,
      name: string | undefined,
      told: ReadonlyMap<string, number>,
      limit: number,
    ): Promise<(RunHead & Pick<CronRun, 'lines'>)[]> {
      const known = JSON.stringify([...told].map(([run_id, count]) => ({ run_id, count })));
      const { rows } = await sql<RunHead & Pick<CronRun, 'lines'>>`
        select n.*, coalesce(fresh.lines, '[]') as lines
        from (${newestHeads(tenantId, name, limit)}) n
          left join jsonb_to_recordset(${known}::jsonb) as told (run_id text, count integer) on told.run_id = n."runId"
          left join lateral (
            select jsonb_agg(line order by place) as lines
            from cron_runs r, jsonb_array_elements(r.lines) with ordinality as all_lines (line, place)
            where n."lineCount" > coalesce(told.count, 0) and r.tenant_id = ${tenantId} and r.run_id = n."runId"
              and place > jsonb_array_length(r.lines) - (n."lineCount" - coalesce(told.count, 0))
          ) fresh on true
        order by n."startedAt" desc, n."runId"`.execute(db);
      return rows;
    },

    /** The last run of each job. */
    async last(tenantId: string): Promise<Map<string, CronRun>> {
      const rows = await db
        .selectFrom('cron_runs')
        .distinctOn('name')
        .selectAll()
        .where('tenant_id', '=', tenantId)
        .orderBy('name')
        .orderBy('started_at', 'desc')
        .execute();
      return new Map(rows.map((row) => [row.name, fromRow(row)]));
    },
  };
}

function newestHeads(tenantId: string, name: string | undefined, limit: number) {
  return sql<RunHead>`select run_id as "runId", name, started_at as "startedAt", ended_at is not null as "isOver",
      line_count as "lineCount"
    from cron_runs where tenant_id = ${tenantId} ${name === undefined ? sql`` : sql`and name = ${name}`}
    order by started_at desc, run_id limit ${limit}`;
}

function fromRow(row: Selectable<CronRunTable>): CronRun {
  return {
    runId: row.run_id,
    name: row.name,
    startedAt: row.started_at,
    endedAt: row.ended_at ?? undefined,
    outcome: row.outcome,
    exitCode: row.exit_code ?? undefined,
    read: row.read,
    sent: row.sent,
    skipped: row.skipped,
    lagSeconds: row.lag_seconds ?? undefined,
    error: row.error ?? undefined,
    lines: row.lines,
    lineCount: row.line_count,
  };
}
