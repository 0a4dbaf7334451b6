import { logIdOf } from '../../../logs/log-row.ts';
import type { Outlet } from '../../open-outlet.ts';
import type { StreamedEvent } from '../../sinks/sink.ts';
import type { Seat, Slots } from '../slots.ts';
import { type AttemptRecord, type DeliveryState, type Lease, MOST_ATTEMPTS } from '../state/delivery-state.ts';
import { attemptSend } from './attempt-send.ts';
import type { Lane } from './lane.ts';
import { createOpenSends } from './open-sends.ts';
import { createStreamHealth, type Failure, isSuspect, type Turn } from './stream-health.ts';
import type { Entry } from './window.ts';

interface Parts {
  readonly lease: Lease;
  readonly state: DeliveryState;
  readonly outlet: Outlet;
  readonly log: Lane;
  readonly slots: Slots;
  readonly now: () => Date;
  readonly random?: (() => number) | undefined;
  /** A send has ended: there may be more to do. */
  readonly onProgress: () => void;
  readonly onTurn: (turn: Turn, failure: Failure | undefined) => Promise<void>;
  /** Keeps an event that is the reason itself why it is not taken; false where there is no more room for such. */
  readonly onPoison: (entry: Entry, failure: Failure) => Promise<boolean>;
  readonly onReplayed: (logIds: readonly string[]) => void;
}

export type StreamDelivery = ReturnType<typeof createStreamDelivery>;

interface Unsaved {
  readonly events: number;
  readonly isUrgent: boolean;
}

const SMOOTHING = 0.3;

/** One stream while this process has its lease: takes rows from its lanes, sends them, and knows how far it is. */
export function createStreamDelivery(parts: Parts) {
  const { lease, slots, now } = parts;
  const health = createStreamHealth({ before: parts.state, now, random: parts.random });
  const open = createOpenSends();
  const sends = new Set<Promise<void>>();
  const lanes: Lane[] = [parts.log];
  let { outlet } = parts;
  let { delivered, deliveredAt, rate } = parts.state;
  let attempts: readonly AttemptRecord[] = parts.state.attempts;
  let suspect = parts.state.suspect;
  let isStopped = false;
  let isAborted = false;
  let unsaved: Unsaved = { events: 0, isUrgent: false };
  let unsaid: Turn | undefined;
  let measured = { at: performance.now(), delivered };
  /** How many sends at once, and how many events in each: found out by success and failure. */
  let limit = 1;
  let batch = outlet.sink.mostEvents;
  /** Grows with each failure: what began before it says nothing about what is now. */
  let round = 0;

  const isDoubtful = () => health.failures() > 0 || open.isHanging();

  function newSeat(): Seat {
    const { host } = outlet;
    return slots.seat({ stream: lease, host, isDoubtful, giveWay: open.giveWay });
  }

  let seat = newSeat();

  function pump(): void {
    const most = isDoubtful() ? 1 : Math.min(limit, outlet.sink.mostInFlight);
    while (!isStopped && health.isDue() && sends.size < most) {
      const lane = laneWithWork();
      if (lane === undefined) break;
      if (!seat.take()) return;
      if (health.isDegraded()) track(probe());
      else {
        const { entries, events } = nextBatch(lane, Math.min(batch, outlet.sink.mostEvents));
        track(send(lane, entries, events));
      }
    }
    seat.withdraw();
  }

  function laneWithWork(): Lane | undefined {
    const found = lanes.find((lane) => waitingIn(lane, 1).length > 0);
    for (const lane of lanes) lane.window.settle();
    return found;
  }

  function waitingIn(lane: Lane, most: number): Entry[] {
    return lane.window.waiting(most, lane.includes);
  }

  function nextBatch(lane: Lane, most: number): { entries: Entry[]; events: StreamedEvent[] } {
    const entries: Entry[] = [];
    const events: StreamedEvent[] = [];
    let bytes = 0;
    for (const entry of waitingIn(lane, most)) {
      const event = outlet.toEvent(entry.row);
      bytes += event.json.length + 128;
      if (entries.length > 0 && bytes > outlet.sink.mostBytes) break;
      entries.push(entry);
      events.push(event);
    }
    return { entries, events };
  }

  async function send(lane: Lane, entries: Entry[], events: StreamedEvent[]): Promise<void> {
    const begun = round;
    const failure = await sendOnce(lane, entries, events);
    if (failure === 'called off') return;
    if (failure === undefined) {
      if (begun !== round) return;
      if (laneWithWork()) limit = Math.min(outlet.sink.mostInFlight, limit + 1);
      batch = Math.min(outlet.sink.mostEvents, batch * 2);
      await turn(health.succeeded(), undefined);
      return;
    }
    // Of several that were under way, one tells that something is wrong.
    if (begun !== round) return;
    if (failure.verdict !== 'throttle') batch = Math.max(1, Math.floor(entries.length / 2));
    await fail(failure);
  }

  /** One event decides whether the stream is well again. Where it alone fails, the next one tells whose fault that is. */
  async function probe(): Promise<void> {
    const lane = laneWithWork();
    const [head] = lane ? waitingIn(lane, 1) : [];
    if (lane === undefined || head === undefined) return;
    const again = () => sendOnce(lane, [head], [outlet.toEvent(head.row)], true);
    let failure = await again();
    if (failure !== undefined && failure !== 'called off' && isSuspect(head, now()) && failure.verdict !== 'throttle') {
      const [, next] = waitingIn(lane, 2);
      const isNextTaken = next && (await sendOnce(lane, [next], [outlet.toEvent(next.row)], true)) === undefined;
      if (isNextTaken) failure = await again();
      if (isNextTaken && failure !== undefined && failure !== 'called off' && (await parts.onPoison(head, failure))) {
        settle(lane, [head]);
        failure = undefined;
      }
    }
    if (failure === 'called off') return;
    if (failure !== undefined) return fail(failure);
    round++;
    batch = outlet.sink.mostEvents;
    await turn(health.succeeded(), undefined);
  }

  async function sendOnce(
    lane: Lane,
    entries: Entry[],
    events: StreamedEvent[],
    isProbe = false,
  ): Promise<Failure | 'called off' | undefined> {
    for (const entry of entries) entry.state = 'sending';
    const number = 1 + Math.max(...entries.map(({ tries }) => tries));
    const { sink } = outlet;
    const sending = open.begin();
    const { controller } = sending;
    const { isReplay } = lane;
    const { delivery, record } = await attemptSend({ sink, events, number, isReplay, isProbe, controller, now });
    open.end(sending);
    attempts = [record, ...attempts].slice(0, MOST_ATTEMPTS);
    unsaved = { events: unsaved.events + events.length, isUrgent: unsaved.isUrgent || !delivery.ok };
    if (delivery.ok) {
      delivered += events.length;
      deliveredAt = now();
      settle(lane, entries);
      if (isReplay) parts.onReplayed(events.map(({ logId }) => logId));
      return undefined;
    }
    for (const entry of entries) {
      entry.state = 'waiting';
      // No fault of the receiver's, or not yet.
      if (sending.isCalledOff) continue;
      entry.tries++;
      entry.failedSince ??= now().getTime();
    }
    if (sending.isCalledOff) {
      limit = 1;
      return 'called off';
    }
    const [head] = entries;
    if (entries.length === 1 && head?.failedSince !== undefined) {
      const since = new Date(head.failedSince).toISOString();
      suspect = { logId: logIdOf(head.row), tries: head.tries, since };
    }
    return delivery;
  }

  function settle(lane: Lane, entries: readonly Entry[]): void {
    for (const entry of entries) {
      entry.state = 'done';
      if (suspect?.logId === logIdOf(entry.row)) suspect = undefined;
    }
    lane.window.settle();
  }

  async function fail(failure: Failure): Promise<void> {
    round++;
    limit = Math.max(1, Math.floor(limit / 2));
    await turn(health.failed(failure), failure);
  }

  /** What could not be told, since the database was away, is told at the next occasion. */
  async function turn(taken: Turn | undefined, failure: Failure | undefined): Promise<void> {
    const said = taken ?? unsaid;
    if (said === undefined || isAborted) return;
    unsaid = said;
    isStopped ||= said === 'suspended';
    try {
      await parts.onTurn(said, failure);
      unsaid = undefined;
    } catch {
      if (said === 'suspended') isStopped = false;
    }
  }

  /** The slot was taken before. */
  function track(work: Promise<void>): void {
    const from = seat;
    const tracked = work.finally(() => {
      from.release();
      sends.delete(tracked);
      parts.onProgress();
    });
    // onPoison writes to the database, which may be away: the stream goes on, and finds it again next time.
    tracked.catch(() => {});
    sends.add(tracked);
  }

  return {
    lease,
    pump,
    hurry: health.hurry,
    isDue: () => !isStopped && health.isDue(),
    outlet: () => outlet,
    underWay: () => sends.size,
    lanes: (): readonly Lane[] => lanes,
    /** The way from here on; what is under way ends on the old one. */
    async reopen(next: Outlet): Promise<void> {
      const before = outlet;
      const underWay = [...sends];
      seat.withdraw();
      outlet = next;
      seat = newSeat();
      batch = next.sink.mostEvents;
      health.hurry();
      await Promise.allSettled(underWay);
      await before.sink.close();
    },
    addLane: (lane: Lane) => void lanes.push(lane),
    removeLane: (lane: Lane) => void lanes.splice(lanes.indexOf(lane), 1),
    /** Once a second or so. */
    measure(): void {
      const seconds = (performance.now() - measured.at) / 1_000;
      if (seconds < 0.5) return;
      rate = rate * (1 - SMOOTHING) + ((delivered - measured.delivered) / seconds) * SMOOTHING;
      measured = { at: performance.now(), delivered };
    },
    /** Events that were sent and not written down; a failure is worth it at once. */
    unsaved: () => unsaved,
    settled(written: Unsaved): void {
      unsaved = { events: unsaved.events - written.events, isUrgent: unsaved !== written && unsaved.isUrgent };
    },
    state: (): DeliveryState => ({
      cursor: parts.log.window.cursor(),
      ...health.kept(),
      suspect,
      delivered,
      deliveredAt,
      rate,
      attempts,
    }),
    /** Nothing new is sent. What is under way may end; with `abort` it ends now. */
    async stop({ abort = false } = {}): Promise<void> {
      isStopped = true;
      seat.withdraw();
      isAborted ||= abort;
      if (abort) open.callOff(0);
      await Promise.allSettled([...sends]);
    },
    async close(): Promise<void> {
      await outlet.sink.close();
    },
  };
}
