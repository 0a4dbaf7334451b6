import { randomUUID } from 'node:crypto';
import { isDatabaseAway } from '../../db/database-away.ts';
import type { Transact } from '../../db/transact.ts';
import type { Log } from '../../kit/log.ts';
import { comparePositions, type LogPosition } from '../../logs/log-id.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { OpenOutlet } from '../open-outlet.ts';
import { createHolding, type DeliveryStores, type Held, keyOf } from './hold-streams.ts';
import { createTurnReporter, type TurnStores } from './report-turns.ts';
import { createProgressSaver } from './save-progress.ts';
import { createSlots } from './slots.ts';
import { STREAM_VERSIONS } from './state/delivery-state.ts';
import { createTailBuffer } from './tail-buffer.ts';

interface Parts {
  readonly stores: DeliveryStores;
  readonly transact: Transact<TurnStores>;
  readonly findTenant: (tenantId: string) => Promise<Tenant | undefined>;
  readonly openOutlet: OpenOutlet;
  /** That share the streams of this installation. */
  readonly processes: number;
  readonly log: Log;
  readonly now: () => Date;
  readonly random?: (() => number) | undefined;
}

export type DeliveryWorker = ReturnType<typeof createDeliveryWorker>;

const BUSY_MILLISECONDS = 25;
const IDLE_MILLISECONDS = 250;
const AWAY_MILLISECONDS = 1_000;
const SCAN_MILLISECONDS = 3_000;
/** Changes that come together are looked at together. */
const SCAN_PAUSE_MILLISECONDS = 50;
/** A process that could not renew its leases for so long sends nothing until it has. */
const TRUSTED_MILLISECONDS = 9_000;
const PATIENCE_MILLISECONDS = 1_000;
/** What is read and not acknowledged, of a stream and of all streams of the process. */
const LEAST_ROWS = 1_000;
const MOST_ROWS = 6_000;
const ROWS_OF_ALL = 40_000;
/** What memory takes of it. Beyond this each stream has one event, however large. */
const MOST_BYTES = 16_000_000;
const BYTES_OF_ALL = 64_000_000;

/** Delivers the events of all tenants to their log streams: one for each process, any number of which share the work. */
export function createDeliveryWorker(parts: Parts) {
  const { stores, log } = parts;
  const owner = randomUUID();
  const tail = createTailBuffer({
    end: stores.logs.end,
    read: (tenantIds, from, take) => upToDate(stores.logs.tail(tenantIds, from, take, STREAM_VERSIONS)),
  });
  const slots = createSlots();
  const saver = createProgressSaver({ ...parts, owner, onLost: () => wake() });
  const touched = new Set<Held>();
  const { held, scan, ask, upToDate } = createHolding({
    ...parts,
    owner,
    tail,
    slots,
    inTurn: saver.inTurn,
    report: createTurnReporter({ owner, transact: parts.transact, now: parts.now }),
    letGo: (one) => background(letGo([one])),
    onProgress: (one) => {
      touched.add(one);
      soon();
    },
  });
  let timer: NodeJS.Timeout | undefined;
  let isStarted = false;
  let running: Promise<void> | undefined;
  const underWay = new Set<Promise<unknown>>();
  let isSoon = false;
  let pause = IDLE_MILLISECONDS;
  let isScanWanted = true;
  let scannedAt = -Infinity;

  /** Looks at the end of the log, and at the streams themselves where it is time to. */
  async function round(): Promise<void> {
    const age = performance.now() - scannedAt;
    if (age >= SCAN_MILLISECONDS || (isScanWanted && age >= SCAN_PAUSE_MILLISECONDS)) {
      isScanWanted = false;
      const at = performance.now();
      await saver.inTurn(scan);
      scannedAt = at;
    }
    if (held.size === 0) return;
    const hasNew = await tail.poll(tenantsAtHead());
    pause = hasNew ? BUSY_MILLISECONDS : Math.min(IDLE_MILLISECONDS, pause * 2);
    for (const one of held.values()) if (one.isAtHead && !isBuffered(one)) one.isAtHead = false;
    for (const one of inOrder()) goOn(one);
    background(saver.save(held.values(), { all: true }));
  }

  function tenantsAtHead(): Set<string> {
    const streams = [...held.values()].filter(({ isAtHead, delivery }) => isAtHead && delivery.isDue());
    return new Set(streams.map(({ delivery }) => delivery.lease.tenantId));
  }

  function isBuffered({ delivery }: Held): boolean {
    const [main] = delivery.lanes();
    return main !== undefined && tail.after(delivery.lease.tenantId, main.window.reached(), 0) !== undefined;
  }

  /** Those that are furthest behind choose first. */
  function inOrder(): Held[] {
    return [...held.values()].toSorted((one, other) => comparePositions(cursorOf(one), cursorOf(other)));
  }

  /** What was read is sent, and what there is room for is read and sent. */
  function goOn(one: Held): void {
    pump(one);
    if (one.delivery.isDue()) background(refill(one).then(() => pump(one)));
  }

  function pump({ delivery }: Held): void {
    if (performance.now() - scannedAt <= TRUSTED_MILLISECONDS) delivery.pump();
  }

  async function refill({ delivery }: Held): Promise<void> {
    const { mostEvents, mostInFlight } = delivery.outlet().sink;
    // As much again waits while all that may be under way is: reading goes on beside the sends.
    const wanted = Math.min(MOST_ROWS, Math.max(LEAST_ROWS, mostEvents * mostInFlight * 3));
    const lanes = delivery.lanes();
    const room = {
      rows: Math.max(50, Math.min(wanted, Math.floor(ROWS_OF_ALL / Math.max(1, held.size)))),
      bytes: Math.min(MOST_BYTES, BYTES_OF_ALL / Math.max(1, held.size)) / lanes.length,
    };
    await Promise.all(lanes.map((lane) => lane.refill(room)));
  }

  /** Sends have ended: their streams go on at once, without a look at the end of the log. */
  function soon(): void {
    if (isSoon || !isStarted) return;
    isSoon = true;
    setImmediate(() => {
      isSoon = false;
      if (!isStarted) return;
      const streams = [...touched].filter((one) => held.get(keyOf(one.delivery.lease)) === one);
      touched.clear();
      for (const one of streams) goOn(one);
      for (const stream of slots.turnedAway()) {
        const one = held.get(keyOf(stream));
        if (one) pump(one);
      }
      background(saver.save(streams));
    });
  }

  function background(work: Promise<unknown>): void {
    const tracked = work.catch(complain).finally(() => underWay.delete(tracked));
    underWay.add(tracked);
  }

  function run(): void {
    clearTimeout(timer);
    if (running || !isStarted) return;
    running = round()
      .catch((error) => {
        pause = AWAY_MILLISECONDS;
        isScanWanted = true;
        complain(error);
      })
      .finally(() => {
        running = undefined;
        again(isScanWanted ? SCAN_PAUSE_MILLISECONDS : held.size > 0 ? pause : SCAN_MILLISECONDS);
      });
  }

  function again(milliseconds: number): void {
    clearTimeout(timer);
    if (isStarted) timer = setTimeout(run, milliseconds).unref();
  }

  function complain(error: unknown): void {
    if (!isDatabaseAway(error)) log.error('log streams could not be delivered', { error });
  }

  /** Waits a little for what is under way, writes down how far it came, and leaves the streams to whoever wants them. */
  async function letGo(streams: readonly Held[]): Promise<void> {
    const abort = () => void Promise.all(streams.map(({ delivery }) => delivery.stop({ abort: true })));
    const patience = setTimeout(abort, PATIENCE_MILLISECONDS);
    await Promise.all(streams.map(({ delivery }) => delivery.stop()));
    clearTimeout(patience);
    try {
      await saver.giveBack(streams);
      await stores.streamDeliveries.tell();
    } finally {
      await Promise.allSettled(streams.map(({ delivery }) => delivery.close()));
    }
  }

  function wake(): void {
    isScanWanted = true;
    if (!running) again(SCAN_PAUSE_MILLISECONDS);
  }

  return {
    /** Something about streams has changed. */
    wake,
    /** A process has let streams go, or asks for some. */
    hear(asker: string): void {
      if (asker === owner) return;
      if (asker !== '') ask(asker);
      wake();
    },
    start(): void {
      isStarted = true;
      run();
    },
    async stop(): Promise<void> {
      isStarted = false;
      clearTimeout(timer);
      await running;
      await Promise.all(underWay);
      const last = [...held.values()];
      held.clear();
      if (last.length > 0) await letGo(last).catch(complain);
    },
  };
}

function cursorOf({ delivery }: Held): LogPosition {
  return delivery.state().cursor;
}
