import { comparePositions, type LogPosition } from '../../../logs/log-id.ts';
import type { LogRow } from '../../../logs/log-row.ts';

/** A row between being read and being acknowledged. */
export interface Entry {
  readonly row: LogRow;
  state: 'waiting' | 'sending' | 'done';
  tries: number;
  /** Of its first failure, in milliseconds. */
  failedSince: number | undefined;
}

export interface Window {
  /** What is read next stands behind it. */
  readonly reached: () => LogPosition;
  /** Everything up to here is done: where a process goes on that takes over. */
  readonly cursor: () => LogPosition;
  /** Rows that are read and not done. */
  readonly size: () => number;
  readonly isIdle: () => boolean;
  add(rows: readonly LogRow[], reached: LogPosition): void;
  find(is: (row: LogRow) => boolean): Entry | undefined;
  /** The first rows that nobody sends, at most `most`; those that `isWanted` refuses are done at once. */
  waiting(most: number, isWanted: (row: LogRow) => boolean): Entry[];
  /** Takes what is done off the beginning. */
  settle(): void;
}

/**
 * What a stream has read and not yet settled, in order. Sends may be acknowledged in any order; the cursor moves to the end
 * of what is done without a gap, so that a crash repeats what was under way and loses nothing.
 */
export function createWindow(from: LogPosition): Window {
  let entries: Entry[] = [];
  let cursor = from;
  let reached = from;

  function settle(): void {
    const first = entries.findIndex(({ state }) => state !== 'done');
    const settled = first < 0 ? entries.length : first;
    const last = entries[settled - 1];
    if (last !== undefined) {
      cursor = last.row;
      entries = entries.slice(settled);
    }
    if (entries.length === 0) cursor = reached;
  }

  return {
    reached: () => reached,
    cursor: () => ({ epoch: cursor.epoch, xid: cursor.xid, seq: cursor.seq, day: cursor.day }),
    size: () => entries.length,
    isIdle: () => entries.length === 0,
    add(rows, end) {
      for (const row of rows) entries.push({ row, state: 'waiting', tries: 0, failedSince: undefined });
      if (comparePositions(end, reached) > 0) reached = end;
      settle();
    },
    find: (is) => entries.find(({ row }) => is(row)),
    waiting(most, isWanted) {
      const found: Entry[] = [];
      for (const entry of entries) {
        if (found.length >= most) break;
        if (entry.state !== 'waiting') {
          // What is sent together stands together.
          if (found.length > 0 && entry.state === 'sending') break;
          continue;
        }
        if (isWanted(entry.row)) found.push(entry);
        else entry.state = 'done';
      }
      return found;
    },
    settle,
  };
}
