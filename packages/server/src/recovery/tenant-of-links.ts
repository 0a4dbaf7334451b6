import type { ManagementCall } from '../management/call.ts';
import type { Tenant } from '../tenants/tenant.ts';

/**
 * The tenant with the origin that links of this request name: a custom domain of its own, where the header
 * `auth0-custom-domain` asks for it, else the canonical one. Any other domain, pending or another tenant's, is as good as none.
 */
export function tenantOfLinks({
  tenant,
  customDomain,
}: Pick<ManagementCall<never>, 'tenant' | 'customDomain'>): Tenant {
  const origin = `https://${customDomain?.toLowerCase()}`;
  return tenant.origins.includes(origin) ? { ...tenant, canonicalOrigin: origin } : tenant;
}
