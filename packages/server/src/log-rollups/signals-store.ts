import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { REST } from './rollup.ts';

/** So many events of one subject of one tenant. */
export interface Signal {
  readonly tenantId: string;
  /** An application, an address, a user or a rule. */
  readonly subject: string;
  readonly n: number;
  readonly since: Date;
  /** Of its events, some where they are many. */
  readonly types: readonly string[];
  /** Applications that they came through, some where they are many. */
  readonly clients: readonly string[];
}

export interface HourTotals {
  readonly tenantId: string;
  readonly failed: number;
  readonly succeeded: number;
}

/** What a share of the failures has in common. */
export interface Cause {
  readonly client: { readonly id: string; readonly n: number } | undefined;
  readonly rule: { readonly name: string; readonly n: number } | undefined;
}

/** Minutes, the first and the last included: one that a clock put into the future is looked at when it is here. */
export interface Window {
  readonly from: Date;
  readonly to: Date;
}

export type SignalsStore = ReturnType<typeof createSignalsStore>;

/** Of one tenant: an attack on it hides nothing of the others. */
const MOST_SIGNALS = 1_000;

/** Questions of all tenants at once, each answer with its tenant: a scan costs as many statements as there are rules. */
export function createSignalsStore(db: Database) {
  const byColumn = (
    column: 'client_id' | 'ip' | 'subject',
    window: Window,
    types: ReadonlySet<string>,
    fewest: number,
  ) => {
    const subject = sql.ref(column);
    const isOfKind =
      column === 'subject'
        ? sql`subject like 'user:%'`
        : column === 'ip'
          ? sql`subject = '' and ip <> ''`
          : sql`subject = ''`;
    return sql<Signal>`select * from (
      select tenant_id as "tenantId", ${subject} as subject, sum(n)::int as n, min(at) as since,
        array(select distinct unnest(array_agg(type)) limit 20) as types,
        array(select distinct unnest(array_agg(client_id) filter (where client_id not in ('', ${REST}))) limit 5) as clients,
        row_number() over (partition by tenant_id order by sum(n) desc) as place
      from log_rollups
      where grain = 'minute' and at >= ${window.from} and at <= ${window.to} and type = any(${[...types]}) and ${isOfKind}
      group by tenant_id, ${subject} having sum(n) >= ${fewest}
    ) as signals where place <= ${MOST_SIGNALS} order by n desc`;
  };

  return {
    /** Whether this process is the one that looks now: one of all who ask within the time. */
    async claimScan(now: Date, everyMilliseconds: number): Promise<boolean> {
      // A clock that was set back must not silence the scans until it is there again.
      const result = await sql`
        insert into log_rollup_state as s (scanned_at) values (${now})
        on conflict (only_row) do update set scanned_at = excluded.scanned_at
        where s.scanned_at is null or s.scanned_at <= ${new Date(now.getTime() - everyMilliseconds)} or s.scanned_at > ${now}
      `.execute(db);
      return result.numAffectedRows === 1n;
    },

    async byClient(window: Window, types: ReadonlySet<string>, fewest: number): Promise<Signal[]> {
      return (await byColumn('client_id', window, types, fewest).execute(db)).rows;
    },

    async byAddress(window: Window, types: ReadonlySet<string>, fewest: number): Promise<Signal[]> {
      return (await byColumn('ip', window, types, fewest).execute(db)).rows;
    },

    async byUser(window: Window, types: ReadonlySet<string>, fewest: number): Promise<Signal[]> {
      const { rows } = await byColumn('subject', window, types, fewest).execute(db);
      return rows.map((row) => ({ ...row, subject: row.subject.slice('user:'.length) }));
    },

    /** Of the hour that begins then. */
    async totals(hour: Date, failed: ReadonlySet<string>, succeeded: ReadonlySet<string>): Promise<HourTotals[]> {
      const { rows } = await sql<HourTotals>`
        select tenant_id as "tenantId", coalesce(sum(n) filter (where type = any(${[...failed]})), 0)::int as failed,
          coalesce(sum(n) filter (where type = any(${[...succeeded]})), 0)::int as succeeded
        from log_rollups where grain = 'hour' and at = ${hour} and subject = ''
        group by tenant_id`.execute(db);
      return rows;
    },

    /** The application and the rule that most of a tenant's failures of an hour have in common. */
    async causes(tenantId: string, hour: Date, failed: ReadonlySet<string>): Promise<Cause> {
      const most = (column: 'client_id' | 'subject') => sql<{ name: string; n: number }>`
        select ${sql.ref(column)} as name, sum(n)::int as n from log_rollups
        where tenant_id = ${tenantId} and grain = 'hour' and at = ${hour} and type = any(${[...failed]})
          and ${column === 'subject' ? sql`subject like 'rule:%'` : sql`subject = '' and client_id not in ('', ${REST})`}
        group by 1 order by 2 desc, 1 limit 1`;
      const [client] = (await most('client_id').execute(db)).rows;
      const [rule] = (await most('subject').execute(db)).rows;
      return {
        client: client && { id: client.name, n: client.n },
        rule: rule && { name: rule.name.slice('rule:'.length), n: rule.n },
      };
    },
  };
}
