import type { LogReader } from '../../../logs/reading/log-reader.ts';
import type { DeadLetterStore, LetterKey } from './dead-letter-store.ts';

interface Parts {
  readonly deadLetters: Pick<DeadLetterStore, 'ofDaysBefore' | 'remove'>;
  readonly logs: Pick<LogReader, 'find'>;
}

const AT_ONCE = 200;

/**
 * Dead letters go with their events: nobody could send them again, and they count against what a stream keeps. The log says
 * which events are gone, since each tenant has its own retention, and what a stream has still to get stays longer.
 */
export function createDeadLetterExpiry({ deadLetters, logs }: Parts) {
  return async (beforeDay: string): Promise<void> => {
    let last: LetterKey | undefined;
    for (;;) {
      const letters = await deadLetters.ofDaysBefore(beforeDay, last, AT_ONCE);
      for (const { tenantId, streamId, logId } of letters)
        if ((await logs.find(tenantId, logId)) === undefined) await deadLetters.remove(tenantId, streamId, [logId]);
      last = letters.at(-1);
      if (letters.length < AT_ONCE) return;
    }
  };
}
