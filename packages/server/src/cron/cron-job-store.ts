import { type Generated, type Selectable, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { type Json, objectOf, textOf } from '../kit/json-values.ts';
import type { Sealer } from '../kit/seal.ts';
import { type GivenSettings, isSetting } from '../log-export/export-settings.ts';
import { type ClaimedJob, type CronJob, cronErrors, MOST_JOBS, type NewCronJob } from './cron-job.ts';

declare module '../db/database.ts' {
  interface Tables {
    cron_jobs: CronJobTable;
  }
}

interface CronJobTable {
  tenant_id: string;
  name: string;
  schedule: string;
  time_zone: string;
  settings: Buffer | null;
  setting_names: string[];
  limit_seconds: number;
  next_run_at: Date;
  lease_until: Date | null;
  owner: string | null;
  fence: Generated<string>;
  origin: string;
  checkpoint: string | null;
  behind_since: Date | null;
  told_at: Date | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

/** The owner of a job for the time of a run. */
export type Claim = Pick<ClaimedJob, 'tenantId' | 'name' | 'fence'>;

export interface LateJob {
  readonly tenantId: string;
  readonly name: string;
  readonly behindSince: Date;
  /** Its event is written. */
  readonly isTold: boolean;
}

export type CronJobStore = ReturnType<typeof createCronJobStore>;

const IS_FREE = sql<boolean>`(lease_until is null or lease_until < now())`;
/** Whoever ran it is gone: it goes on at once, whatever its schedule says. */
const IS_LOST = sql<boolean>`lease_until < now()`;
const isDue = (now: Date) => sql<boolean>`(lease_until is null and next_run_at <= ${now} or ${IS_LOST})`;
/** Longer than a run that has lost its server goes on (log-export/export-process.ts), by more than a request may take. */
const LEASE = sql<Date>`now() + interval '60 seconds'`;

export function createCronJobStore(db: Database, sealer: Sealer) {
  const of = ({ tenantId, name, fence }: Claim) =>
    db.updateTable('cron_jobs').where('tenant_id', '=', tenantId).where('name', '=', name).where('fence', '=', fence);
  const isDone = async (update: ReturnType<typeof of>) => (await update.executeTakeFirst()).numUpdatedRows > 0n;

  return {
    /** `db` is one transaction. A job of this name is changed; its checkpoint stays where the log is the same. */
    async put(tenantId: string, job: NewCronJob): Promise<void> {
      await sql`select pg_advisory_xact_lock(hashtext('cron_jobs'), hashtext(${tenantId}))`.execute(db);
      const others = await db
        .selectFrom('cron_jobs')
        .select(({ fn }) => fn.countAll<string>().as('count'))
        .where('tenant_id', '=', tenantId)
        .where('name', '<>', job.name)
        .executeTakeFirstOrThrow();
      if (Number(others.count) >= MOST_JOBS) throw cronErrors.tooMany();
      const values = {
        schedule: job.schedule,
        time_zone: job.timeZone,
        settings: sealer.seal(JSON.stringify(job.settings), place(tenantId, job.name)),
        setting_names: Object.keys(job.settings).sort(),
        limit_seconds: job.limitSeconds,
        next_run_at: job.nextRunAt,
        origin: job.origin,
      };
      await db
        .insertInto('cron_jobs')
        .values({
          tenant_id: tenantId,
          name: job.name,
          ...values,
          lease_until: null,
          owner: null,
          // Higher than that of any job of this name before: whoever still runs one that was removed has no part in this one.
          fence: sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
          checkpoint: null,
          behind_since: null,
          told_at: null,
        })
        .onConflict((conflict) =>
          conflict.columns(['tenant_id', 'name']).doUpdateSet({
            ...values,
            updated_at: sql`now()`,
            checkpoint: sql`case when cron_jobs.origin = excluded.origin then cron_jobs.checkpoint end`,
          }),
        )
        .execute();
    },

    async list(tenantId: string): Promise<CronJob[]> {
      const rows = await db
        .selectFrom('cron_jobs')
        .selectAll()
        .select(sql<boolean>`not ${IS_FREE}`.as('is_running'))
        .where('tenant_id', '=', tenantId)
        .orderBy('name')
        .execute();
      return rows.map(fromRow);
    },

    /** Its runs go with it. */
    async remove(tenantId: string, name: string): Promise<boolean> {
      const result = await db
        .deleteFrom('cron_jobs')
        .where('tenant_id', '=', tenantId)
        .where('name', '=', name)
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    },

    /** Of all tenants: whose time has come while nobody runs them, or whose run is lost. */
    async due(
      now: Date,
      limit: number,
    ): Promise<{ tenantId: string; name: string; schedule: string; timeZone: string }[]> {
      return db
        .selectFrom('cron_jobs')
        .select(['tenant_id as tenantId', 'name', 'schedule', 'time_zone as timeZone'])
        .where(isDue(now))
        .orderBy('next_run_at')
        .limit(limit)
        .execute();
    },

    /** Of all tenants: when the next one is due, since when the one waits that has waited longest, whether a run is lost. */
    async outlook(): Promise<{ nextRunAt: Date | undefined; behindSince: Date | undefined; isLost: boolean }> {
      const row = await db
        .selectFrom('cron_jobs')
        .select(({ fn }) => [
          fn.min<Date | null>('next_run_at').as('nextRunAt'),
          fn.min<Date | null>('behind_since').as('behindSince'),
          sql<boolean>`coalesce(bool_or(${IS_LOST}), false)`.as('isLost'),
        ])
        .executeTakeFirstOrThrow();
      return { nextRunAt: row.nextRunAt ?? undefined, behindSince: row.behindSince ?? undefined, isLost: row.isLost };
    },

    /** One of all servers gets it; `owner` is the server's name, by which it finds what it lost (releaseLost). */
    async claim(
      tenantId: string,
      name: string,
      now: Date,
      nextRunAt: Date,
      owner = '',
    ): Promise<ClaimedJob | undefined> {
      const row = await db
        .updateTable('cron_jobs')
        .set({
          next_run_at: nextRunAt,
          lease_until: LEASE,
          fence: sql`fence + 1`,
          owner: sql`${owner}::text || '/' || (fence + 1)`,
        })
        .where('tenant_id', '=', tenantId)
        .where('name', '=', name)
        .where(isDue(now))
        .returningAll()
        .executeTakeFirst();
      return (
        row && {
          tenantId,
          name,
          schedule: row.schedule,
          timeZone: row.time_zone,
          limitSeconds: row.limit_seconds,
          fence: row.fence,
          settings: row.settings ? openSettings(sealer, place(tenantId, name), row.settings) : undefined,
          origin: row.origin,
          checkpoint: row.checkpoint ?? undefined,
          behindSince: row.behind_since ?? undefined,
        }
      );
    },

    /**
     * For a server that starts: nobody but a former process of this name can have had these, and it is gone. What is left of
     * its runs has no part in them any more.
     */
    async releaseLost(owner: string, now: Date): Promise<void> {
      await db
        .updateTable('cron_jobs')
        .set({ lease_until: null, next_run_at: sql`least(next_run_at, ${now})`, fence: sql`fence + 1` })
        .where(sql<boolean>`owner = ${owner}::text || '/' || fence`)
        .where('lease_until', 'is not', null)
        .execute();
    },

    /** False where the job is gone, or somebody else's. */
    renew: (claim: Claim): Promise<boolean> => isDone(of(claim).set({ lease_until: LEASE })),

    /** False where it is not theirs any more, or reads another log by now. */
    moveCheckpoint: (claim: Claim & { readonly origin: string }, logId: string): Promise<boolean> =>
      isDone(of(claim).where('origin', '=', claim.origin).set({ checkpoint: logId, lease_until: LEASE })),

    /**
     * The end of a run. A schedule that was changed meanwhile has its next time already. `behindSince` undefined: all is
     * exported, and nobody needs to be told.
     */
    async finish(
      claim: Claim & Pick<ClaimedJob, 'schedule' | 'timeZone'>,
      { nextRunAt, behindSince }: { nextRunAt: Date; behindSince: Date | undefined },
    ): Promise<boolean> {
      return isDone(
        of(claim).set({
          lease_until: null,
          next_run_at: sql`case when schedule = ${claim.schedule} and time_zone = ${claim.timeZone}
            then ${nextRunAt}::timestamptz else next_run_at end`,
          behind_since: behindSince ?? null,
          ...(behindSince === undefined && { told_at: null }),
        }),
      );
    },

    /** Of all tenants: how far each job has read which log. */
    async positions(): Promise<{ tenantId: string; origin: string; checkpoint: string | undefined }[]> {
      const rows = await db.selectFrom('cron_jobs').select(['tenant_id', 'origin', 'checkpoint']).execute();
      return rows.map(({ tenant_id, origin, checkpoint }) => ({
        tenantId: tenant_id,
        origin,
        checkpoint: checkpoint ?? undefined,
      }));
    },

    /** Of all tenants: what has waited since before then. */
    async late(before: Date, limit: number): Promise<LateJob[]> {
      const rows = await db
        .selectFrom('cron_jobs')
        .select(['tenant_id', 'name', 'behind_since', 'told_at'])
        .where('behind_since', '<=', before)
        .orderBy('behind_since')
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        tenantId: row.tenant_id,
        name: row.name,
        behindSince: row.behind_since ?? before,
        isTold: row.told_at !== null,
      }));
    },

    /** True for one of all who ask. */
    async tell(tenantId: string, name: string, now: Date): Promise<boolean> {
      const result = await db
        .updateTable('cron_jobs')
        .set({ told_at: now })
        .where('tenant_id', '=', tenantId)
        .where('name', '=', name)
        .where('told_at', 'is', null)
        .where('behind_since', 'is not', null)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
  };
}

function place(tenantId: string, name: string): string {
  return `${tenantId}/cron_jobs/${name}/settings`;
}

/** Undefined where they are damaged: the run says so, and no other job waits for it. */
function openSettings(sealer: Sealer, context: string, sealed: Buffer): GivenSettings | undefined {
  let opened: Json;
  try {
    opened = objectOf(JSON.parse(sealer.open(sealed, context).toString()));
  } catch {
    return undefined;
  }
  return Object.fromEntries(
    Object.entries(opened).flatMap(([name, value]) => (isSetting(name) ? [[name, textOf(value) ?? '']] : [])),
  );
}

function fromRow(row: Selectable<CronJobTable> & { is_running: boolean }): CronJob {
  return {
    name: row.name,
    schedule: row.schedule,
    timeZone: row.time_zone,
    settingNames: row.setting_names,
    limitSeconds: row.limit_seconds,
    nextRunAt: row.next_run_at,
    isRunning: row.is_running,
    behindSince: row.behind_since ?? undefined,
  };
}
