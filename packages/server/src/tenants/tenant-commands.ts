import type { App } from '../app.ts';
import type { ControlVerbs } from '../control/control-server.ts';
import { toFirstRun } from './first-run.ts';
import { type Environment, tenantErrors } from './tenant.ts';

const ENVIRONMENTS: ReadonlySet<string> = new Set<Environment>(['development', 'staging', 'production']);

/** `gatewright tenant …`, as the running server carries it out. */
export function tenantCommands(
  app: Pick<App, 'tenants' | 'directory' | 'stores' | 'forget'>,
  caFile: string | null,
): ControlVerbs {
  return {
    async 'tenant-create'({ name, environment = 'production' }) {
      const secrets = await app.tenants.create({
        name: String(name),
        environment: environmentOf(environment),
        isDefault: false,
      });
      const tenant = await app.stores.tenants.find(secrets.tenant);
      if (!tenant) throw tenantErrors.unknownTenant({ name: secrets.tenant });
      return toFirstRun(secrets, tenant, app.directory, caFile);
    },

    async 'tenant-set-environment'({ name, environment }) {
      const tenantId = String(name);
      if (!(await app.stores.tenants.setEnvironment(tenantId, environmentOf(environment))))
        throw tenantErrors.unknownTenant({ name: tenantId });
      app.forget(tenantId);
      return { tenant: tenantId, environment };
    },
  };
}

function environmentOf(value: unknown): Environment {
  if (typeof value === 'string' && isEnvironment(value)) return value;
  throw tenantErrors.unknownEnvironment({ environment: String(value) });
}

function isEnvironment(value: string): value is Environment {
  return ENVIRONMENTS.has(value);
}
