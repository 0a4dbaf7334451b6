import type { App } from '../app/app.ts';
import type { ControlVerbs } from '../control/control-server.ts';
import { DeclaredError } from '../kit/errors.ts';
import { type FirstRunSecrets, toFirstRun } from './first-run.ts';
import { type Environment, tenantErrors } from './tenant.ts';

const ENVIRONMENTS: ReadonlySet<string> = new Set<Environment>(['development', 'staging', 'production']);

/** `gatewright tenant …` and `admin reset`, as the running server carries it out. */
export function tenantCommands(
  app: Pick<App, 'tenants' | 'directory' | 'stores' | 'forget' | 'resetAdmin'>,
  caFile: string | null,
): ControlVerbs {
  /** The first one becomes the default tenant: else nobody would answer at GATEWRIGHT_ORIGIN, or at localhost. */
  async function createTenant(name: string, environment: Environment): Promise<FirstRunSecrets> {
    const { tenants } = app.stores;
    const isDefault = (await tenants.directory()).defaultTenantId === undefined;
    try {
      return await app.tenants.create({ name, environment, isDefault });
    } catch (error) {
      // The place of the default tenant may have been taken in the meantime, while the name is free.
      const isFree = error instanceof DeclaredError && error.code === 'tenant_exists' && !(await tenants.find(name));
      if (!isDefault || !isFree) throw error;
      return app.tenants.create({ name, environment, isDefault: false });
    }
  }

  async function defaultTenant(): Promise<string> {
    const { defaultTenantId } = await app.stores.tenants.directory();
    if (defaultTenantId === undefined) throw tenantErrors.noDefault();
    return defaultTenantId;
  }

  return {
    async 'tenant-create'({ name, environment = 'production' }) {
      const secrets = await createTenant(String(name), environmentOf(environment));
      const tenant = await app.stores.tenants.find(secrets.tenant);
      if (!tenant) throw tenantErrors.unknownTenant({ name: secrets.tenant });
      return { ...toFirstRun(secrets, tenant, app.directory, caFile), is_default: tenant.isDefault };
    },

    async 'tenant-set-environment'({ name, environment }) {
      const tenantId = String(name);
      if (!(await app.stores.tenants.setEnvironment(tenantId, environmentOf(environment))))
        throw tenantErrors.unknownTenant({ name: tenantId });
      app.forget(tenantId);
      return { tenant: tenantId, environment };
    },

    async 'admin-reset'({ tenant, email }) {
      const tenantId = tenant === undefined ? await defaultTenant() : String(tenant);
      if (!(await app.stores.tenants.find(tenantId))) throw tenantErrors.unknownTenant({ name: tenantId });
      return app.resetAdmin(tenantId, email === undefined ? undefined : String(email));
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
