import { type Selectable, sql } from 'kysely';
import type { Database } from '../../../db/database.ts';

declare module '../../../db/database.ts' {
  interface Tables {
    log_stream_dead_letters: DeadLetterTable;
  }
}

interface DeadLetterTable {
  tenant_id: string;
  stream_id: string;
  log_id: string;
  tries: number;
  first_failed_at: Date;
  failed_at: Date;
  status: number | null;
  problem: string;
  body: string | null;
}

/** An event that a sink refused by itself, while it took others. */
export interface DeadLetter {
  readonly logId: string;
  readonly tries: number;
  readonly firstFailedAt: Date;
  readonly failedAt: Date;
  readonly status: number | undefined;
  readonly problem: string;
  readonly body: string | undefined;
}

export interface LetterKey {
  readonly tenantId: string;
  readonly streamId: string;
  readonly logId: string;
}

/** Where logs/log-id.ts writes it. */
const DAY_OF_LOG_ID = sql`substr(log_id, 46, 8)`;

export type DeadLetterStore = ReturnType<typeof createDeadLetterStore>;

export function createDeadLetterStore(db: Database) {
  const rows = (tenantId: string, streamId: string) =>
    db.selectFrom('log_stream_dead_letters').where('tenant_id', '=', tenantId).where('stream_id', '=', streamId);

  return {
    /** An event that came back from a replay counts its tries on. */
    async put(tenantId: string, streamId: string, letter: DeadLetter): Promise<void> {
      const { status = null, body = null } = letter;
      const latest = { tries: letter.tries, failed_at: letter.failedAt, status, problem: letter.problem, body };
      await db
        .insertInto('log_stream_dead_letters')
        .values({
          tenant_id: tenantId,
          stream_id: streamId,
          log_id: letter.logId,
          first_failed_at: letter.firstFailedAt,
          ...latest,
        })
        .onConflict((conflict) => conflict.columns(['tenant_id', 'stream_id', 'log_id']).doUpdateSet(latest))
        .execute();
    },

    /** In the order of the log. */
    async window(tenantId: string, streamId: string, offset: number, limit: number): Promise<DeadLetter[]> {
      const found = await rows(tenantId, streamId).selectAll().orderBy('log_id').offset(offset).limit(limit).execute();
      return found.map(fromRow);
    },

    /** Ids behind one, for who walks through them while they go. */
    async after(tenantId: string, streamId: string, logId: string, limit: number): Promise<string[]> {
      const found = await rows(tenantId, streamId)
        .select('log_id')
        .where('log_id', '>', logId)
        .orderBy('log_id')
        .limit(limit)
        .execute();
      return found.map(({ log_id }) => log_id);
    },

    async count(tenantId: string, streamId: string): Promise<number> {
      const row = await rows(tenantId, streamId)
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },

    /** Of all tenants: those of events of a day before this one (YYYYMMDD), behind a letter of the same order. */
    async ofDaysBefore(day: string, after: LetterKey | undefined, limit: number): Promise<LetterKey[]> {
      const { rows: found } = await sql<LetterKey>`
        select tenant_id as "tenantId", stream_id as "streamId", log_id as "logId" from log_stream_dead_letters
        where ${DAY_OF_LOG_ID} < ${day} and (tenant_id, stream_id, log_id)
          > (${after?.tenantId ?? ''}, ${after?.streamId ?? ''}, ${after?.logId ?? ''})
        order by tenant_id, stream_id, log_id limit ${limit}`.execute(db);
      return found;
    },

    /** They were taken after all, or their time is over. */
    async remove(tenantId: string, streamId: string, logIds: readonly string[]): Promise<void> {
      if (logIds.length === 0) return;
      await db
        .deleteFrom('log_stream_dead_letters')
        .where('tenant_id', '=', tenantId)
        .where('stream_id', '=', streamId)
        .where('log_id', 'in', [...logIds])
        .execute();
    },
  };
}

function fromRow(row: Selectable<DeadLetterTable>): DeadLetter {
  return {
    logId: row.log_id,
    tries: row.tries,
    firstFailedAt: row.first_failed_at,
    failedAt: row.failed_at,
    status: row.status ?? undefined,
    problem: row.problem,
    body: row.body ?? undefined,
  };
}
