import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { LogPosition } from '../logs/log-id.ts';
import { foldRest } from './fold-rest.ts';
import type { ActiveUser, Count, Grain } from './rollup.ts';

declare module '../db/database.ts' {
  interface Tables {
    log_rollup_state: LogRollupStateTable;
    log_rollups: LogRollupTable;
    active_users: ActiveUserTable;
  }
}

interface LogRollupStateTable {
  epoch: number;
  xid: string;
  seq: string;
  day: string;
  scanned_at: Date | null;
}

interface LogRollupTable {
  tenant_id: string;
  grain: Grain;
  at: Date;
  type: string;
  client_id: string;
  connection: string;
  ip: string;
  subject: string;
  n: string;
  created_at: Date;
  updated_at: Date;
  expires_at: Date;
}

type ActiveUserTable = ActiveUser;

export type RollupStore = ReturnType<typeof createRollupStore>;

/** Before every event. */
const BEGINNING: LogPosition = { epoch: -1, xid: '0', seq: '0', day: '19700101' };

export function createRollupStore(db: Database) {
  return {
    /** Up to where the log is counted. */
    async position(): Promise<LogPosition> {
      const { rows } = await sql<LogPosition>`
        select epoch, xid::text as xid, seq::text as seq, day from log_rollup_state`.execute(db);
      return rows[0] ?? BEGINNING;
    },

    /** False where another process has gone on from here: then nothing that was read may be added. */
    async advance(from: LogPosition, to: LogPosition): Promise<boolean> {
      const result = await sql`
        insert into log_rollup_state as s (epoch, xid, seq, day)
        values (${to.epoch}, ${to.xid}::xid8, ${to.seq}::bigint, ${to.day})
        on conflict (only_row) do update set epoch = excluded.epoch, xid = excluded.xid, seq = excluded.seq, day = excluded.day
        where s.epoch = ${from.epoch} and s.xid = ${from.xid}::xid8 and s.seq = ${from.seq}::bigint`.execute(db);
      return result.numAffectedRows === 1n;
    },

    /** In the order of the key; only one process adds at a time. */
    async add(counts: readonly Count[], now: Date): Promise<void> {
      if (counts.length === 0) return;
      await sql`
        insert into log_rollups (tenant_id, grain, at, type, client_id, connection, ip, subject, n, created_at, updated_at, expires_at)
        select tenant_id, grain, at, type, client_id, connection, ip, subject, n, ${now}::timestamptz, ${now}::timestamptz, expires_at
        from jsonb_to_recordset(${JSON.stringify(counts)}::jsonb) as c (tenant_id text, grain text, at timestamptz, type text,
          client_id text, connection text, ip text, subject text, n bigint, expires_at timestamptz)
        order by 1, 2, 3, 4, 5, 6, 7, 8
        on conflict (tenant_id, grain, at, type, client_id, connection, ip, subject)
        do update set n = log_rollups.n + excluded.n, updated_at = excluded.updated_at`.execute(db);
      await foldRest(db, counts);
    },

    /** Of tenants that are there: who is gone has no row to hang on. */
    async seen(users: readonly ActiveUser[]): Promise<void> {
      if (users.length === 0) return;
      await sql`
        insert into active_users (tenant_id, user_id, last_login_at, expires_at)
        select u.tenant_id, u.user_id, u.last_login_at, u.expires_at
        from jsonb_to_recordset(${JSON.stringify(users)}::jsonb)
          as u (tenant_id text, user_id text, last_login_at timestamptz, expires_at timestamptz)
        join tenants t on t.tenant_id = u.tenant_id
        order by 1, 2
        on conflict (tenant_id, user_id) do update set
          last_login_at = greatest(active_users.last_login_at, excluded.last_login_at),
          expires_at = greatest(active_users.expires_at, excluded.expires_at)`.execute(db);
    },
  };
}
