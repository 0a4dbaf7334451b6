import { comparePositions, decodeLogId, encodeLogId } from '../../../logs/log-id.ts';
import type { LogRow } from '../../../logs/log-row.ts';
import type { LogReader } from '../../../logs/reading/log-reader.ts';
import type { DeadLetterStore } from '../state/dead-letter-store.ts';
import type { Replay } from '../state/replay-store.ts';
import { createLane, type Lane, type Section } from './lane.ts';

interface Parts {
  readonly tenantId: string;
  readonly streamId: string;
  readonly replay: Replay;
  readonly logs: Pick<LogReader, 'page' | 'find'>;
  readonly deadLetters: Pick<DeadLetterStore, 'after'>;
  /** By the filters of the moment: who asks for a replay has the stream before them as it is. */
  readonly isWanted: (row: LogRow) => boolean;
}

/** A part of the log once more, or what was given up: beside the lane of new events, and behind it. */
export function createReplayLane({ tenantId, streamId, replay, logs, deadLetters, isWanted }: Parts): Lane {
  const { fromAt, toAt, last, onlyFailed, position } = replay;

  async function readLog(from: Replay['position'], room: number): Promise<Section> {
    const { rows, reached } = await logs.page(tenantId, from, room);
    const inside = rows.filter((row) => comparePositions(row, last) <= 0);
    return { rows: inside, reached, isLast: comparePositions(reached, last) >= 0 };
  }

  async function readDeadLetters(from: Replay['position'], room: number): Promise<Section> {
    const ids = await deadLetters.after(tenantId, streamId, encodeLogId(from), room);
    const rows: LogRow[] = [];
    for (const id of ids) {
      // Retention may have taken the event; its letter tells that it was there.
      const row = await logs.find(tenantId, id);
      if (row !== undefined) rows.push(row);
    }
    const reached = decodeLogId(ids.at(-1) ?? '') ?? from;
    return { rows, reached, isLast: ids.length < room };
  }

  return createLane({
    from: position,
    read: onlyFailed ? readDeadLetters : readLog,
    isReplay: true,
    includes: (row) => row.at <= toAt && (fromAt === undefined || row.at >= fromAt) && isWanted(row),
  });
}
