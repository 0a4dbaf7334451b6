import type { Tenant } from '../tenants/tenant.ts';
import type { TenantCache } from '../tenants/tenant-cache.ts';
import { MANAGEMENT_IDENTIFIER, type ResourceServer } from './resource-server.ts';
import type { ResourceServerStore } from './resource-server-store.ts';

export interface ResourceServerDirectory {
  /** The API of an audience, from memory. Each of the tenant's own `<origin>/api/v2/` is the Management API. */
  find(tenant: Tenant, audience: string): Promise<ResourceServer | undefined>;
}

interface Parts {
  readonly cache: TenantCache;
  readonly resourceServers: ResourceServerStore;
  readonly isManagementAudience: (tenant: Tenant, audience: string) => boolean;
}

const LONGEST_IDENTIFIER = 600;

export function createResourceServerDirectory(parts: Parts): ResourceServerDirectory {
  const { cache, resourceServers, isManagementAudience } = parts;
  return {
    async find(tenant, audience) {
      // The stored name of the system API is no audience; only its origins are.
      if (audience.length > LONGEST_IDENTIFIER || audience.includes('\0') || audience === MANAGEMENT_IDENTIFIER) {
        return undefined;
      }
      const identifier = isManagementAudience(tenant, audience) ? MANAGEMENT_IDENTIFIER : audience;
      return cache.get(tenant.tenantId, `resource-server:${identifier}`, () =>
        resourceServers.findByIdentifier(tenant.tenantId, identifier),
      );
    },
  };
}
