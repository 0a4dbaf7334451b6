import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { ACTIVE_DAYS, DAY, LEAKED, LEAKED_AT_SIGN_UP, LOGINS, SIGN_UPS } from './rollup.ts';

export interface DayStatistics {
  readonly date: Date;
  readonly logins: number;
  readonly signUps: number;
  readonly leakedPasswords: number;
  readonly leakedAtSignUp: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type StatisticsStore = ReturnType<typeof createStatisticsStore>;

export function createStatisticsStore(db: Database) {
  return {
    /** The days of which anything is counted, oldest first; both bounds belong to them. */
    async daily(tenantId: string, from: Date, to: Date): Promise<DayStatistics[]> {
      const sum = (types: ReadonlySet<string>) =>
        sql`coalesce(sum(n) filter (where type = any(${[...types]})), 0)::int`;
      const { rows } = await sql<DayStatistics>`
        select at as date, ${sum(LOGINS)} as logins, ${sum(SIGN_UPS)} as "signUps", ${sum(LEAKED)} as "leakedPasswords",
          ${sum(LEAKED_AT_SIGN_UP)} as "leakedAtSignUp", min(created_at) as "createdAt", max(updated_at) as "updatedAt"
        from log_rollups
        where tenant_id = ${tenantId} and grain = 'day' and subject = '' and at >= ${from} and at <= ${to}
        group by at order by at`.execute(db);
      return rows;
    },

    /** Exact: a row a person. */
    async activeUsers(tenantId: string, now: Date): Promise<number> {
      const { count } = await db
        .selectFrom('active_users')
        .select(({ fn }) => fn.countAll<string>().as('count'))
        .where('tenant_id', '=', tenantId)
        .where('last_login_at', '>=', new Date(now.getTime() - ACTIVE_DAYS * DAY))
        .executeTakeFirstOrThrow();
      return Number(count);
    },
  };
}
