import type { LogPosition } from '../../../logs/log-id.ts';
import type { Beside } from '../../../logs/reading/checkpoint.ts';

/** How a stream's delivery stands: kept in the database, so that it outlives the process that delivers. */
export interface DeliveryState {
  /** Everything up to here was acknowledged, or is not for this stream. */
  readonly cursor: LogPosition;
  /** Since the last success. */
  readonly failures: number;
  /** One event at a time until one is taken. */
  readonly isDegraded: boolean;
  readonly failingSince?: Date | undefined;
  readonly retryAt?: Date | undefined;
  readonly suspect?: Suspect | undefined;
  readonly delivered: number;
  readonly deliveredAt?: Date | undefined;
  /** Events in a second, lately. */
  readonly rate: number;
  /** Newest first, MOST_ATTEMPTS at most. */
  readonly attempts: readonly AttemptRecord[];
}

/** The event that everything waits for. */
export interface Suspect {
  readonly logId: string;
  readonly tries: number;
  /** ISO, of its first failure. */
  readonly since: string;
}

/** One send, as /health shows it. */
export interface AttemptRecord {
  readonly at: string;
  readonly took_ms: number;
  readonly ok: boolean;
  readonly events: number;
  readonly first_log_id: string;
  readonly status?: number | undefined;
  readonly problem?: string | undefined;
  readonly body?: string | undefined;
  readonly is_probe?: true | undefined;
  readonly is_replay?: true | undefined;
  readonly is_test?: true | undefined;
}

/** A stream that this process delivers, for as long as its lease lasts. */
export interface Lease {
  readonly tenantId: string;
  readonly streamId: string;
  readonly fence: string;
}

export const MOST_ATTEMPTS = 50;

/** On which processes tell each other of streams to take, and ask for some. */
export const STREAMS_CHANNEL = 'log_streams_shared';

/**
 * One figure for all streams at their versions, since it is read with each look at the log: it is another one as soon as any of
 * them has changed. Hashed, since one stream may go and another come while a third one changes.
 */
export const STREAM_VERSIONS: Beside = {
  name: 'stream_versions',
  sql: `select coalesce(sum(hashint8extended(version, seq)), 0) from log_streams where status = 'active'`,
};
