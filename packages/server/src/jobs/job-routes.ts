import type { Management } from '../management/call.ts';
import { jobErrors, toWire } from './job.ts';
import type { JobStore } from './job-store.ts';

/** GET /jobs/{id}: what became of a job. Those who make jobs have routes of their own. */
export function jobRoutes<Stores extends { readonly jobs: Pick<JobStore, 'find'> }>(
  management: Management<Stores>,
): void {
  management.route('GET /jobs/{id}', async (call) => {
    const job = await call.stores.jobs.find(call.tenant.tenantId, call.params.id ?? '');
    if (!job) throw jobErrors.notFound();
    return toWire(job);
  });
}
