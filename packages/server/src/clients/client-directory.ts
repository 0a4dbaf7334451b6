import type { TenantCache } from '../tenants/tenant-cache.ts';
import type { Client } from './client.ts';
import type { ClientStore } from './client-store.ts';

export interface ClientDirectory {
  /** The client, from memory; undefined where there is none. Changes empty the cache within a second everywhere. */
  find(tenantId: string, clientId: string): Promise<Client | undefined>;
}

/** Longer ids than any client has would only fill the cache. */
const LONGEST_ID = 255;

export function createClientDirectory(parts: { cache: TenantCache; clients: ClientStore }): ClientDirectory {
  const { cache, clients } = parts;
  return {
    async find(tenantId, clientId) {
      if (clientId.length > LONGEST_ID || clientId.includes('\0')) return undefined;
      return cache.get(tenantId, `client:${clientId}`, () => clients.find(tenantId, clientId));
    },
  };
}
