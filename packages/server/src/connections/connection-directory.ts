import type { TenantCache } from '../tenants/tenant-cache.ts';
import type { Connection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';

/** Connections as the protocol looks them up: through the tenant's cache, so that a login costs no query for them. */
export type ConnectionDirectory = ReturnType<typeof createConnectionDirectory>;

interface Needs {
  readonly cache: Pick<TenantCache, 'get'>;
  readonly connections: Pick<ConnectionStore, 'find' | 'findByName' | 'findByRealm' | 'ofClient' | 'ofDomain'>;
}

/** Longer names exist nowhere: they are answered without a query, and take no place in the cache. */
const LONGEST_NAME = 128;

export function createConnectionDirectory({ cache, connections }: Needs) {
  function lookUp(find: 'find' | 'findByName' | 'findByRealm') {
    return async (tenantId: string, key: string): Promise<Connection | undefined> => {
      if (key.length > LONGEST_NAME || !/^[\x21-\x7e]+$/.test(key)) return undefined;
      return cache.get(tenantId, `connection ${find} ${key}`, () => connections[find](tenantId, key));
    };
  }

  return {
    findConnection: lookUp('find'),
    findConnectionByName: lookUp('findByName'),
    /** `realm` of the password-realm grant. */
    findConnectionByRealm: lookUp('findByRealm'),

    /** The connections enabled for a client; strangers' applications have those of the whole domain, too. */
    async connectionsOfClient(
      tenantId: string,
      client: { readonly clientId: string; readonly isFirstParty: boolean },
    ): Promise<readonly Connection[]> {
      const { clientId, isFirstParty } = client;
      const own = await cache.get(tenantId, `connections of ${clientId}`, () =>
        connections.ofClient(tenantId, clientId),
      );
      if (isFirstParty) return own;
      const shared = await cache.get(tenantId, 'connections of the domain', () => connections.ofDomain(tenantId));
      return [...own, ...shared.filter((connection) => !connection.enabledClients.includes(clientId))];
    },
  };
}
