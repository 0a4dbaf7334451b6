import type pg from 'pg';
import { createLogReader } from '../../src/logs/reading/log-reader.ts';
import { parseSort } from '../../src/logs/search/search-logs.ts';
import { parseSearch } from '../../src/logs/search/search-query.ts';
import type { Figure } from '../row.ts';
import { SCALE_TENANT } from './fill-log.ts';

const SAMPLES = 100;
const GOAL_MILLISECONDS = 100;

interface Sample {
  readonly type: string;
  readonly userId: string;
  readonly clientId: string;
  readonly connection: string;
  readonly ip: string;
  readonly at: Date;
}

/** The usual filters, each with values of events that were picked by chance, and with what is rare. */
const SEARCHES: readonly (readonly [name: string, q: (sample: Sample) => string, sort?: string])[] = [
  ['the newest', () => ''],
  ['type', ({ type }) => `type:${type}`],
  ['a rare type', () => 'type:limit_wc'],
  ['types of failures in a day', ({ at }) => `type:(f OR fp OR fu) AND date:${day(at)}`],
  ['user', ({ userId }) => `user_id:"${userId}"`],
  ['client', ({ clientId }) => `client_id:"${clientId}"`],
  ['a rare client', () => 'client_id:client-199'],
  ['ip', ({ ip }) => `ip:"${ip}"`],
  ['connection', ({ connection }) => `connection:"${connection}"`],
  ['a rare connection', () => 'connection:Rare'],
  ['a connection without events', () => 'connection:Nowhere'],
  ['an hour', ({ at }) => `date:[${at.toISOString().slice(0, 13)} TO ${at.toISOString().slice(0, 13)}]`],
  ['an hour, oldest first', ({ at }) => `date:"${at.toISOString().slice(0, 13)}"`, 'date:1'],
  ['user and type', ({ userId, type }) => `user_id:"${userId}" AND type:${type}`],
  ['client in an hour', ({ clientId, at }) => `client_id:${clientId} AND date:"${at.toISOString().slice(0, 13)}"`],
];

/** p95 of a page of 50 as GET /logs reads it, beside a page of 50 by checkpoint, which is one walk along the primary key. */
export async function measureSearches(pool: pg.Pool, tell: (what: string) => void): Promise<Figure[]> {
  const reader = createLogReader({ pool });
  const samples = await pickSamples(pool);
  const first = await reader.after(SCALE_TENANT, undefined, 1);
  const yardstick = await p95(samples, async () => void (await reader.after(SCALE_TENANT, first[0], 50)));
  const figures: Figure[] = [];
  for (const [name, q, sort = 'date:-1'] of SEARCHES) {
    tell(`searching: ${name}`);
    const measured = await p95(samples, async (sample) => {
      const query = parseSearch(q(sample), undefined);
      await reader.search(SCALE_TENANT, { query, sort: parseSort(sort), offset: 0, limit: 50 });
    });
    figures.push({
      work: `search: ${name}`,
      ours: `p95 of ${SAMPLES}`,
      yardstick: `50 by checkpoint p95 ${yardstick.toFixed(1)} ms`,
      measured,
      unit: 'ms',
      goal: { is: 'at most', limit: GOAL_MILLISECONDS },
    });
  }
  return figures;
}

async function pickSamples(pool: pg.Pool): Promise<Sample[]> {
  const { rows } = await pool.query<Sample>(
    `select type, user_id as "userId", client_id as "clientId", connection, ip, at from log_events tablesample system (0.05)
     where tenant_id = $1 order by random() limit $2`,
    [SCALE_TENANT, SAMPLES],
  );
  return rows;
}

async function p95(samples: readonly Sample[], work: (sample: Sample) => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (const sample of samples) {
    const began = performance.now();
    await work(sample);
    times.push(performance.now() - began);
  }
  return times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.95)] ?? Number.NaN;
}

function day(at: Date): string {
  return at.toISOString().slice(0, 10);
}
