import type { TenantCache } from '../tenants/tenant-cache.ts';
import type { ClientGrant, SubjectType } from './client-grant.ts';
import type { ClientGrantStore } from './client-grant-store.ts';

export interface ClientGrantDirectory {
  /** The grant between a client and an API that exist, from memory. */
  find(
    tenantId: string,
    clientId: string,
    resourceServerId: string,
    subjectType?: SubjectType,
  ): Promise<ClientGrant | undefined>;
}

export function createClientGrantDirectory(parts: {
  cache: TenantCache;
  clientGrants: ClientGrantStore;
}): ClientGrantDirectory {
  const { cache, clientGrants } = parts;
  return {
    find: (tenantId, clientId, resourceServerId, subjectType = 'client') =>
      cache.get(tenantId, `client-grant:${subjectType}:${resourceServerId}:${clientId}`, () =>
        clientGrants.findFor(tenantId, clientId, resourceServerId, subjectType),
      ),
  };
}
