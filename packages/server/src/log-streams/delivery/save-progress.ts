import { comparePositions } from '../../logs/log-id.ts';
import { type DeliveryStores, type Held, keyOf } from './hold-streams.ts';

interface Parts {
  readonly owner: string;
  readonly stores: Pick<DeliveryStores, 'streamDeliveries' | 'deadLetters' | 'streamReplays'>;
  /** Another process has one of them by now. */
  readonly onLost: () => void;
  readonly now: () => Date;
}

/** What a crash sends once more: no more than was acknowledged in this time, or so many events. */
const SAVE_MILLISECONDS = 100;
const SAVE_EVENTS = 50;
/** What people read: attempts, rates. */
const DETAILS_MILLISECONDS = 1_000;
/** Where a stream only passed what is not for it. */
const PASS_MILLISECONDS = 5_000;

/** Writes down how far streams are: soon after an acknowledgement, and now and then where there was nothing to send. */
export function createProgressSaver({ owner, stores, onLost, now }: Parts) {
  const deliveries = stores.streamDeliveries;
  let writing: Promise<unknown> = Promise.resolve();
  let isSaving = false;
  let [detailedAt, passedAt] = [-Infinity, -Infinity];

  /** Statements that touch many streams come one after the other: two of them could wait for each other for ever. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = writing.then(work);
    writing = result.catch(() => {});
    return result;
  }

  /** `all`: of this process, among them those that only passed what is not for them. */
  async function save(streams: Iterable<Held>, { all = false } = {}): Promise<void> {
    if (isSaving) return;
    const time = performance.now();
    const isPassing = all && time - passedAt >= PASS_MILLISECONDS;
    if (isPassing) passedAt = time;
    const changed = [...streams].filter((one) => isWorthIt(one, time) || (isPassing && hasPassed(one)));
    if (changed.length === 0) return;
    const isDetailed = time - detailedAt >= DETAILS_MILLISECONDS || changed.some(isUrgent);
    if (isDetailed) detailedAt = time;
    isSaving = true;
    try {
      await inTurn(() => write(changed, isDetailed));
    } finally {
      isSaving = false;
    }
  }

  async function write(changed: readonly Held[], isDetailed: boolean): Promise<void> {
    const streams = changed.map(({ delivery }) => {
      if (isDetailed) delivery.measure();
      const { attempts, ...state } = delivery.state();
      const unsaved = delivery.unsaved();
      return { lease: delivery.lease, unsaved, state: isDetailed ? { ...state, attempts } : state };
    });
    const kept = new Set((await deliveries.save(owner, streams)).map(keyOf));
    if (kept.size < streams.length) onLost();
    for (const [index, one] of changed.entries()) {
      const written = streams[index];
      if (written === undefined || !kept.has(keyOf(written.lease))) continue;
      one.saved = { cursor: written.state.cursor, at: performance.now() };
      one.delivery.settled(written.unsaved);
      await writeReplay(one);
    }
  }

  async function writeReplay(one: Held): Promise<void> {
    const { tenantId, streamId } = one.delivery.lease;
    if (one.replay === undefined) return;
    const replayed = [...one.replayed];
    await stores.deadLetters.remove(tenantId, streamId, replayed);
    for (const logId of replayed) one.replayed.delete(logId);
    const { id, lane, sent } = one.replay;
    const isFinished = lane.isFinished();
    await stores.streamReplays.save(tenantId, streamId, { id, position: lane.window.cursor(), sent });
    if (!isFinished) return;
    await stores.streamReplays.finish(tenantId, streamId, id, now());
    one.delivery.removeLane(lane);
    one.replay = undefined;
  }

  return {
    inTurn,
    save,
    /** The last word of this process about them. */
    giveBack: (streams: readonly Held[]): Promise<void> =>
      inTurn(async () => {
        await write(streams, true);
        await deliveries.release(
          owner,
          streams.map(({ delivery }) => delivery.lease),
        );
      }),
  };
}

function isWorthIt({ delivery, replay, saved }: Held, time: number): boolean {
  const { events, isUrgent } = delivery.unsaved();
  if (events >= SAVE_EVENTS) return true;
  return time - saved.at >= SAVE_MILLISECONDS && (events > 0 || isUrgent || replay?.lane.isFinished() === true);
}

function isUrgent({ delivery }: Held): boolean {
  return delivery.unsaved().isUrgent;
}

function hasPassed({ delivery, saved, replay }: Held): boolean {
  return replay !== undefined || comparePositions(delivery.state().cursor, saved.cursor) > 0;
}
