import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../db/database.ts';

declare module '../db/database.ts' {
  interface Tables {
    rate_buckets: RateBucketTable;
  }
}

interface RateBucketTable {
  tenant_id: string;
  name: string;
  tokens: number;
  granted: number;
  filled_at: Date;
  told_at: Date | null;
  expires_at: Date;
}

export interface RateLimit {
  /** Requests that may come at once. */
  readonly burst: number;
  /** Requests that come back each second. */
  readonly perSecond: number;
}

/** What a taker was given, and what is left for all. */
export interface Taken {
  readonly granted: number;
  readonly left: number;
}

export type RateBucketStore = ReturnType<typeof createRateBucketStore>;

/** Token buckets that all processes of one database share. */
export function createRateBucketStore(db: Database) {
  return {
    /** Gives up to `wanted` requests, at most the burst, in one statement: of two processes none is given the other's. */
    async take(tenantId: string, name: string, limit: RateLimit, wanted: number, now: Date): Promise<Taken> {
      const { burst } = limit;
      const filled = filledAt(limit, now);
      const granted = sql<number>`least(${wanted}::double precision, floor(${filled}))`;
      const { rows } = await sql<Taken>`
        insert into rate_buckets as b (tenant_id, name, tokens, granted, filled_at, expires_at)
        values (${tenantId}, ${name}, ${burst - wanted}, ${wanted}, ${now}, ${fullAt(limit, now)})
        on conflict (tenant_id, name) do update set granted = ${granted}, tokens = ${filled} - ${granted},
          filled_at = case when ${isAhead(now)} then excluded.filled_at else greatest(b.filled_at, excluded.filled_at) end,
          expires_at = excluded.expires_at
        returning granted, tokens as left`.execute(db);
      return rows[0] ?? { granted: 0, left: 0 };
    },

    /** Whether an empty bucket is news: true for one of all who ask in this time. */
    async isNews(tenantId: string, name: string, everyMilliseconds: number, now: Date): Promise<boolean> {
      const result = await sql`
        update rate_buckets set told_at = ${now} where tenant_id = ${tenantId} and name = ${name}
          and (told_at is null or told_at <= ${new Date(now.getTime() - everyMilliseconds)})`.execute(db);
      return result.numAffectedRows === 1n;
    },
  };
}

/** With what came back since. A taker whose clock is behind the last one's adds nothing. */
function filledAt({ burst, perSecond }: RateLimit, now: Date): RawBuilder<number> {
  return sql<number>`least(${burst}::double precision, b.tokens
    + greatest(0, extract(epoch from ${now}::timestamptz - b.filled_at))::double precision * ${perSecond}::double precision)`;
}

/** Filled by a clock that was wrong: nobody waits until the time really comes. */
function isAhead(now: Date): RawBuilder<boolean> {
  return sql<boolean>`b.filled_at > ${new Date(now.getTime() + 60_000)}`;
}

function fullAt({ burst, perSecond }: RateLimit, now: Date): Date {
  return new Date(now.getTime() + (burst / perSecond) * 1_000);
}
