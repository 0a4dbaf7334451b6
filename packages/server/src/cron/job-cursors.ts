import { decodeLogId } from '../logs/log-id.ts';
import type { CursorsOfReaders, ReaderCursor } from '../logs/retention/cursors-of-readers.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';
import type { CronJobStore } from './cron-job-store.ts';

interface Parts {
  readonly cronJobs: Pick<CronJobStore, 'positions'>;
  readonly directory: Pick<TenantDirectory, 'find' | 'ownsOrigin'>;
}

/** What a scheduled export has not read stays longer, too; where it reads the log of another server, that is theirs to keep. */
export function createJobCursors({ cronJobs, directory }: Parts): CursorsOfReaders {
  async function cursorOf({ tenantId, origin, checkpoint }: JobPosition): Promise<ReaderCursor[]> {
    const tenant = await directory.find(tenantId);
    if (!tenant || !directory.ownsOrigin(tenant, origin)) return [];
    if (checkpoint === undefined) return [{ tenantId, position: undefined }];
    const position = decodeLogId(checkpoint);
    return position ? [{ tenantId, position }] : [];
  }

  return async () => (await Promise.all((await cronJobs.positions()).map(cursorOf))).flat();
}

type JobPosition = Awaited<ReturnType<CronJobStore['positions']>>[number];
