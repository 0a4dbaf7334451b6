import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { type Count, MOST_APART, REST, RESTS_OF_SUBJECTS } from './rollup.ts';

interface Fold {
  readonly most: number;
  /** The rows that are counted apart; never those that stand for a rest. */
  readonly apart: RawBuilder<boolean>;
  /** What their rest is counted under: client_id, connection, ip, subject. */
  readonly into: RawBuilder<unknown>;
}

const rest = sql.lit(REST);
const ADDRESSES: Fold = {
  most: MOST_APART.addresses,
  apart: sql`r.subject = '' and r.ip not in ('', ${rest})`,
  into: sql`client_id, connection, ${rest} as ip, subject`,
};
const CLIENTS: Fold = {
  most: MOST_APART.clients,
  apart: sql`r.subject = '' and r.ip in ('', ${rest}) and r.client_id <> ${rest}`,
  into: sql`${rest} as client_id, ${rest} as connection, ip, subject`,
};
const SUBJECTS: Fold = {
  most: MOST_APART.subjects,
  apart: sql`r.subject <> '' and r.subject not in (${sql.join(RESTS_OF_SUBJECTS.map((subject) => sql.lit(subject)))})`,
  into: sql`${rest} as client_id, connection, ip, split_part(subject, ':', 1) || ${sql.lit(`:${REST}`)} as subject`,
};
/** A rest is taken together when there are half as many again: not at each event of a flood. */
const SLACK = 1.5;

/** Keeps the largest counts of each minute, hour and day apart, and adds the rest up: their number has a bound. */
export async function foldRest(db: Database, touched: readonly Count[]): Promise<void> {
  const over = await findOverfull(db, touched);
  if (over.length === 0) return;
  // Addresses first: what they leave behind is one of the clients' rows.
  for (const fold of [ADDRESSES, CLIENTS, SUBJECTS]) await foldOne(db, over, fold);
}

interface Group {
  readonly tenant_id: string;
  readonly grain: string;
  readonly at: Date;
}

async function findOverfull(db: Database, touched: readonly Count[]): Promise<Group[]> {
  const groups = new Map(
    touched.map(({ tenant_id, grain, at }) => [JSON.stringify([tenant_id, grain, at]), { tenant_id, grain, at }]),
  );
  const isOver = ({ most, apart }: Fold) => sql`count(*) filter (where ${apart}) > ${sql.lit(most * SLACK)}`;
  const { rows } = await sql<Group>`
    select r.tenant_id, r.grain, r.at from log_rollups r join ${recordset([...groups.values()])} using (tenant_id, grain, at)
    group by 1, 2, 3 having ${isOver(ADDRESSES)} or ${isOver(CLIENTS)} or ${isOver(SUBJECTS)}`.execute(db);
  return rows;
}

async function foldOne(db: Database, groups: readonly Group[], { most, apart, into }: Fold): Promise<void> {
  await sql`
    with ranked as (
      select r.ctid as place, row_number() over (partition by r.tenant_id, r.grain, r.at
        order by r.n desc, r.type, r.client_id, r.connection, r.ip, r.subject) as rank
      from log_rollups r join ${recordset(groups)} using (tenant_id, grain, at) where ${apart}
    ), gone as (
      delete from log_rollups r using ranked where r.ctid = ranked.place and ranked.rank > ${sql.lit(most)}
      returning r.tenant_id, r.grain, r.at, r.type, r.client_id, r.connection, r.ip, r.subject, r.n, r.created_at,
        r.updated_at, r.expires_at
    ), moved as (
      select tenant_id, grain, at, type, ${into}, n, created_at, updated_at, expires_at from gone
    )
    insert into log_rollups (tenant_id, grain, at, type, client_id, connection, ip, subject, n, created_at, updated_at, expires_at)
    select tenant_id, grain, at, type, client_id, connection, ip, subject, sum(n), min(created_at), max(updated_at), max(expires_at)
    from moved group by 1, 2, 3, 4, 5, 6, 7, 8
    on conflict (tenant_id, grain, at, type, client_id, connection, ip, subject)
    do update set n = log_rollups.n + excluded.n, updated_at = excluded.updated_at`.execute(db);
}

function recordset(groups: readonly Group[]): RawBuilder<unknown> {
  return sql`jsonb_to_recordset(${JSON.stringify(groups)}::jsonb) as g (tenant_id text, grain text, at timestamptz)`;
}
