import type { Database } from '../../db/database.ts';
import type { Portion, Unread } from './portions.ts';
import { DAY } from './retention.ts';

declare module '../../db/database.ts' {
  interface Tables {
    log_gaps: LogGapTable;
  }
}

interface LogGapTable {
  tenant_id: string;
  day: string;
  events: string;
  first_log_id: string;
  last_log_id: string;
  told_at: Date;
  expires_at: Date;
}

export type GapStore = ReturnType<typeof createGapStore>;

const KEPT_MILLISECONDS = 400 * DAY;

export function createGapStore(db: Database) {
  return {
    /** Whether it is news: a round that was killed before it removed the day has told of it already. */
    async isNews({ tenantId, day }: Portion, { events, firstLogId, lastLogId }: Unread, now: Date): Promise<boolean> {
      const result = await db
        .insertInto('log_gaps')
        .values({
          tenant_id: tenantId,
          day,
          events,
          first_log_id: firstLogId,
          last_log_id: lastLogId,
          told_at: now,
          expires_at: new Date(now.getTime() + KEPT_MILLISECONDS),
        })
        .onConflict((conflict) => conflict.columns(['tenant_id', 'day']).doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
  };
}
