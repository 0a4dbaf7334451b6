import { createDatabase, createPool } from '../../../src/db/database.ts';
import type { AuditEvent } from '../../../src/logs/event.ts';
import { createEventStore } from '../../../src/logs/recording/event-store.ts';
import { createEventWriter } from '../../../src/logs/recording/event-writer.ts';
import { startLogSubject } from '../../log-subject.ts';
import { median } from '../../program.ts';
import type { Figure, Row } from '../../row.ts';

const CONNECTIONS = 8;
const AT_ONCE = 400;
const EVENT: AuditEvent = {
  type: 'loginSucceeded',
  userId: 'auth0|0123456789abcdef01234567',
  clientId: 'abcdefghijklmnopqrstuvwxyz012345',
  connection: 'Username-Password-Authentication',
  ip: '203.0.113.7',
  userAgent: 'Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
  details: { completed: 'x'.repeat(500) },
};

/** Events that are durable before anybody is answered: each with a commit of its own, and many that share one. */
export const ingest: Row = {
  name: 'log-ingest',
  async measure({ settings }) {
    const subject = await startLogSubject();
    // Statements of two query builders can't share connections.
    const pool = createPool({ ...subject.poolOptions, max: CONNECTIONS });
    try {
      const alone = createEventStore(createDatabase(pool));
      const writer = createEventWriter({ pool: subject.pool });
      const rate = async (workers: number, record: () => Promise<void>) => {
        const rates: number[] = [];
        for (let round = 0; round <= settings.rounds; round++) {
          const measured = await repeat(workers, record, settings.seconds);
          if (round > 0) rates.push(measured);
          await subject.pool.query('truncate log_events');
        }
        return median(rates);
      };
      const each = await rate(CONNECTIONS, () => alone.record('dev', EVENT));
      const grouped = await rate(AT_ONCE, () => writer.recordAlone('dev', EVENT));
      await writer.stop();
      return [
        figure(`events a second, a commit each, ${CONNECTIONS} connections`, each, 2_000),
        figure(`events a second, grouped, ${AT_ONCE} wait at once`, grouped, 10_000),
      ];
    } finally {
      await pool.end();
      await subject.stop();
    }
  },
};

async function repeat(workers: number, work: () => Promise<void>, seconds: number): Promise<number> {
  const began = performance.now();
  const end = began + seconds * 1_000;
  let done = 0;
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (; performance.now() < end; done++) await work();
    }),
  );
  return done / ((performance.now() - began) / 1_000);
}

function figure(work: string, measured: number, limit: number): Figure {
  return { work, ours: 'durable', yardstick: '–', measured, unit: '/s', goal: { is: 'at least', limit } };
}
