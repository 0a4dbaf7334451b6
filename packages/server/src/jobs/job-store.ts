import type { Database } from '../db/database.ts';
import type { Job } from './job.ts';

declare module '../db/database.ts' {
  interface Tables {
    jobs: JobTable;
  }
}

interface JobTable {
  tenant_id: string;
  job_id: string;
  type: Job['type'];
  status: Job['status'];
  created_at: Date;
  expires_at: Date;
}

export type JobStore = ReturnType<typeof createJobStore>;

/** Auth0 forgets a job after a day, too. */
const KEPT_MILLISECONDS = 86_400_000;

export function createJobStore(db: Database) {
  return {
    async insert(tenantId: string, { jobId, type, status, createdAt }: Job): Promise<void> {
      const expiresAt = new Date(createdAt.getTime() + KEPT_MILLISECONDS);
      await db
        .insertInto('jobs')
        .values({ tenant_id: tenantId, job_id: jobId, type, status, created_at: createdAt, expires_at: expiresAt })
        .execute();
    },

    async find(tenantId: string, jobId: string): Promise<Job | undefined> {
      const row = await db
        .selectFrom('jobs')
        .select(['job_id', 'type', 'status', 'created_at'])
        .where('tenant_id', '=', tenantId)
        .where('job_id', '=', jobId)
        .executeTakeFirst();
      return row && { jobId: row.job_id, type: row.type, status: row.status, createdAt: row.created_at };
    },
  };
}
