import type pg from 'pg';

/** What the first process tells a worker. */
export type ToWorker =
  | { readonly type: 'serve'; readonly poolOptions: pg.PoolConfig; readonly isStarted: boolean }
  /** All is done that a client may rely on: /health/ready may say so. */
  | { readonly type: 'started' }
  | { readonly type: 'stop' }
  /** Wanted: what it has counted. */
  | { readonly type: 'count'; readonly id: number }
  /** What all other processes have counted, as it asked. */
  | { readonly type: 'counted'; readonly id: number; readonly snapshots: readonly object[] };

/** What a worker tells the first process. */
export type ToPrimary =
  | ({ readonly type: 'listening' } & Served)
  /** It could not start, and ends. */
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'count'; readonly id: number; readonly snapshot: object }
  /** Wanted: what all others have counted. */
  | { readonly type: 'countOthers'; readonly id: number };

/** Where a process listens; `caFile` is the certificate that clients must trust, null where the operator brought one. */
export interface Served {
  readonly http: number;
  readonly https: number | undefined;
  readonly caFile: string | null;
}
