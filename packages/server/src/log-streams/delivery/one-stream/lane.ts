import type { LogPosition } from '../../../logs/log-id.ts';
import { type LogRow, logIdOf } from '../../../logs/log-row.ts';
import type { Suspect } from '../state/delivery-state.ts';
import { createWindow, type Window } from './window.ts';

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
  /** Whether a row is part of it, besides what the stream itself wants. */
  readonly includes: (row: LogRow) => boolean;
  /** Everything was read, and everything that was read is done. */
  readonly isFinished: () => boolean;
  /** Reads on where there is room. */
  refill(room: number): Promise<void>;
}

interface Parts {
  readonly from: LogPosition;
  readonly read: (from: LogPosition, room: number) => Promise<Section | undefined>;
  readonly isReplay?: boolean;
  readonly includes?: (row: LogRow) => boolean;
  /** The event that a process before this one was trying. */
  readonly suspect?: Suspect | undefined;
}

export function createLane({ from, read, isReplay = false, includes = () => true, suspect }: Parts): Lane {
  const window = createWindow(from);
  let isReading = false;
  let isRead = false;
  let remembered = suspect;

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
      const free = room - window.size();
      // A look at the log costs the same for one row and for many.
      if (isReading || isRead || free < room / 2) return;
      isReading = true;
      try {
        const section = await read(window.reached(), free);
        if (section === undefined) return;
        window.add(section.rows, section.reached);
        isRead = section.isLast === true;
        recall();
      } finally {
        isReading = false;
      }
    },
  };
}
