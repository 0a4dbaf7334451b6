import type { App } from '../app/app.ts';
import { DeclaredError } from '../kit/errors.ts';
import type { Log } from '../kit/log.ts';
import { type FirstRun, readFirstRun, toFirstRun, writeFirstRun } from './first-run.ts';

const FIRST_TENANT = 'dev';

/** Makes the tenant `dev` where there is none at all. Of two servers that start at once, one makes it. */
export async function runFirst(app: App, dataDir: string, log: Log): Promise<void> {
  const { tenantIds } = await app.stores.tenants.directory();
  if (tenantIds.size > 0) return;
  try {
    await app.tenants.create({ name: FIRST_TENANT, environment: 'development', isDefault: true }, async (secrets) => {
      // Ports are not known yet: refreshFirstRun fills in what depends on them.
      await writeFirstRun(dataDir, {
        ...secrets,
        origin: '',
        http_origin: '',
        ca_file: null,
        management: { ...secrets.management, audience: '' },
      });
    });
    log.info(`Made the tenant '${FIRST_TENANT}' with an administrator, a user, three clients and an API.`);
  } catch (error) {
    if (!(error instanceof DeclaredError) || error.code !== 'tenant_exists') throw error;
  }
}

/** Origins, the audience and the certificate follow the ports of this start; secrets are never written again. */
export async function refreshFirstRun(app: App, dataDir: string, caFile: string | null): Promise<FirstRun | undefined> {
  const known = await readFirstRun(dataDir);
  const tenant = known && (await app.stores.tenants.find(known.tenant));
  if (!known || !tenant) return undefined;
  const refreshed = toFirstRun(known, tenant, app.directory, caFile);
  await writeFirstRun(dataDir, refreshed);
  return refreshed;
}
