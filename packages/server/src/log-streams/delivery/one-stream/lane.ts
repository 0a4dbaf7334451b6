import type { LogPosition } from '../../../logs/log-id.ts';
import { type LogRow, logIdOf } from '../../../logs/log-row.ts';
import { bytesOfRow } from '../row-bytes.ts';
import type { Suspect } from '../state/delivery-state.ts';
import { createWindow, type Window } from './window.ts';

/** What a lane may hold: events that are read and not acknowledged. */
export interface Room {
  readonly rows: number;
  readonly bytes: number;
}

export interface Section {
  readonly rows: readonly LogRow[];
  readonly reached: LogPosition;
  /** Nothing comes behind it: of a replay. */
  readonly isLast?: boolean;
}

/** Where a stream's rows come from, in order: the log as it grows, or a part of it once more. */
export interface Lane {
  readonly window: Window;
  readonly isReplay: boolean;
  /** Whether a row is sent: of a replay, which reads more than it sends. */
  readonly includes: (row: LogRow) => boolean;
  /** Everything was read, and everything that was read is done. */
  readonly isFinished: () => boolean;
  /** Reads on where there is room. */
  refill(room: Room): Promise<void>;
}

interface Parts {
  readonly from: LogPosition;
  readonly read: (from: LogPosition, most: number) => Promise<Section | undefined>;
  readonly isReplay?: boolean;
  readonly includes?: (row: LogRow) => boolean;
  /** The event that a process before this one was trying. */
  readonly suspect?: Suspect | undefined;
}

/** Rows of one look at the log: what is read at once is in memory at once, however large it is. */
const PAGE = 1_000;
/** Of an event, before the first ones are known. */
const USUAL_BYTES = 4_000;

export function createLane({ from, read, isReplay = false, includes = () => true, suspect }: Parts): Lane {
  const window = createWindow(from);
  let isReading = false;
  let isRead = false;
  let remembered = suspect;
  let usualBytes = USUAL_BYTES;

  function recall(): void {
    if (remembered === undefined) return;
    const { logId, tries, since } = remembered;
    const entry = window.find((row) => logIdOf(row) === logId);
    if (entry === undefined) return;
    entry.tries = tries;
    entry.failedSince = Date.parse(since);
    remembered = undefined;
  }

  return {
    window,
    isReplay,
    includes,
    isFinished: () => isRead && window.isIdle(),
    async refill(room) {
      const most = mostOf(room);
      if (isReading || isRead || most === 0) return;
      isReading = true;
      try {
        const section = await read(window.reached(), most);
        if (section === undefined) return;
        const { rows, reached, isLast } = fitting(section, room.bytes - window.bytes());
        window.add(rows, reached);
        isRead = isLast === true;
        recall();
      } finally {
        isReading = false;
      }
    },
  };

  /** A look at the log costs the same for one row and for many: 0 where it would bring few. */
  function mostOf({ rows, bytes }: Room): number {
    const free = rows - window.size();
    if (free < Math.min(rows / 2, PAGE) || window.bytes() > bytes / 2) return 0;
    return Math.max(1, Math.min(free, PAGE, Math.floor((bytes - window.bytes()) / usualBytes)));
  }

  /** As many as there is room for, the first one always; the others are read again when there is. */
  function fitting(section: Section, room: number): Section {
    let [bytes, count] = [0, 0];
    for (const row of section.rows) {
      const size = bytesOfRow(row);
      if (count > 0 && bytes + size > room) break;
      bytes += size;
      count++;
    }
    if (count > 0) usualBytes = Math.ceil(bytes / count);
    const last = section.rows[count - 1];
    if (last === undefined || count === section.rows.length) return section;
    return { rows: section.rows.slice(0, count), reached: last, isLast: false };
  }
}
