import type { Management } from '../management/call.ts';
import { changeBranding } from './branding.ts';
import type { BrandingStore } from './branding-store.ts';
import { templateRoutes } from './template-routes.ts';
import { themeRoutes } from './theme-routes.ts';

export interface BrandingStores {
  readonly branding: BrandingStore;
}

/** /branding of the Management API. */
export function brandingRoutes<Stores extends BrandingStores>(management: Management<Stores>): void {
  management.route(
    'GET /branding',
    async ({ stores, tenant }) => (await stores.branding.find(tenant.tenantId)).settings,
  );

  management.route('PATCH /branding', async ({ tenant: { tenantId }, body, commit }) =>
    commit(async ({ branding }) => {
      const settings = changeBranding((await branding.lock(tenantId)).settings, body);
      await branding.update(tenantId, { settings });
      return settings;
    }),
  );

  themeRoutes(management);
  templateRoutes(management);
}
