import type { Json } from '../../../kit/json-values.ts';
import { encodeLogId } from '../../../logs/log-id.ts';
import { type Lag, MOST_COUNTED } from '../../../logs/reading/measure-lag.ts';
import { DAMAGES, type LogStream } from '../../log-stream.ts';
import type { DeliveryState } from './delivery-state.ts';
import type { Replay } from './replay-store.ts';

interface Parts {
  readonly stream: LogStream;
  readonly delivery: DeliveryState & { readonly isOwned: boolean };
  readonly lag: Lag;
  readonly deadLetters: number;
  readonly replay: Replay | undefined;
  readonly now: Date;
}

const LONG_SECONDS = 3_600;

/** GET /log-streams/{id}/health */
export function describeHealth({ stream, delivery, lag, deadLetters, replay, now }: Parts): Json {
  const eta = etaOf(delivery, lag);
  const isSlow = eta !== null && eta > LONG_SECONDS && stream.sink?.httpContentFormat === 'JSONOBJECT';
  return {
    status: stream.status,
    state: stateOf(stream, delivery),
    ...(stream.damage && { error: DAMAGES[stream.damage] }),
    // Of the tenant, whether this stream wants them or not.
    lag: { events: lag.events, is_more: lag.events === MOST_COUNTED, seconds: secondsSince(lag.since, now) },
    rate_per_second: Math.round(delivery.rate * 100) / 100,
    eta_seconds: eta,
    ...(isSlow && {
      advice: 'JSONARRAY and JSONLINES send up to 500 events at once: the stream would catch up sooner.',
    }),
    cursor: encodeLogId(delivery.cursor),
    delivered: delivery.delivered,
    last_delivered_at: delivery.deliveredAt?.toISOString() ?? null,
    failures: delivery.failures,
    failing_since: delivery.failingSince?.toISOString() ?? null,
    next_attempt_at: delivery.retryAt?.toISOString() ?? null,
    dead_letters: deadLetters,
    replay: replay === undefined ? null : describeReplay(replay),
    attempts: delivery.attempts,
  };
}

function stateOf(stream: LogStream, { isDegraded, failures, isOwned }: Parts['delivery']): string {
  if (stream.damage) return 'errored';
  if (stream.status !== 'active') return stream.status;
  if (isDegraded) return 'degraded';
  if (failures > 0) return 'failing';
  return isOwned ? 'healthy' : 'waiting';
}

function etaOf({ rate }: DeliveryState, { events }: Lag): number | null {
  if (events === 0) return 0;
  return rate > 0.001 ? Math.ceil(events / rate) : null;
}

function secondsSince(since: Date | undefined, now: Date): number {
  return since === undefined ? 0 : Math.max(0, Math.round((now.getTime() - since.getTime()) / 1_000));
}

function describeReplay({ id, fromAt, toAt, onlyFailed, sent, createdAt, finishedAt }: Replay): Json {
  return {
    id,
    from: fromAt?.toISOString() ?? null,
    to: toAt.toISOString(),
    only_failed: onlyFailed,
    sent,
    created_at: createdAt.toISOString(),
    finished_at: finishedAt?.toISOString() ?? null,
  };
}
