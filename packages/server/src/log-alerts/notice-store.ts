import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { prefixedId } from '../kit/ids.ts';

declare module '../db/database.ts' {
  interface Tables {
    log_alert_notices: LogAlertNoticeTable;
  }
}

interface LogAlertNoticeTable {
  tenant_id: string;
  notice_id: string;
  content: unknown;
  attempts: number;
  due_at: Date;
  expires_at: Date;
}

/** What a webhook is still to be told: the same at each attempt. */
export interface Notice {
  readonly tenantId: string;
  readonly noticeId: string;
  readonly content: Readonly<Record<string, unknown>>;
  readonly attempts: number;
}

export type NoticeStore = ReturnType<typeof createNoticeStore>;

const KEPT_MILLISECONDS = 2 * 86_400_000;

export function createNoticeStore(db: Database) {
  return {
    async insert(tenantId: string, content: Readonly<Record<string, unknown>>, now: Date): Promise<void> {
      await db
        .insertInto('log_alert_notices')
        .values({
          tenant_id: tenantId,
          notice_id: prefixedId('aln'),
          content: JSON.stringify(content),
          attempts: 0,
          due_at: now,
          expires_at: new Date(now.getTime() + KEPT_MILLISECONDS),
        })
        .execute();
    },

    /** Takes what is due: nobody else gets it before `leaseEnd`. Of all tenants, each notice with its own. */
    async claim(now: Date, leaseEnd: Date, most: number): Promise<Notice[]> {
      const { rows } = await sql<Notice>`
        update log_alert_notices n set attempts = attempts + 1, due_at = ${leaseEnd}
        where (n.tenant_id, n.notice_id) in (
          select tenant_id, notice_id from log_alert_notices where due_at <= ${now}
          order by due_at limit ${most} for update skip locked)
        returning n.tenant_id as "tenantId", n.notice_id as "noticeId", n.content, n.attempts`.execute(db);
      return rows;
    },

    /** False where somebody else has taken it since. */
    async finish({ tenantId, noticeId, attempts }: Notice): Promise<boolean> {
      const result = await db
        .deleteFrom('log_alert_notices')
        .where('tenant_id', '=', tenantId)
        .where('notice_id', '=', noticeId)
        .where('attempts', '=', attempts)
        .executeTakeFirst();
      return result.numDeletedRows === 1n;
    },

    async postpone({ tenantId, noticeId, attempts }: Notice, until: Date): Promise<void> {
      await db
        .updateTable('log_alert_notices')
        .set({ due_at: until })
        .where('tenant_id', '=', tenantId)
        .where('notice_id', '=', noticeId)
        .where('attempts', '=', attempts)
        .execute();
    },
  };
}
