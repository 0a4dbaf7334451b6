import type pg from 'pg';
import { encodeLogId } from '../log-id.ts';
import { listPartitionDays } from '../partitions/partition-keeper.ts';
import type { ReaderCursor } from './cursors-of-readers.ts';

type Connection = Pick<pg.ClientBase, 'query'>;

/** A tenant's events of one UTC day, in the partition where they lie. */
export interface Portion {
  readonly table: string;
  readonly day: string;
  readonly tenantId: string;
}

/** What lies in one partition. */
export interface PartitionContent {
  readonly table: string;
  /** False for the default partition: it stays, whatever it holds. */
  readonly isOfOneDay: boolean;
  readonly portions: readonly Portion[];
}

const DEFAULT_PARTITION = 'log_events_default';
const MOST_PORTIONS = 10_000;

/** The partitions with days before `before` (YYYYMMDD), oldest first; the default one comes last. */
export async function* readOldPartitions(connection: Connection, before: string): AsyncGenerator<PartitionContent> {
  for (const { table, day } of await listPartitionDays(connection)) {
    if (day >= before) break;
    const portions = (await tenantsIn(connection, table)).map((tenantId) => ({ table, day, tenantId }));
    yield { table, isOfOneDay: true, portions };
  }
  // A few rows as a rule: those of a clock that was wrong.
  const { rows } = await connection.query<{ tenantId: string; day: string }>(
    `select distinct tenant_id as "tenantId", to_char(day, 'YYYYMMDD') as day from ${DEFAULT_PARTITION}
     where day < $1::date order by 2, 1 limit ${MOST_PORTIONS}`,
    [before],
  );
  if (rows.length === 0) return;
  yield {
    table: DEFAULT_PARTITION,
    isOfOneDay: false,
    portions: rows.map((row) => ({ ...row, table: DEFAULT_PARTITION })),
  };
}

/** From one tenant to the next by the key: a `distinct` reads every row. */
async function tenantsIn(connection: Connection, table: string): Promise<string[]> {
  const { rows } = await connection.query<{ tenantId: string }>(
    `with recursive tenant (id) as (
       (select tenant_id from ${table} order by tenant_id limit 1)
       union all
       select (select e.tenant_id from ${table} e where e.tenant_id > t.id order by e.tenant_id limit 1)
       from tenant t where t.id is not null
     ) select id as "tenantId" from tenant where id is not null`,
  );
  return rows.map(({ tenantId }) => tenantId);
}

/** Events of a portion that one of the readers has not had. */
export interface Unread {
  readonly events: string;
  readonly firstLogId: string;
  readonly lastLogId: string;
}

export async function hasUnread(connection: Connection, portion: Portion, readers: readonly ReaderCursor[]) {
  const behind = furthestBehind(readers);
  if (behind === undefined) return false;
  const { rows } = await connection.query(
    `select from ${portion.table} e where ${UNREAD} limit 1`,
    unreadValues(portion, behind),
  );
  return rows.length > 0;
}

export async function countUnread(
  connection: Connection,
  portion: Portion,
  readers: readonly ReaderCursor[],
): Promise<Unread | undefined> {
  const behind = furthestBehind(readers);
  if (behind === undefined) return undefined;
  const values = unreadValues(portion, behind);
  const edge = async (direction: 'asc' | 'desc') => {
    const { rows } = await connection.query<{ epoch: number; xidText: string; seqText: string }>(
      `select e.epoch, e.xid::text as "xidText", e.seq::text as "seqText" from ${portion.table} e where ${UNREAD}
       order by e.epoch ${direction}, e.xid ${direction}, e.seq ${direction} limit 1`,
      values,
    );
    const [row] = rows;
    return row && encodeLogId({ epoch: row.epoch, xid: row.xidText, seq: row.seqText, day: portion.day });
  };
  const { rows } = await connection.query<{ events: string }>(
    `select count(*)::text as events from ${portion.table} e where ${UNREAD}`,
    values,
  );
  const [firstLogId, lastLogId] = [await edge('asc'), await edge('desc')];
  if (firstLogId === undefined || lastLogId === undefined) return undefined;
  return { events: rows[0]?.events ?? '0', firstLogId, lastLogId };
}

const UNREAD = `e.tenant_id = $1 and e.day = $2::date and (e.epoch, e.xid, e.seq) > ($3::smallint, $4::xid8, $5::bigint)`;

function unreadValues({ tenantId, day }: Portion, { position }: ReaderCursor): unknown[] {
  return [tenantId, day, position?.epoch ?? -1, position?.xid ?? '0', position?.seq ?? '0'];
}

function furthestBehind(readers: readonly ReaderCursor[]): ReaderCursor | undefined {
  return readers.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))[0];
}

function keyOf({ position }: ReaderCursor): string {
  return position === undefined ? '' : encodeLogId({ ...position, day: '00000000' });
}
