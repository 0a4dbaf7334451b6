import type { GivenSettings } from './export-settings.ts';
import type { ExportCounts } from './run-export.ts';

/** What a server tells the process of a run. */
export type ToExport =
  | {
      readonly type: 'run';
      readonly settings: GivenSettings;
      readonly allowed: readonly string[];
      /** The file of a certificate that is trusted besides the usual ones. */
      readonly authority: string | undefined;
      readonly checkpoint: string | undefined;
    }
  /** The checkpoint is kept. */
  | { readonly type: 'saved' }
  /** The server is there, and the run still its own. */
  | { readonly type: 'lives' }
  | { readonly type: 'stop' };

/** What a run tells its server. */
export type FromExport =
  | { readonly type: 'line'; readonly text: string }
  | { readonly type: 'counts'; readonly counts: ExportCounts }
  | { readonly type: 'save'; readonly logId: string }
  | { readonly type: 'end'; readonly end: ExportEnd };

export interface ExportEnd extends ExportCounts {
  readonly outcome: 'complete' | 'failed' | 'stopped';
  readonly error?: string;
  /** In milliseconds: of the oldest event that waits. */
  readonly waitingSince?: number;
}
