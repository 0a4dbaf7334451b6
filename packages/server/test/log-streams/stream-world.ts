import { expect, vi } from 'vitest';
import { startWorld, type WorldTenant } from '../world.ts';
import { type ReceivedRequest, startReceiver } from './receiver.ts';

export interface Unit {
  readonly log_id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface NewStream {
  readonly name?: string;
  readonly format?: 'JSONOBJECT' | 'JSONARRAY' | 'JSONLINES';
  readonly filters?: readonly string[];
  readonly startFrom?: string;
  readonly path?: string;
  readonly at?: WorldTenant;
}

export type StreamWorld = Awaited<ReturnType<typeof startStreamWorld>>;

/** A world whose tenants send their events to a receiver on loopback. Backing off takes the longest that it may. */
export async function startStreamWorld(options: Parameters<typeof startWorld>[0] = {}) {
  const world = await startWorld({ streamRandom: () => 1, ...options });
  const receiver = await startReceiver();
  // One token while it is good: each further one would be an event.
  let token = { hour: 0, api: world.api() };
  const api = () => {
    const hour = Math.floor(world.now().getTime() / 3_600_000);
    if (hour !== token.hour) token = { hour, api: world.api() };
    return token.api;
  };

  async function createStream({ name = 'Events', format = 'JSONOBJECT', path = '/', ...more }: NewStream = {}) {
    // What is held back would count as new.
    await allFinal();
    const response = await world.apiAt(more.at ?? world.main).post('/log-streams', {
      name,
      type: 'http',
      sink: { httpEndpoint: `${receiver.origin}${path}`, httpContentFormat: format },
      ...(more.filters && { filters: more.filters.map((group) => ({ type: 'category', name: group })) }),
      ...(more.startFrom && { startFrom: more.startFrom }),
    });
    if (response.statusCode !== 200) throw new Error(response.body);
    return response.json() as { id: string };
  }

  /** Nothing that is written is held back any more, by another test's transaction. */
  const allFinal = () =>
    eventually(async () => {
      const { rows } = await world.database.pool.query(
        'select from log_events join log_epoch using (epoch) where xid >= pg_snapshot_xmin(pg_current_snapshot()) limit 1',
      );
      expect(rows).toHaveLength(0);
    });

  /** A process that has not heard yet that a stream is gone sends on, into the next test. */
  async function letGo(): Promise<void> {
    const { rows } = await world.database.pool.query<{ id: string }>(
      `update log_streams set status = 'paused' where tenant_id = 'dev' and status = 'active' returning id`,
    );
    const ids = rows.map(({ id }) => id);
    await eventually(async () => {
      const held = await world.database.pool.query(
        'select from log_stream_deliveries where stream_id = any($1) and owner is not null and lease_until > clock_timestamp()',
        [ids],
      );
      expect(held.rows).toHaveLength(0);
    });
  }

  return {
    world,
    receiver,
    createStream,
    allFinal,
    api,
    health: async (id: string) => (await api().get(`/log-streams/${id}/health`)).json(),
    /** Events that nothing else causes, in one transaction each. */
    async happen(count: number, { type = 's', tenantId = 'dev' } = {}): Promise<void> {
      for (let done = 0; done < count; done++)
        await world.database.pool.query(
          `insert into log_events (tenant_id, type, body) values ($1, $2, jsonb_build_object('description', $3::text))`,
          [tenantId, type, `event ${done}`],
        );
    },
    /** In one transaction. */
    async happenAtOnce(count: number, { type = 's', tenantId = 'dev' } = {}): Promise<void> {
      await world.database.pool.query(
        `insert into log_events (tenant_id, type, body)
         select $1, $2, jsonb_build_object('description', 'event ' || i) from generate_series(1, $3::integer) i`,
        [tenantId, type, count],
      );
    },
    /** All log_ids of a tenant's events of a type, in order. */
    async written(type = 's', tenantId = 'dev'): Promise<string[]> {
      const { rows } = await world.database.pool.query(
        `select '900' || lpad(epoch::text, 3, '0') || lpad(xid::text, 20, '0') || lpad(seq::text, 19, '0')
           || to_char(day, 'YYYYMMDD') || '000' as id from log_events e where tenant_id = $1 and type = $2
         order by e.epoch, e.xid, e.seq`,
        [tenantId, type],
      );
      return rows.map(({ id }) => id);
    },
    units: (path = '/') => receiver.requests.filter((request) => request.path === path).flatMap(unitsOf),
    ofType: (type: string, path = '/') =>
      receiver.requests
        .filter((request) => request.path === path)
        .flatMap(unitsOf)
        .filter(({ data }) => data.type === type)
        .map(({ log_id }) => log_id),
    /** After each test: no streams, an obedient receiver that has forgotten everything. */
    async clean(): Promise<void> {
      await letGo();
      const { rows } = await world.database.pool.query<{ id: string }>(
        `select id from log_streams where tenant_id = 'dev'`,
      );
      for (const { id } of rows) await api().delete(`/log-streams/${id}`);
      receiver.behave({ status: 200 });
      receiver.requests.length = 0;
    },
    async stop(): Promise<void> {
      await world.stop();
      await receiver.close();
    },
  };
}

/** The horizon is the whole cluster's: other tests' transactions delay delivery. */
export const eventually = (check: () => Promise<void> | void): Promise<void> =>
  vi.waitFor(check, { timeout: 60_000, interval: 25 });

export function unitsOf({ body }: ReceivedRequest): Unit[] {
  if (body.startsWith('[')) return JSON.parse(body);
  return body.split('\n').map((line) => JSON.parse(line));
}
