import type { Transact } from '../../db/transact.ts';
import type { AuditEvent, RecordEvent } from '../../logs/event.ts';
import { logIdOf } from '../../logs/log-row.ts';
import { DAMAGES, type LogStream, MOST_DEAD_LETTERS } from '../log-stream.ts';
import type { LogStreamStore } from '../log-stream-store.ts';
import type { Failure, Turn } from './one-stream/stream-health.ts';
import type { Entry } from './one-stream/window.ts';
import type { DeadLetterStore } from './state/dead-letter-store.ts';
import type { DeliveryState, Lease } from './state/delivery-state.ts';
import type { DeliveryStore } from './state/delivery-store.ts';

export interface TurnStores {
  readonly logStreams: Pick<LogStreamStore, 'lock' | 'find' | 'update'>;
  readonly streamDeliveries: Pick<DeliveryStore, 'owns' | 'save'>;
  readonly deadLetters: Pick<DeadLetterStore, 'put' | 'count'>;
  readonly record: RecordEvent;
}

interface Parts {
  readonly owner: string;
  readonly transact: Transact<TurnStores>;
  readonly now: () => Date;
}

/** What happens to a stream is an event of its tenant, in the transaction that makes it so; who lost the lease says nothing. */
export function createTurnReporter({ owner, transact, now }: Parts) {
  async function turn(lease: Lease, state: DeliveryState, taken: Turn, failure: Failure | undefined): Promise<void> {
    const { tenantId, streamId } = lease;
    await transact(async ({ logStreams, streamDeliveries, record }) => {
      // Always the stream before its delivery: that is the order in which its operator's changes lock them.
      const stream = await logStreams.lock(tenantId, streamId);
      if (stream?.status !== 'active' || !(await streamDeliveries.owns(owner, lease))) return;
      if (taken === 'suspended') await logStreams.update(tenantId, streamId, { status: 'suspended' });
      await streamDeliveries.save(owner, [{ lease, state }]);
      await record(tenantId, turnEvent(stream, state, taken, failure));
    });
  }

  async function poison(lease: Lease, entry: Entry, failure: Failure): Promise<boolean> {
    const { tenantId, streamId } = lease;
    const logId = logIdOf(entry.row);
    return transact(async ({ logStreams, streamDeliveries, deadLetters, record }) => {
      const stream = await logStreams.find(tenantId, streamId);
      if (!stream || !(await streamDeliveries.owns(owner, lease))) return false;
      // Beyond it something else is wrong: the stream holds, and its operator looks.
      if ((await deadLetters.count(tenantId, streamId)) >= MOST_DEAD_LETTERS) return false;
      await deadLetters.put(tenantId, streamId, {
        logId,
        tries: entry.tries,
        firstFailedAt: new Date(entry.failedSince ?? now().getTime()),
        failedAt: now(),
        status: failure.status,
        problem: failure.problem.slice(0, 500),
        body: failure.body?.slice(0, 1_024),
      });
      await record(tenantId, {
        type: 'notificationWarned',
        description: `Log stream ${stream.name}: one event is refused while others are taken. It is kept as a dead letter.`,
        details: { ...aboutStream(stream), log_id: logId, tries: entry.tries, ...aboutFailure(failure) },
      });
      return true;
    });
  }

  /** What can't be decrypted is not looked at again and again: the stream waits until its operator mends it. */
  async function damaged(lease: Lease): Promise<void> {
    const { tenantId, streamId } = lease;
    await transact(async ({ logStreams, streamDeliveries, record }) => {
      const stream = await logStreams.lock(tenantId, streamId);
      if (stream?.status !== 'active' || !stream.damage || !(await streamDeliveries.owns(owner, lease))) return;
      await logStreams.update(tenantId, streamId, { status: 'suspended' });
      await record(tenantId, {
        type: 'notificationFailed',
        description: `Log stream ${stream.name} is suspended: what it is sent with is damaged.`,
        details: { ...aboutStream(stream), state: 'suspended', problem: DAMAGES[stream.damage] },
      });
    });
  }

  return { turn, poison, damaged };
}

const SAID: Readonly<Record<Turn, string>> = {
  degraded: 'is failing. It is tried with one event at a time.',
  recovered: 'is delivering again.',
  suspended: 'is suspended. Nothing is lost while the log is kept: activate it to go on.',
};

function turnEvent(stream: LogStream, state: DeliveryState, taken: Turn, failure: Failure | undefined): AuditEvent {
  return {
    type: taken === 'suspended' ? 'notificationFailed' : 'notificationWarned',
    description: `Log stream ${stream.name} ${SAID[taken]}`,
    details: {
      ...aboutStream(stream),
      state: taken,
      failures: state.failures,
      failing_since: state.failingSince?.toISOString(),
      ...(failure && aboutFailure(failure)),
    },
  };
}

function aboutStream({ id, name, type }: LogStream) {
  return { log_stream: { id, name, type } };
}

function aboutFailure({ status, problem }: Failure) {
  return { problem, ...(status !== undefined && { status }) };
}
