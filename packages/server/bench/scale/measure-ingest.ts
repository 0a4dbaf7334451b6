import type pg from 'pg';
import { createEventWriter } from '../../src/logs/recording/event-writer.ts';
import { median } from '../program.ts';
import type { Figure } from '../row.ts';

/** What searches have beyond the keys: dropped for the comparison, since nothing else needs them. */
const INDEXES = ['log_events_by_client', 'log_events_by_connection', 'log_events_by_ip'];
const AT_ONCE = 64;
const SECONDS = 3;
const ROUNDS = 5;

/** Events written by the group commit, one durable acknowledgement each: with the indexes, then without them. */
export async function measureIngest(
  { pool, patient }: { readonly pool: pg.Pool; readonly patient: pg.Pool },
  tell: (what: string) => void,
): Promise<Figure[]> {
  tell('writing events');
  const withThem = await eventsPerSecond(pool);
  await patient.query(`drop index ${INDEXES.join(', ')}`);
  const without = await eventsPerSecond(pool);
  return [
    {
      work: `events written a second, ${AT_ONCE} at once`,
      ours: `${withThem.toFixed(0)}/s`,
      yardstick: `without ${INDEXES.length} indexes ${without.toFixed(0)}/s`,
      measured: withThem / without,
      unit: 'of it',
    },
  ];
}

async function eventsPerSecond(pool: pg.Pool): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) rounds.push(await writeFor(pool, SECONDS));
  // The first one warms up.
  return median(rounds.slice(1));
}

async function writeFor(pool: pg.Pool, seconds: number): Promise<number> {
  const writer = createEventWriter({ pool });
  const endsAt = performance.now() + seconds * 1000;
  let written = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async (_, index) => {
      while (performance.now() < endsAt) {
        const number = written++;
        await writer.recordAlone('written', {
          type: 'clientCredentialsExchanged',
          clientId: `client-${index}`,
          clientName: 'Application',
          connection: 'Users',
          userId: `auth0|${number % 1_000}`,
          ip: `10.0.${number % 200}.${index}`,
          userAgent: 'node/26',
          audience: 'https://api.example/',
          details: { actions: { executions: [] } },
        });
      }
    }),
  );
  await writer.stop();
  return written / seconds;
}
