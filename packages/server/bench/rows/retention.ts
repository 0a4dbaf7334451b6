import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { createDatabase, createPatientPool, createPool } from '../../src/db/database.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts';
import { migrate } from '../../src/db/migrate.ts';
import { transactionsOn } from '../../src/db/transact.ts';
import { createPartitionKeeper, makeDay } from '../../src/logs/partitions/partition-keeper.ts';
import { createEventStore } from '../../src/logs/recording/event-store.ts';
import { createGapStore } from '../../src/logs/retention/gap-store.ts';
import { createRetentionKeeper } from '../../src/logs/retention/retention-keeper.ts';
import { createTellGap } from '../../src/logs/retention/tell-gap.ts';
import { makeDataFolder } from '../gatewright-process.ts';
import { median } from '../program.ts';
import type { Row } from '../row.ts';

const EVENTS = 500_000;
/** A row of 1.1 kB with its indexes. */
const DETAILS = 700;
const DAY = 86_400_000;

/** A day of half a million events goes, while somebody writes events one after the other. */
export const retention: Row = {
  name: 'retention',
  async measure({ settings }) {
    const folder = await makeDataFolder();
    const database = await startEmbeddedPostgres({ dataDir: folder.path, log: () => {} });
    const patient = createPatientPool(database.poolOptions);
    await migrate(patient);
    const pool = createPool(database.poolOptions);
    try {
      const now = () => new Date();
      const db = createDatabase(pool);
      const transact = transactionsOn(db, (stores) => ({
        logGaps: createGapStore(stores),
        record: createEventStore(stores).record,
      }));
      const log = { info: () => {}, warn: () => {}, error: () => {} };
      const keeper = createRetentionKeeper({
        pool,
        cursors: async () => [],
        tellGap: createTellGap({ transact, now }),
        expireWith: async () => {},
        log,
        now,
      });
      await createPartitionKeeper({ pool }).keep();
      const rounds: Measured[] = [];
      for (let round = 0; round < settings.rounds; round++) rounds.push(await measureRound(patient, pool, keeper));
      const middle = (name: keyof Measured) => median(rounds.map((one) => one[name]));
      return [
        {
          work: `a day of ${EVENTS.toLocaleString('en')} events goes`,
          ours: `${middle('took').toFixed(0)} ms`,
          yardstick: `its space comes back: ${middle('megabytes').toFixed(0)} MB`,
          measured: middle('took'),
          unit: 'ms',
          goal: { is: 'at most', limit: 300 },
        },
        {
          work: 'the slowest event written meanwhile',
          ours: `${middle('slowest').toFixed(1)} ms`,
          yardstick: `before it ${middle('slowestBefore').toFixed(1)} ms`,
          measured: middle('slowest'),
          unit: 'ms',
          goal: { is: 'at most', limit: 100 },
        },
      ];
    } finally {
      await Promise.all([pool.end(), patient.end()]);
      await database.stop();
      await folder.remove();
    }
  },
};

interface Measured {
  readonly took: number;
  readonly megabytes: number;
  readonly slowest: number;
  readonly slowestBefore: number;
}

async function measureRound(
  patient: pg.Pool,
  pool: pg.Pool,
  keeper: Pick<ReturnType<typeof createRetentionKeeper>, 'expire'>,
): Promise<Measured> {
  const at = new Date(Date.now() - 40 * DAY);
  const day = at.toISOString().slice(0, 10).replaceAll('-', '');
  await makeDay(patient, day);
  await patient.query(
    `insert into log_events (tenant_id, type, user_id, client_id, body, day, at)
     select 'dev', 's', 'auth0|' || i % 5000, 'app-' || i % 20, jsonb_build_object('details', repeat(md5(i::text), ${Math.floor(DETAILS / 32)})), $1::date, $2
     from generate_series(1, ${EVENTS}) i`,
    [day, at],
  );
  await patient.query('checkpoint').catch(() => {});
  const before = await sizeOf(patient);
  const writer = startWriter(pool);
  await sleep(1_000);
  const slowestBefore = writer.slowest();
  const began = performance.now();
  const done = await keeper.expire();
  const took = performance.now() - began;
  await sleep(200);
  const slowest = writer.slowest();
  await writer.stop();
  if (done?.days.length !== 1) throw new Error('The day did not go.');
  return { took, slowest, slowestBefore, megabytes: (before - (await sizeOf(patient))) / 1_000_000 };
}

/** Writes an event, waits for its commit, and writes the next. */
function startWriter(pool: pg.Pool) {
  let isStopped = false;
  let slowest = 0;
  const running = (async () => {
    while (!isStopped) {
      const began = performance.now();
      await pool.query(`insert into log_events (tenant_id, type, body) values ('dev', 's', '{}')`);
      slowest = Math.max(slowest, performance.now() - began);
    }
  })();
  return {
    /** Since it was last asked. */
    slowest() {
      const since = slowest;
      slowest = 0;
      return since;
    },
    async stop() {
      isStopped = true;
      await running;
    },
  };
}

async function sizeOf(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes');
  return Number(rows[0]?.bytes);
}
