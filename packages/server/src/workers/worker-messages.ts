import type pg from 'pg';

/** What the first process tells a worker. */
export type ToWorker =
  | { readonly type: 'serve'; readonly poolOptions: pg.PoolConfig; readonly isStarted: boolean }
  /** All is done that a client may rely on: /health/ready may say so. */
  | { readonly type: 'started' }
  | { readonly type: 'stop' };

/** What a worker tells the first process. */
export type ToPrimary =
  | ({ readonly type: 'listening' } & Served)
  /** It could not start, and ends. */
  | { readonly type: 'failed'; readonly message: string };

/** Where a process listens; `caFile` is the certificate that clients must trust, null where the operator brought one. */
export interface Served {
  readonly http: number;
  readonly https: number | undefined;
  readonly caFile: string | null;
}
