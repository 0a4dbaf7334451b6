import type pg from 'pg';
import { violatedConstraint } from '../../db/constraint.ts';
import { beginEpochInNewCluster } from '../log-epoch.ts';

export interface PartitionKeeper {
  /** Makes the partitions that are due now. Safe in several processes at once. */
  keep(): Promise<void>;
  /** Makes them now, and hourly from then on. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface PartitionKeeperOptions {
  readonly pool: pg.Pool;
  readonly now?: () => Date;
  /** Told when days could not be made; events then go to the default partition. */
  readonly onError?: (cause: unknown) => void;
  /** Told of a day that has no partition of its own since events came before one was made: it stays in the default partition. */
  readonly onStray?: (day: string) => void;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const DAYS_BEHIND = 1;
const DAYS_AHEAD = 3;
/** Any constant that no other program on this database uses: one process makes partitions, the others wait. */
const ADVISORY_LOCK = 0x6761_7465_6c6f;

/** Makes the log's partitions ahead of time: yesterday to three days from now (product.md 3.11). */
export function createPartitionKeeper(options: PartitionKeeperOptions): PartitionKeeper {
  const { pool, now = () => new Date(), onError = () => {}, onStray = () => {} } = options;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  async function keep(): Promise<void> {
    const connection = await pool.connect();
    try {
      // Whoever comes second waits: when start() resolves, the days are there, whichever process made them.
      await connection.query('select pg_advisory_lock($1)', [ADVISORY_LOCK]);
      try {
        await beginEpochInNewCluster(connection);
        await makeDays(connection, now(), onStray);
      } finally {
        await connection.query('select pg_advisory_unlock($1)', [ADVISORY_LOCK]);
      }
    } finally {
      connection.release();
    }
  }

  function run(): Promise<void> {
    running ??= keep()
      .catch(onError)
      .finally(() => {
        running = undefined;
      });
    return running;
  }

  return {
    keep,
    async start() {
      await run();
      timer = setInterval(run, HOUR).unref();
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}

async function makeDays(connection: pg.PoolClient, today: Date, onStray: (day: string) => void): Promise<void> {
  const existing = new Set((await listPartitionDays(connection)).map(({ day }) => day));
  for (let offset = -DAYS_BEHIND; offset <= DAYS_AHEAD; offset++) {
    const day = compactDay(today.getTime() + offset * DAY);
    if (!existing.has(day) && !(await makeDayAlone(connection, day))) onStray(day);
  }
}

async function makeDayAlone(connection: pg.PoolClient, day: string): Promise<boolean> {
  await connection.query('begin');
  try {
    await connection.query("set local lock_timeout = '2s'");
    await makeDay(connection, day);
    await connection.query('commit');
    return true;
  } catch (cause) {
    await connection.query('rollback').catch(() => {});
    // Events of this day lie in the default partition already (no process made the day in time): they, and the rest of the
    // day, stay there and are read from there.
    if (!fellIntoDefault(cause)) throw cause;
    return false;
  }
}

/**
 * In the caller's transaction. Attaching locks the parent against other changes of its shape and the default partition (empty
 * as a rule) for as long as its scan takes; writers of other days go on. `create … partition of` would stop every writer.
 */
export async function makeDay(connection: Pick<pg.ClientBase, 'query'>, day: string): Promise<void> {
  const table = partitionOf(day);
  const nextDay = compactDay(startOf(day) + DAY);
  await connection.query(`create table ${table} (like log_events including all)`);
  await connection.query(
    `alter table ${table} add constraint ${table}_day check (day >= '${day}' and day < '${nextDay}')`,
  );
  await connection.query(
    `alter table log_events attach partition ${table} for values from ('${day}') to ('${nextDay}')`,
  );
  await connection.query(`alter table ${table} drop constraint ${table}_day`);
}

function fellIntoDefault(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === '23514' && violatedConstraint(cause) === undefined;
}

export interface Partition {
  /** YYYYMMDD. */
  readonly day: string;
  readonly table: string;
}

/** The days that have a partition of their own, oldest first. */
export async function listPartitionDays(connection: Pick<pg.ClientBase, 'query'>): Promise<Partition[]> {
  const { rows } = await connection.query<{ table: string }>({
    name: 'log_partitions',
    text: `select c.relname as "table" from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'log_events'::regclass and not i.inhdetachpending and c.relname ~ '^log_events_[0-9]{8}$'
      order by c.relname`,
  });
  return rows.map(({ table }) => ({ table, day: table.slice(-8) }));
}

/** A day whose time is over may go while somebody reads it by its name: then it has no events. */
export function isGone(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === '42P01';
}

/** The name of a day's table. The day is checked, since it becomes part of a statement. */
function partitionOf(day: string): string {
  if (!/^\d{8}$/.test(day)) throw new Error('A partition is named after a day.');
  return `log_events_${day}`;
}

function startOf(day: string): number {
  return Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`);
}

function compactDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10).replaceAll('-', '');
}
