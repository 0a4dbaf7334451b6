import type { Management } from '../management/call.ts';
import { tenantErrors } from './tenant.ts';
import { settingsToWire } from './tenant-settings.ts';
import { changeSettings } from './tenant-settings-change.ts';
import type { TenantStore } from './tenant-store.ts';

/** /tenants/settings of the Management API. */
export function tenantSettingsRoutes<Stores extends { readonly tenants: TenantStore }>(
  management: Management<Stores>,
): void {
  // Read from the database: what another process has changed a moment ago is seen.
  management.route('GET /tenants/settings', async (call) => {
    const tenant = await call.stores.tenants.find(call.tenant.tenantId);
    if (!tenant) throw tenantErrors.unknownHost();
    return settingsToWire(tenant);
  });

  management.route('PATCH /tenants/settings', async (call) => {
    const { tenantId, environment } = call.tenant;
    return call.commit(async ({ tenants }) => {
      const current = await tenants.lockSettings(tenantId);
      const settings = changeSettings(current, call.body, { isProduction: environment === 'production' });
      await tenants.updateSettings(tenantId, settings);
      return settingsToWire({ tenantId, settings });
    });
  });
}
