import type { LogPosition } from '../log-id.ts';

/** How far somebody has read who is to have every event: a log stream, the rollups. */
export interface ReaderCursor {
  /** Undefined for one who reads the events of all tenants. */
  readonly tenantId: string | undefined;
  /** All up to here is read; undefined where nothing is. */
  readonly position: Pick<LogPosition, 'epoch' | 'xid' | 'seq'> | undefined;
}

/** Whoever reads in the order of delivery says here how far: what they have not read stays longer (GRACE_DAYS). */
export type CursorsOfReaders = () => Promise<readonly ReaderCursor[]>;

/** Those of several, as one. */
export function allCursors(...sources: readonly CursorsOfReaders[]): CursorsOfReaders {
  return async () => (await Promise.all(sources.map((source) => source()))).flat();
}
