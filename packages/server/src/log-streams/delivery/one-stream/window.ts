import { comparePositions, type LogPosition } from '../../../logs/log-id.ts';
import type { LogRow } from '../../../logs/log-row.ts';
import { bytesOfRow } from '../row-bytes.ts';

/** A row between being read and being acknowledged. */
export interface Entry {
  readonly row: LogRow;
  readonly bytes: number;
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
  /** What they take of memory. */
  readonly bytes: () => number;
  readonly isIdle: () => boolean;
  add(rows: readonly LogRow[], reached: LogPosition): void;
  find(is: (row: LogRow) => boolean): Entry | undefined;
  /** The first rows that nobody sends, at most `most`; those that `isWanted` refuses are done at once. */
  waiting(most: number, isWanted: (row: LogRow) => boolean): Entry[];
  /** Takes what is done off the beginning. */
  settle(): void;
}

const MOST_SETTLED = 64;

/**
 * What a stream has read and not yet settled, in order. Sends may be acknowledged in any order; the cursor moves to the end
 * of what is done without a gap, so that a crash repeats what was under way and loses nothing.
 */
export function createWindow(from: LogPosition): Window {
  let entries: Entry[] = [];
  /** What stands before it is done: taken off the array now and then, since each event would move all others. */
  let first = 0;
  let bytes = 0;
  let cursor = from;
  let reached = from;

  function settle(): void {
    for (let entry = entries[first]; entry?.state === 'done'; entry = entries[++first]) {
      cursor = entry.row;
      bytes -= entry.bytes;
    }
    if (first > 0 && (first >= MOST_SETTLED || first === entries.length)) {
      entries = entries.slice(first);
      first = 0;
    }
    if (entries.length === 0) cursor = reached;
  }

  return {
    reached: () => reached,
    cursor: () => ({ epoch: cursor.epoch, xid: cursor.xid, seq: cursor.seq, day: cursor.day }),
    size: () => entries.length - first,
    bytes: () => bytes,
    isIdle: () => entries.length === 0,
    add(rows, end) {
      for (const row of rows) {
        const size = bytesOfRow(row);
        entries.push({ row, bytes: size, state: 'waiting', tries: 0, failedSince: undefined });
        bytes += size;
      }
      if (comparePositions(end, reached) > 0) reached = end;
      settle();
    },
    find: (is) => entries.find(({ row }) => is(row)),
    waiting(most, isWanted) {
      const found: Entry[] = [];
      for (let index = first; index < entries.length && found.length < most; index++) {
        const entry = entries[index];
        if (entry === undefined) break;
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
