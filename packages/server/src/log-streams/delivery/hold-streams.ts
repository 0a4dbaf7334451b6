import { isDatabaseAway } from '../../db/database-away.ts';
import type { Log } from '../../kit/log.ts';
import type { LogPosition } from '../../logs/log-id.ts';
import type { LogRow } from '../../logs/log-row.ts';
import type { LogPage } from '../../logs/reading/checkpoint.ts';
import type { LogReader } from '../../logs/reading/log-reader.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { LogStreamStore } from '../log-stream-store.ts';
import type { OpenOutlet } from '../open-outlet.ts';
import { createAtMost } from './at-most.ts';
import { createStreamDelivery, type StreamDelivery } from './one-stream/deliver-stream.ts';
import { createLane, type Lane, type Section } from './one-stream/lane.ts';
import { createReplayLane } from './one-stream/replay-lane.ts';
import type { createTurnReporter } from './report-turns.ts';
import { countToLeave, isPoor } from './share-out.ts';
import type { Slots } from './slots.ts';
import type { DeadLetterStore } from './state/dead-letter-store.ts';
import { type Lease, STREAM_VERSIONS } from './state/delivery-state.ts';
import type { DeliveryStore, LeasedStream, StreamKey } from './state/delivery-store.ts';
import type { Replay, ReplayStore } from './state/replay-store.ts';
import type { TailBuffer } from './tail-buffer.ts';

/** A stream whose lease this process has. */
export interface Held {
  readonly delivery: StreamDelivery;
  /** Reads from the end that all share; otherwise it catches up by itself. */
  isAtHead: boolean;
  /** How far the database knows it to be, and since when. */
  saved: { readonly cursor: LogPosition; readonly at: number };
  replay: { readonly id: string; readonly lane: Lane; sent: number } | undefined;
  /** Sent once more, and to be taken off the dead letters. */
  readonly replayed: Set<string>;
}

/** What delivering reads and writes. */
export interface DeliveryStores {
  readonly logStreams: Pick<LogStreamStore, 'find'>;
  readonly streamDeliveries: DeliveryStore;
  readonly deadLetters: DeadLetterStore;
  readonly streamReplays: ReplayStore;
  readonly logs: LogReader;
}

interface Parts {
  readonly owner: string;
  readonly processes: number;
  readonly stores: DeliveryStores;
  readonly tail: TailBuffer;
  readonly slots: Slots;
  readonly report: ReturnType<typeof createTurnReporter>;
  readonly findTenant: (tenantId: string) => Promise<Tenant | undefined>;
  readonly openOutlet: OpenOutlet;
  /** One after the other, with all else that touches many streams. */
  readonly inTurn: (work: () => Promise<void>) => Promise<void>;
  /** Lets what is under way end, writes down how far it is, and gives it away. */
  readonly letGo: (held: Held) => void;
  readonly onProgress: (held: Held) => void;
  readonly log: Log;
  readonly now: () => Date;
  readonly random?: (() => number) | undefined;
}

/** Streams beyond a process's share are left to others for so long. */
const PATIENCE_SECONDS = 3;
const READS_AT_ONCE = 3;
const ASK_MILLISECONDS = 2_500;
const MOST_ASKERS = 100;

/** Which streams this process delivers: it renews its leases, hears of changes, and takes what nobody has. */
export function createHolding(parts: Parts) {
  const { owner, now } = parts;
  const { streamDeliveries: deliveries, logs, deadLetters } = parts.stores;
  // Requests need the database's connections as well.
  const readInTurn = createAtMost(READS_AT_ONCE);
  const held = new Map<string, Held>();
  /** Other processes that have said so since the last scan. */
  const askers: string[] = [];
  /** STREAM_VERSIONS of a page that these streams, as they are open here, are not older than. */
  let known: string | undefined;
  let askedAt = -Infinity;

  async function scan(): Promise<void> {
    await renew();
    const { active, held: shares } = await deliveries.census();
    const owners = shares.size + (shares.has(owner) ? 0 : 1);
    const missing = Math.ceil(active / Math.max(parts.processes, owners)) - held.size;
    const free = missing > 0 ? await deliveries.free(missing, 0) : await deliveries.free(1, PATIENCE_SECONDS);
    if (free.length > 0)
      for (const leased of await deliveries.claim(owner, free)) await alone(leased.lease, () => adopt(leased));
    else if (isPoor(owner, shares)) await askOthers();
    leave(countToLeave(owner, { held: shares, askers: askers.splice(0) }));
  }

  /** Once in a while: whoever hears it looks at the streams, and may then ask as well. */
  async function askOthers(): Promise<void> {
    if (performance.now() - askedAt < ASK_MILLISECONDS) return;
    askedAt = performance.now();
    await deliveries.tell(owner);
  }

  /** For a process that has fewer: those first that have nothing under way, and can go at once. */
  function leave(count: number): void {
    const calmFirst = [...held.values()].toSorted((one, other) => one.delivery.underWay() - other.delivery.underWay());
    for (const one of calmFirst.slice(0, count)) giveUp(one);
  }

  async function renew(): Promise<void> {
    if (held.size === 0) return;
    const kept = await deliveries.renew(owner, [...held.values()].map(leaseOf));
    const found = new Map(kept.map((one) => [keyOf(one), one]));
    for (const [key, one] of held) {
      const current = found.get(key);
      if (current === undefined) lose(key, one);
      else if (current.status !== 'active') giveUp(one);
      else if (current.version !== one.delivery.outlet().version || isOver(one) || (await isElsewhere(one)))
        if (!(await alone(one.delivery.lease, () => reopen(one)))) giveUp(one);
    }
  }

  /**
   * Rows are judged by filters that are no older than they are: the versions are of the snapshot that the page's horizon comes
   * from, and a change that this one does not see comes behind all rows of the page.
   */
  async function upToDate<Page extends Pick<LogPage, 'beside'> & { readonly rows: readonly unknown[] }>(
    reading: Promise<Page>,
  ): Promise<Page> {
    const page = await reading;
    if (page.rows.length > 0 && page.beside !== known)
      await parts.inTurn(async () => {
        if (page.beside === known) return;
        await renew();
        known = page.beside;
      });
    return page;
  }

  /** A stream that can't be opened stops no other one; it is tried again when its lease is over. */
  async function alone({ tenantId, streamId }: StreamKey, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      parts.log.error('a log stream could not be opened', { tenant: tenantId, stream: streamId, error });
      return false;
    }
  }

  const isOver = ({ delivery }: Held) => (delivery.outlet().until ?? now()) < now();

  /** A tenant that is in production by now has no business on this machine any more. */
  async function isElsewhere({ delivery }: Held): Promise<boolean> {
    const tenant = await parts.findTenant(delivery.lease.tenantId);
    return tenant !== undefined && tenant.environment !== delivery.outlet().environment;
  }

  /** Another process has it by now, or it is deleted: what is under way ends, and nothing of it is written down. */
  function lose(key: string, one: Held): void {
    held.delete(key);
    one.delivery
      .stop({ abort: true })
      .then(one.delivery.close)
      .catch(() => {});
  }

  function giveUp(one: Held): void {
    if (held.delete(keyOf(one.delivery.lease))) parts.letGo(one);
  }

  async function adopt(leased: LeasedStream): Promise<void> {
    const { lease, state } = leased;
    const [opened, replay] = await Promise.all([open(lease), findReplay(lease)]);
    if (opened === undefined) {
      await parts.report.damaged(lease);
      return deliveries.release(owner, [lease]);
    }
    const log = createLane({ from: state.cursor, read: (from, room) => read(one, from, room), suspect: state.suspect });
    const { report, slots, random } = parts;
    const delivery = createStreamDelivery({
      lease,
      state,
      outlet: opened,
      log,
      slots,
      now,
      random,
      onProgress: () => parts.onProgress(one),
      onTurn: async (turn, failure) => {
        await report.turn(lease, delivery.state(), turn, failure);
        if (turn === 'suspended') giveUp(one);
      },
      onPoison: (entry, failure) => report.poison(lease, entry, failure),
      onReplayed: (logIds) => {
        if (one.replay) one.replay.sent += logIds.length;
        for (const logId of logIds) one.replayed.add(logId);
      },
    });
    const one: Held = {
      delivery,
      isAtHead: false,
      saved: { cursor: state.cursor, at: 0 },
      replay: undefined,
      replayed: new Set(),
    };
    held.set(keyOf(lease), one);
    takeReplay(one, replay);
  }

  async function open({ tenantId, streamId }: StreamKey) {
    const [tenant, stream] = await Promise.all([
      parts.findTenant(tenantId),
      parts.stores.logStreams.find(tenantId, streamId),
    ]);
    return tenant && stream && parts.openOutlet(tenant, stream);
  }

  async function reopen(one: Held): Promise<void> {
    const { lease } = one.delivery;
    const [opened, replay] = await Promise.all([open(lease), findReplay(lease)]);
    if (opened === undefined) return giveUp(one);
    // What is under way may take its time; new sends don't wait for it.
    one.delivery.reopen(opened).catch(() => {});
    takeReplay(one, replay);
  }

  /** Asked before the stream has its new version: where that fails, all of it is tried again. */
  function findReplay({ tenantId, streamId }: StreamKey) {
    return parts.stores.streamReplays.find(tenantId, streamId);
  }

  function takeReplay(one: Held, replay: Replay | undefined): void {
    const { tenantId, streamId } = one.delivery.lease;
    if (replay === undefined || replay.finishedAt !== undefined || replay.id === one.replay?.id) return;
    const isWanted = (row: LogRow) => one.delivery.outlet().isWanted(row);
    const lane = createReplayLane({ tenantId, streamId, replay, logs, deadLetters, isWanted });
    one.replay = { id: replay.id, lane, sent: replay.sent };
    one.delivery.addLane(lane);
  }

  /** What the stream wants of the log, judged once: a change of its filters is for what is read from then on. */
  async function read(one: Held, from: LogPosition, room: number): Promise<Section | undefined> {
    const page = await readAll(one, from, room);
    // Given up meanwhile: who takes it next knows what it wants.
    if (page === undefined || held.get(keyOf(one.delivery.lease)) !== one) return undefined;
    return { rows: page.rows.filter(one.delivery.outlet().isWanted), reached: page.reached };
  }

  async function readAll(one: Held, from: LogPosition, room: number): Promise<Section | undefined> {
    const { tenantId } = one.delivery.lease;
    const buffered = parts.tail.after(tenantId, from, room);
    // At the end of the log, but not in the buffer: the next look at the end tells whether it is too far behind.
    if (buffered || one.isAtHead) return buffered;
    const page = await readInTurn(() => upToDate(logs.page(tenantId, from, room, STREAM_VERSIONS)));
    one.isAtHead = page.rows.length < room;
    return page;
  }

  return {
    held,
    scan,
    upToDate,
    /** Another process wants some of the streams: at the next scan. */
    ask(asker: string): void {
      if (askers.length < MOST_ASKERS) askers.push(asker);
    },
  };
}

function leaseOf({ delivery }: Held): Lease {
  return delivery.lease;
}

export function keyOf({ tenantId, streamId }: StreamKey): string {
  return `${tenantId}/${streamId}`;
}
