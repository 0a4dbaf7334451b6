import { type JSONColumnType, type Selectable, sql } from 'kysely';
import type { Database } from '../../../db/database.ts';
import type { LogPosition } from '../../../logs/log-id.ts';

declare module '../../../db/database.ts' {
  interface Tables {
    log_stream_replays: ReplayTable;
  }
}

interface ReplayTable {
  tenant_id: string;
  stream_id: string;
  id: string;
  from_at: Date | null;
  to_at: Date;
  only_failed: boolean;
  position: JSONColumnType<LogPosition>;
  last: JSONColumnType<LogPosition>;
  sent: string;
  created_at: Date;
  finished_at: Date | null;
}

/** A part of the log that a stream sends once more. */
export interface Replay {
  /** `rpl_…` */
  readonly id: string;
  readonly fromAt: Date | undefined;
  readonly toAt: Date;
  /** Dead letters instead of the log. */
  readonly onlyFailed: boolean;
  readonly position: LogPosition;
  /** What stands behind it is no part of the replay. */
  readonly last: LogPosition;
  readonly sent: number;
  readonly createdAt: Date;
  readonly finishedAt: Date | undefined;
}

export type ReplayStore = ReturnType<typeof createReplayStore>;

export function createReplayStore(db: Database) {
  return {
    /** False while another one is under way. One that has finished gives way. */
    async begin(tenantId: string, streamId: string, replay: Replay): Promise<boolean> {
      const values = {
        id: replay.id,
        from_at: replay.fromAt ?? null,
        to_at: replay.toAt,
        only_failed: replay.onlyFailed,
        position: JSON.stringify(replay.position),
        last: JSON.stringify(replay.last),
        sent: '0',
        created_at: replay.createdAt,
        finished_at: null,
      };
      const result = await db
        .insertInto('log_stream_replays')
        .values({ tenant_id: tenantId, stream_id: streamId, ...values })
        .onConflict((conflict) =>
          conflict
            .columns(['tenant_id', 'stream_id'])
            .doUpdateSet(values)
            .where('log_stream_replays.finished_at', 'is not', null),
        )
        .executeTakeFirst();
      return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
    },

    async find(tenantId: string, streamId: string): Promise<Replay | undefined> {
      const row = await db
        .selectFrom('log_stream_replays')
        .selectAll()
        .where('tenant_id', '=', tenantId)
        .where('stream_id', '=', streamId)
        .executeTakeFirst();
      return row && fromRow(row);
    },

    async save(tenantId: string, streamId: string, replay: Pick<Replay, 'id' | 'position' | 'sent'>): Promise<void> {
      await db
        .updateTable('log_stream_replays')
        .set({ position: JSON.stringify(replay.position), sent: String(replay.sent) })
        .where('tenant_id', '=', tenantId)
        .where('stream_id', '=', streamId)
        .where('id', '=', replay.id)
        .execute();
    },

    async finish(tenantId: string, streamId: string, id: string, at: Date): Promise<void> {
      await sql`update log_stream_replays set finished_at = ${at}
        where tenant_id = ${tenantId} and stream_id = ${streamId} and id = ${id}`.execute(db);
    },
  };
}

function fromRow(row: Selectable<ReplayTable>): Replay {
  return {
    id: row.id,
    fromAt: row.from_at ?? undefined,
    toAt: row.to_at,
    onlyFailed: row.only_failed,
    position: row.position,
    last: row.last,
    sent: Number(row.sent),
    createdAt: row.created_at,
    finishedAt: row.finished_at ?? undefined,
  };
}
