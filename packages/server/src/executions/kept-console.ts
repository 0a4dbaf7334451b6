import type { ConsoleLine, JobKind } from '../containers/job.ts';
import { storableText } from '../logs/masking/storable-text.ts';

/** What the code of one execution wrote to its console, for its author. */
export interface KeptConsole {
  readonly id: string;
  readonly at: Date;
  readonly kind: JobKind;
  /** `ok`, or how it failed. */
  readonly outcome: string;
  readonly tookMs: number;
  readonly lines: readonly ConsoleLine[];
}

const MOST_LINES = 200;
const MOST_CHARACTERS = 16_384;
const LONGEST_LINE = 4_096;

/**
 * A few pages of what an execution wrote: how it began and how it ended. `mask` hides secrets, before anything is cut:
 * half a secret would be no secret any more to a mask.
 */
export function keptLines(console: readonly ConsoleLine[], mask: (text: string) => string): ConsoleLine[] {
  const first = countFitting(console);
  const last = countFitting(console.slice(first).reverse());
  const left = console.length - first - last;
  const keep = (line: ConsoleLine) => ({ ...line, text: storableText(mask(line.text), LONGEST_LINE) });
  return [
    ...console.slice(0, first).map(keep),
    ...(left > 0 ? [{ level: 'info' as const, text: `… ${left} lines are not kept …` }] : []),
    ...console.slice(first + left).map(keep),
  ];
}

/** How many lines half of the room is enough for. */
function countFitting(lines: readonly ConsoleLine[]): number {
  let room = MOST_CHARACTERS / 2;
  const fitting = lines.slice(0, MOST_LINES / 2).findIndex(({ text }) => {
    room -= Math.min(text.length, LONGEST_LINE);
    return room < 0;
  });
  return fitting < 0 ? Math.min(lines.length, MOST_LINES / 2) : fitting;
}
