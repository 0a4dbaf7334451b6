import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { isDatabaseAway } from '../db/database-away.ts';
import type { Transact } from '../db/transact.ts';
import type { Log } from '../kit/log.ts';
import type { CursorsOfReaders } from '../logs/retention/cursors-of-readers.ts';
import { countEvents } from './count-events.ts';
import { readNewEvents } from './read-new-events.ts';
import type { RollupStore } from './rollup-store.ts';

interface Parts {
  readonly pool: pg.Pool;
  readonly rollups: Pick<RollupStore, 'position'>;
  readonly transact: Transact<{ readonly rollups: RollupStore }>;
  readonly log: Log;
  readonly now: () => Date;
  readonly everyMilliseconds?: number;
}

export type Rollups = ReturnType<typeof createRollups>;

const TAKE = 5_000;
const EVERY_MILLISECONDS = 5_000;
const FIRST_MILLISECONDS = 1_000;
/** Between two full batches, for everybody else. */
const PAUSE_MILLISECONDS = 20;

/**
 * Counts the log as it grows: reads behind a position, adds up, and moves the position on in the transaction that adds. So no
 * event is counted twice or left out, whoever is killed when; and of several processes the one that moves it counts.
 */
export function createRollups(parts: Parts) {
  const { pool, rollups, transact, log, now, everyMilliseconds = EVERY_MILLISECONDS } = parts;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let isStopped = false;

  /** One batch; true where there is more. */
  async function count(): Promise<boolean> {
    const from = await rollups.position();
    const { events, reached, isMore } = await readNewEvents(pool, from, TAKE);
    if (events.length === 0) return false;
    const { counts, activeUsers } = countEvents(events, now());
    return transact(async ({ rollups }) => {
      if (!(await rollups.advance(from, reached))) return false;
      await rollups.add(counts, now());
      await rollups.seen(activeUsers);
      return isMore;
    });
  }

  /** All that is final by now. */
  async function catchUp(): Promise<void> {
    while (!isStopped && (await count())) await sleep(PAUSE_MILLISECONDS);
  }

  const cursor: CursorsOfReaders = async () => [{ tenantId: undefined, position: await rollups.position() }];

  function catchUpIn(milliseconds: number): void {
    timer = setTimeout(() => {
      running = catchUp()
        .catch((error) => {
          if (!isDatabaseAway(error)) log.error('the log could not be counted', { error });
        })
        .then(() => {
          if (!isStopped) catchUpIn(everyMilliseconds);
        });
    }, milliseconds).unref();
  }

  return {
    catchUp,
    /** What is not counted yet is not removed. */
    cursor,
    start: (): void => catchUpIn(Math.min(FIRST_MILLISECONDS, everyMilliseconds)),
    async stop(): Promise<void> {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
