import { isDatabaseAway } from '../db/database-away.ts';
import type { Transact } from '../db/transact.ts';
import type { Log } from '../kit/log.ts';
import type { RecordEvent } from '../logs/event.ts';

interface Parts {
  readonly transact: Transact<{ readonly record: RecordEvent }>;
  /** Whose log tells it: the default tenant, which is the operator's. */
  readonly defaultTenant: () => Promise<string | undefined>;
  readonly log: Log;
  readonly now: () => Date;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
}

interface Jump {
  readonly from: Date;
  readonly to: Date;
  readonly seconds: number;
}

const EVERY_MILLISECONDS = 2_000;
/** More than two readings of clocks, and what NTP corrects without a step, can differ by. */
const LEAST_MILLISECONDS = 5_000;
const MOST_KEPT = 10;

/**
 * Says that the clock of this process jumped: tokens end early or late, times of events are no order any more, limits count
 * anew. Once a jump: what comes slowly is none, since each look compares with the one before.
 */
export function createClockWatch({ transact, defaultTenant, log, now, monotonic }: Parts) {
  let last = read();
  let untold: Jump[] = [];
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();

  function read() {
    return { wall: now().getTime(), monotonic: monotonic() };
  }

  /** Looks once; what the database could not take is told at a later look. */
  async function look(): Promise<void> {
    const current = read();
    const expected = last.wall + (current.monotonic - last.monotonic);
    last = current;
    const off = current.wall - expected;
    if (Math.abs(off) >= LEAST_MILLISECONDS) {
      const jump = { from: new Date(expected), to: new Date(current.wall), seconds: Math.round(off / 1_000) };
      log.warn(wordsOf(jump));
      untold = [...untold, jump].slice(-MOST_KEPT);
    }
    if (untold.length > 0) await tell();
  }

  async function tell(): Promise<void> {
    const tenantId = await defaultTenant();
    for (const jump of untold) {
      if (tenantId !== undefined) await transact(({ record }) => record(tenantId, eventOf(jump)));
      untold = untold.filter((one) => one !== jump);
    }
  }

  return {
    look,
    start(): void {
      last = read();
      timer = setInterval(() => {
        looking = looking.then(look).catch((error: unknown) => {
          if (!isDatabaseAway(error)) log.error('the clock could not be watched', { error });
        });
      }, EVERY_MILLISECONDS).unref();
    },
    async stop(): Promise<void> {
      clearInterval(timer);
      await looking;
    },
  };
}

function wordsOf({ from, to, seconds }: Jump): string {
  const direction = seconds < 0 ? 'back' : 'ahead';
  return `The clock of this server jumped ${direction} by ${Math.abs(seconds)} seconds, from ${from.toISOString()} to ${to.toISOString()}: it was set, or the machine slept. Events keep their order; tokens and sessions end by the new time.`;
}

function eventOf(jump: Jump) {
  return {
    type: 'loginWarned',
    description: wordsOf(jump),
    details: {
      warning: 'clock_jumped',
      seconds: jump.seconds,
      from: jump.from.toISOString(),
      to: jump.to.toISOString(),
      process: process.pid,
    },
  } as const;
}
