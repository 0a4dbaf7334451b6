import type { Delivery } from '../../sinks/sink.ts';
import type { DeliveryState } from '../state/delivery-state.ts';
import { DEGRADED_AFTER, delayAfter, LONGEST_WAIT, POISON_AGE, POISON_TRIES, SUSPENDED_AFTER } from './backoff.ts';
import type { Entry } from './window.ts';

export type Failure = Extract<Delivery, { ok: false }>;
/** What a stream's operator is told. */
export type Turn = 'degraded' | 'recovered' | 'suspended';

type Kept = Pick<DeliveryState, 'failures' | 'isDegraded' | 'failingSince' | 'retryAt'>;

export interface StreamHealth {
  readonly kept: () => Kept;
  /** Whether anything may be sent now. */
  readonly isDue: () => boolean;
  readonly failures: () => number;
  readonly isDegraded: () => boolean;
  /** Something was taken. */
  succeeded(): Turn | undefined;
  failed(failure: Failure): Turn | undefined;
  /** Tries at once, whatever it was waiting for: its operator has changed something. */
  hurry(): void;
}

interface Parts {
  readonly before: Kept;
  readonly now: () => Date;
  readonly random?: (() => number) | undefined;
}

/** A clock that was set back by less only waits a little longer. */
const SET_BACK = 10_000;

/** What success and failure make of a stream: it backs off, is degraded, comes back, or is given up for its operator to see. */
export function createStreamHealth({ before, now, random }: Parts): StreamHealth {
  let { failures, isDegraded, failingSince, retryAt } = before;
  let failedAt: Date | undefined;

  /** It fails in what is still to come, or waits for longer than anybody does: the clock was set back. */
  function isSetBack(): boolean {
    const time = now().getTime();
    if (failedAt !== undefined && failedAt.getTime() - time > SET_BACK) return true;
    return retryAt !== undefined && retryAt.getTime() - time > LONGEST_WAIT;
  }

  return {
    kept: () => ({ failures, isDegraded, failingSince, retryAt }),
    isDue: () => retryAt === undefined || retryAt <= now() || isSetBack(),
    failures: () => failures,
    isDegraded: () => isDegraded,
    succeeded() {
      const wasDegraded = isDegraded;
      failures = 0;
      isDegraded = false;
      failingSince = undefined;
      retryAt = undefined;
      return wasDegraded ? 'recovered' : undefined;
    },
    failed(failure) {
      const at = now();
      failures++;
      failedAt = at;
      failingSince ??= at;
      retryAt = new Date(at.getTime() + delayAfter(failures, failure, random));
      if (failure.verdict === 'gone' || at.getTime() - failingSince.getTime() >= SUSPENDED_AFTER) return 'suspended';
      if (isDegraded || failures < DEGRADED_AFTER) return undefined;
      isDegraded = true;
      return 'degraded';
    },
    hurry() {
      retryAt = undefined;
    },
  };
}

/** Whether an event has failed so often and for so long that it may be its own fault. */
export function isSuspect({ tries, failedSince }: Entry, now: Date): boolean {
  return tries >= POISON_TRIES && failedSince !== undefined && now.getTime() - failedSince >= POISON_AGE;
}
