import { createClientGrantDirectory } from './client-grants/client-grant-directory.ts';
import { createClientDirectory } from './clients/client-directory.ts';
import { createConnectionDirectory } from './connections/connection-directory.ts';
import type { PasswordHasher } from './passwords/password-hasher.ts';
import { createResourceServerDirectory } from './resource-servers/resource-server-directory.ts';
import type { Stores } from './stores.ts';
import type { TenantCache } from './tenants/tenant-cache.ts';
import type { TenantDirectory } from './tenants/tenant-directory.ts';
import { createNewPasswords } from './users/new-password.ts';
import { createPasswordAuthentication } from './users/password-authentication.ts';

interface Parts {
  readonly cache: TenantCache;
  readonly stores: Stores;
  readonly directory: TenantDirectory;
  readonly hasher: PasswordHasher;
}

/** Configuration from memory, and who somebody is: what the login pages, the grants and the Management API share. */
export function createAuthentication({ cache, stores, directory, hasher }: Parts) {
  const { isManagementAudience } = directory;
  return {
    clients: createClientDirectory({ cache, clients: stores.clients }),
    resourceServers: createResourceServerDirectory({
      cache,
      resourceServers: stores.resourceServers,
      isManagementAudience,
    }),
    clientGrants: createClientGrantDirectory({ cache, clientGrants: stores.clientGrants }),
    connections: createConnectionDirectory({ cache, connections: stores.connections }),
    authenticate: createPasswordAuthentication({ users: stores.users, passwords: stores.passwords, hasher }),
    hashNewPassword: createNewPasswords({ passwords: stores.passwords, hasher }),
  };
}

export type Authentication = ReturnType<typeof createAuthentication>;
