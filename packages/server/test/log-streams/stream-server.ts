import type { FirstRun } from '../../src/tenants/first-run.ts';
import { managementAt, tokenFor } from '../operations/calls.ts';
import type { TestDatabase } from '../test-database.ts';
import type { ReceivedRequest, Receiver } from './receiver.ts';
import { unitsOf } from './stream-world.ts';

/** A stream of a real server's first tenant into a receiver; its id. */
export async function createStreamAt(
  origin: string,
  firstRun: FirstRun,
  receiver: Receiver,
  format: 'JSONOBJECT' | 'JSONLINES' = 'JSONOBJECT',
): Promise<string> {
  const api = managementAt(origin, await tokenFor(origin, firstRun));
  const sink = { httpEndpoint: `${receiver.origin}/`, httpContentFormat: format };
  const { status, body } = await api('POST', '/log-streams', { name: 'Rounds', type: 'http', sink });
  if (status !== 200) throw new Error(`No stream: ${status} ${JSON.stringify(body)}`);
  return String(body.id);
}

/** Ids of all events of a type that a receiver took with 200, repetitions included. */
export function idsOf(requests: readonly ReceivedRequest[], type: string): string[] {
  return requests.flatMap(unitsOf).flatMap(({ log_id, data }) => (data.type === type ? [log_id] : []));
}

/** What the log itself has of a type, in its order. */
export async function writtenIn(pool: TestDatabase['pool'], type: string): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `select '900' || lpad(epoch::text, 3, '0') || lpad(xid::text, 20, '0') || lpad(seq::text, 19, '0')
       || to_char(day, 'YYYYMMDD') || '000' as id from log_events e where type = $1
     order by e.epoch, e.xid, e.seq`,
    [type],
  );
  return rows.map(({ id }) => id);
}

/** All of the log by checkpoint, as an exporter reads it: beyond the thousand events of a search. */
export async function wholeLog(origin: string, firstRun: FirstRun): Promise<Record<string, unknown>[]> {
  const api = managementAt(origin, await tokenFor(origin, firstRun));
  const events: Record<string, unknown>[] = [];
  for (let from = ''; ; ) {
    const { status, body } = await api('GET', `/logs?take=100${from && `&from=${from}`}`);
    if (status !== 200 || !Array.isArray(body)) throw new Error(`No page: ${status} ${JSON.stringify(body)}`);
    events.push(...body);
    if (body.length < 100) return events;
    from = String(events.at(-1)?.log_id);
  }
}
