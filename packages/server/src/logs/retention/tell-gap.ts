import type { Transact } from '../../db/transact.ts';
import type { RecordEvent } from '../event.ts';
import type { GapStore } from './gap-store.ts';
import type { Portion, Unread } from './portions.ts';
import { GRACE_DAYS } from './retention.ts';

export type TellGap = (portion: Portion, unread: Unread) => Promise<void>;

interface Parts {
  readonly transact: Transact<{ readonly logGaps: GapStore; readonly record: RecordEvent }>;
  readonly now: () => Date;
}

/** Events that somebody was to have and did not read go in the end: once a day and tenant, and never without a word. */
export function createTellGap({ transact, now }: Parts): TellGap {
  return (portion, unread) =>
    transact(async ({ logGaps, record }) => {
      if (!(await logGaps.isNews(portion, unread, now()))) return;
      const { day, tenantId } = portion;
      const date = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
      await record(tenantId, {
        type: 'recordsPurged',
        description: `log_gap: ${unread.events} events of ${date} are removed that a log stream has not delivered, ${GRACE_DAYS} days after their time was over.`,
        details: {
          log_gap: {
            day: date,
            events: Number(unread.events),
            first_log_id: unread.firstLogId,
            last_log_id: unread.lastLogId,
          },
        },
      });
    });
}
