import type { Workbench } from './workbench.ts';

/** One line of the table. */
export interface Figure {
  readonly work: string;
  /** Our figure, in its own unit. */
  readonly ours: string;
  /** What it was compared with, measured in the same run. */
  readonly yardstick: string;
  /** The number that the goal is about: a ratio as a rule. */
  readonly measured: number;
  readonly unit: 'signatures' | 'of it' | 'times' | 'MB' | 'ms' | 's' | '/s';
  /** Undefined: a comparison, no goal of ours. */
  readonly goal?: { readonly is: 'at most' | 'at least'; readonly limit: number };
}

/** What one file of rows/ measures. */
export interface Row {
  /** For --only. */
  readonly name: string;
  measure(workbench: Workbench): Promise<Figure[]>;
}
