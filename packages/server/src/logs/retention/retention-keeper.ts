import type pg from 'pg';
import { isDatabaseAway } from '../../db/database-away.ts';
import type { Log } from '../../kit/log.ts';
import { type Expired, type ExpireParts, expireEvents } from './expire-events.ts';

interface Parts extends Omit<ExpireParts, 'isStopped'> {
  readonly pool: pg.Pool;
  readonly log: Log;
}

export type RetentionKeeper = ReturnType<typeof createRetentionKeeper>;

const EVERY_MILLISECONDS = 600_000;
/** While there is more. */
const SOON_MILLISECONDS = 5_000;
/** Any constant that no other program on this database uses: one process removes, the others leave it to that one. */
const ADVISORY_LOCK = 0x6761_7465_7265;

/** Removes events whose time is over, every ten minutes, in one process of all that share the database. */
export function createRetentionKeeper({ pool, log, ...parts }: Parts) {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let isStopped = false;

  /** Undefined where another process is at it. */
  async function expire(): Promise<Expired | undefined> {
    const connection = await pool.connect();
    try {
      const { rows } = await connection.query<{ mine: boolean }>('select pg_try_advisory_lock($1) as mine', [
        ADVISORY_LOCK,
      ]);
      if (rows[0]?.mine !== true) return undefined;
      try {
        return await expireEvents(connection, { ...parts, isStopped: () => isStopped });
      } finally {
        await connection.query('select pg_advisory_unlock($1)', [ADVISORY_LOCK]);
      }
    } finally {
      connection.release();
    }
  }

  async function round(): Promise<void> {
    const done = await expire().catch((error) => {
      if (!isDatabaseAway(error)) log.error('events whose time is over could not be removed', { error });
      return undefined;
    });
    if (done && done.days.length > 0) log.info('days of the log are removed', { days: done.days.join(', ') });
    if (!isStopped) roundIn(done?.isMore ? SOON_MILLISECONDS : EVERY_MILLISECONDS);
  }

  function roundIn(milliseconds: number): void {
    timer = setTimeout(() => {
      running = round();
    }, milliseconds).unref();
  }

  return {
    expire,
    start(): void {
      // Not in the first seconds, in which everything else starts.
      roundIn(60_000);
    },
    async stop(): Promise<void> {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
