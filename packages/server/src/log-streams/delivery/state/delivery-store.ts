import { type Selectable, sql } from 'kysely';
import type { Database } from '../../../db/database.ts';
import { isObject, numberOf, textOf } from '../../../kit/json-values.ts';
import type { LogPosition } from '../../../logs/log-id.ts';
import type { ReaderCursor } from '../../../logs/retention/cursors-of-readers.ts';
import type { StreamStatus } from '../../log-stream.ts';
import { type AttemptRecord, type DeliveryState, type Lease, STREAMS_CHANNEL, type Suspect } from './delivery-state.ts';

declare module '../../../db/database.ts' {
  interface Tables {
    log_stream_deliveries: DeliveryTable;
  }
}

interface DeliveryTable {
  tenant_id: string;
  stream_id: string;
  epoch: number;
  xid: string;
  seq: string;
  day: string;
  owner: string | null;
  lease_until: Date;
  fence: string;
  failures: number;
  is_degraded: boolean;
  failing_since: Date | null;
  retry_at: Date | null;
  suspect: unknown;
  delivered: string;
  delivered_at: Date | null;
  rate: number;
  attempts: AttemptRecord[];
}

export interface LeasedStream {
  readonly lease: Lease;
  readonly state: DeliveryState;
}

export type StreamKey = Pick<Lease, 'tenantId' | 'streamId'>;

export interface SavedStream {
  readonly lease: Lease;
  /** Attempts are large: where they are left out, those of before stay. */
  readonly state: Omit<DeliveryState, 'attempts'> & Partial<Pick<DeliveryState, 'attempts'>>;
}

export interface KeptLease extends StreamKey {
  readonly version: string;
  readonly status: StreamStatus;
}

export type DeliveryStore = ReturnType<typeof createDeliveryStore>;

/**
 * A process that is gone for longer has lost its streams to another one. Short, since a stream waits for it after a kill;
 * who comes back too late is stopped by the fence, and not by the time. Times are the database's throughout.
 */
const LEASE_SECONDS = 12;

export function createDeliveryStore(db: Database) {
  return {
    async insert(tenantId: string, streamId: string, cursor: LogPosition): Promise<void> {
      await sql`insert into log_stream_deliveries (tenant_id, stream_id, epoch, xid, seq, day)
        values (${tenantId}, ${streamId}, ${cursor.epoch}, ${cursor.xid}::xid8, ${cursor.seq}, ${cursor.day})`.execute(
        db,
      );
    },

    async find(tenantId: string, streamId: string): Promise<(DeliveryState & { isOwned: boolean }) | undefined> {
      const { rows } = await sql<Selectable<DeliveryTable> & { is_owned: boolean }>`
        select d.*, d.owner is not null and d.lease_until > clock_timestamp() as is_owned
        from log_stream_deliveries d where d.tenant_id = ${tenantId} and d.stream_id = ${streamId}`.execute(db);
      return rows[0] && { ...toState(rows[0]), isOwned: rows[0].is_owned };
    },

    /** What went wrong before counts no more: its operator has activated the stream. The cursor stays. */
    async restart(tenantId: string, streamId: string): Promise<void> {
      await sql`update log_stream_deliveries
        set failures = 0, is_degraded = false, failing_since = null, retry_at = null, suspect = null
        where tenant_id = ${tenantId} and stream_id = ${streamId}`.execute(db);
    },

    /** How many streams are delivered, and how many of them each process has. */
    async census(): Promise<{ active: number; held: Map<string, number> }> {
      const { rows } = await sql<{ owner: string | null; streams: string }>`
        select case when d.lease_until > clock_timestamp() then d.owner end as owner, count(*) as streams
        from log_stream_deliveries d
          join log_streams s on s.tenant_id = d.tenant_id and s.id = d.stream_id
        where s.status = 'active' group by 1`.execute(db);
      return {
        active: rows.reduce((sum, { streams }) => sum + Number(streams), 0),
        held: new Map(rows.flatMap(({ owner, streams }) => (owner === null ? [] : [[owner, Number(streams)]]))),
      };
    },

    /** To all processes: a process asks for streams, or (without one) there are some that nobody has. */
    async tell(asker = ''): Promise<void> {
      await sql`select pg_notify(${STREAMS_CHANNEL}, ${asker})`.execute(db);
    },

    /** Streams that nobody has had for some seconds, those of priority first. */
    async free(most: number, freeForSeconds: number): Promise<StreamKey[]> {
      const { rows } = await sql<{ tenant_id: string; stream_id: string }>`
        select d.tenant_id, d.stream_id from log_stream_deliveries d
          join log_streams s on s.tenant_id = d.tenant_id and s.id = d.stream_id
        where s.status = 'active' and s.sink is not null
          and d.lease_until <= clock_timestamp() - make_interval(secs => ${freeForSeconds})
        order by s.is_priority desc, d.lease_until limit ${most}`.execute(db);
      return rows.map(toKey);
    },

    /** Takes those that are still free. Whoever had them before changes nothing from here on. */
    async claim(owner: string, streams: readonly StreamKey[]): Promise<LeasedStream[]> {
      const { rows } = await sql<Selectable<DeliveryTable>>`
        update log_stream_deliveries d
        set owner = ${owner}, fence = d.fence + 1, lease_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
        from jsonb_to_recordset(${JSON.stringify(streams.map(toNames))}::jsonb) as free(tenant_id text, stream_id text)
        where d.tenant_id = free.tenant_id and d.stream_id = free.stream_id and d.lease_until <= clock_timestamp()
        returning d.*`.execute(db);
      return rows.map((row) => ({ lease: { ...toKey(row), fence: row.fence }, state: toState(row) }));
    },

    /** Those that are still this owner's, prolonged, with what their streams are now. */
    async renew(owner: string, leases: readonly Lease[]): Promise<KeptLease[]> {
      const { rows } = await sql<{ tenant_id: string; stream_id: string; version: string; status: StreamStatus }>`
        update log_stream_deliveries d
        set lease_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
        from jsonb_to_recordset(${JSON.stringify(leases.map(toNames))}::jsonb)
            as held(tenant_id text, stream_id text, fence bigint), log_streams s
        where d.tenant_id = held.tenant_id and d.stream_id = held.stream_id and d.fence = held.fence
          and d.owner = ${owner} and s.tenant_id = d.tenant_id and s.id = d.stream_id
        returning d.tenant_id, d.stream_id, s.version, s.status`.execute(db);
      return rows.map((row) => ({ ...toKey(row), version: row.version, status: row.status }));
    },

    /** Writes down how far streams are; tells which of them were still this owner's. A cursor never moves back. */
    async save(owner: string, streams: readonly SavedStream[]): Promise<StreamKey[]> {
      const { rows } = await sql<{ tenant_id: string; stream_id: string }>`
        update log_stream_deliveries d
        set epoch = n.epoch, xid = n.xid::xid8, seq = n.seq, day = n.day, failures = n.failures,
          is_degraded = n.is_degraded, failing_since = n.failing_since, retry_at = n.retry_at, suspect = n.suspect,
          delivered = n.delivered, delivered_at = n.delivered_at, rate = n.rate,
          attempts = coalesce(n.attempts, d.attempts)
        from jsonb_to_recordset(${JSON.stringify(streams.map(toRecord))}::jsonb) as n(tenant_id text, stream_id text,
          fence bigint, epoch smallint, xid text, seq bigint, day text, failures integer, is_degraded boolean,
          failing_since timestamptz, retry_at timestamptz, suspect jsonb, delivered bigint, delivered_at timestamptz,
          rate double precision, attempts jsonb)
        where d.tenant_id = n.tenant_id and d.stream_id = n.stream_id and d.fence = n.fence and d.owner = ${owner}
          and (n.epoch, n.xid::xid8, n.seq) >= (d.epoch, d.xid, d.seq)
        returning d.tenant_id, d.stream_id`.execute(db);
      return rows.map(toKey);
    },

    /** For the next process, at once. */
    async release(owner: string, leases: readonly Lease[]): Promise<void> {
      await sql`update log_stream_deliveries d set owner = null, lease_until = clock_timestamp()
        from jsonb_to_recordset(${JSON.stringify(leases.map(toNames))}::jsonb)
          as held(tenant_id text, stream_id text, fence bigint)
        where d.tenant_id = held.tenant_id and d.stream_id = held.stream_id and d.fence = held.fence
          and d.owner = ${owner}`.execute(db);
    },

    /** False where the lease is another's by now: then this process has nothing to say about the stream. */
    async owns(owner: string, { tenantId, streamId, fence }: Lease): Promise<boolean> {
      const { rows } = await sql`select from log_stream_deliveries
        where tenant_id = ${tenantId} and stream_id = ${streamId} and owner = ${owner} and fence = ${fence}
        for update`.execute(db);
      return rows.length > 0;
    },

    /** How far the slowest active stream of each tenant is: what lies behind it is still to be delivered. */
    async cursors(): Promise<ReaderCursor[]> {
      const { rows } = await sql<LogPosition & { tenantId: string }>`
        select distinct on (d.tenant_id) d.tenant_id as "tenantId", d.epoch, d.xid::text as xid, d.seq::text as seq, d.day
        from log_stream_deliveries d join log_streams s on s.tenant_id = d.tenant_id and s.id = d.stream_id
        where s.status = 'active' order by d.tenant_id, d.epoch, d.xid, d.seq`.execute(db);
      return rows.map(({ tenantId, ...position }) => ({ tenantId, position }));
    },
  };
}

function toKey(row: { tenant_id: string; stream_id: string }): StreamKey {
  return { tenantId: row.tenant_id, streamId: row.stream_id };
}

function toNames({ tenantId, streamId, fence }: StreamKey & Partial<Lease>) {
  return { tenant_id: tenantId, stream_id: streamId, fence };
}

function toRecord({ lease, state }: SavedStream) {
  return {
    ...toNames(lease),
    ...state.cursor,
    failures: state.failures,
    is_degraded: state.isDegraded,
    failing_since: state.failingSince,
    retry_at: state.retryAt,
    suspect: state.suspect,
    delivered: state.delivered,
    delivered_at: state.deliveredAt,
    rate: state.rate,
    attempts: state.attempts,
  };
}

function toState(row: Selectable<DeliveryTable>): DeliveryState {
  return {
    cursor: { epoch: row.epoch, xid: row.xid, seq: row.seq, day: row.day },
    failures: row.failures,
    isDegraded: row.is_degraded,
    failingSince: row.failing_since ?? undefined,
    retryAt: row.retry_at ?? undefined,
    suspect: toSuspect(row.suspect),
    delivered: Number(row.delivered),
    deliveredAt: row.delivered_at ?? undefined,
    rate: row.rate,
    attempts: row.attempts,
  };
}

function toSuspect(stored: unknown): Suspect | undefined {
  if (!isObject(stored)) return undefined;
  return {
    logId: textOf(stored.logId) ?? '',
    tries: numberOf(stored.tries) ?? 0,
    since: textOf(stored.since) ?? '',
  };
}
