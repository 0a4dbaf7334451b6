import { createClientGrantDirectory } from '../client-grants/client-grant-directory.ts';
import { createClientDirectory } from '../clients/client-directory.ts';
import { createConnectionDirectory } from '../connections/connection-directory.ts';
import type { Containers, Tunnel } from '../containers/job.ts';
import { createChangeElsewhere } from '../custom-databases/change-elsewhere.ts';
import { createCustomLogins } from '../custom-databases/custom-logins.ts';
import { createPersonFinder } from '../custom-databases/find-person.ts';
import { createUserPreparation } from '../custom-databases/prepare-user.ts';
import { createRefusalPace } from '../custom-databases/refusal-pace.ts';
import { createRemoteDirectory } from '../custom-databases/remote-directory.ts';
import { createRunScript } from '../custom-databases/run-script.ts';
import type { Transact } from '../db/transact.ts';
import type { RecordEvent } from '../logs/event.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import { createResourceServerDirectory } from '../resource-servers/resource-server-directory.ts';
import type { Stores } from '../stores.ts';
import type { TenantCache } from '../tenants/tenant-cache.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';
import type { RevokeAccess } from '../users/change-user.ts';
import { createNewPasswords } from '../users/new-password.ts';
import { createPasswordAuthentication } from '../users/password-authentication.ts';

interface Parts {
  readonly cache: TenantCache;
  readonly stores: Stores;
  readonly directory: TenantDirectory;
  readonly hasher: PasswordHasher;
  readonly transact: Transact<Stores>;
  readonly recordAlone: RecordEvent;
  readonly containers: Containers;
  readonly revokeAccess: RevokeAccess<Stores>;
  readonly tunnelTo: (tenantId: string, origins: readonly [string, ...string[]]) => Tunnel;
}

/** Configuration from memory, and who somebody is: what the login pages, the grants and the Management API share. */
export function createAuthentication(parts: Parts) {
  const { cache, stores, directory, hasher, transact, recordAlone, containers, tunnelTo, revokeAccess } = parts;
  const { isManagementAudience } = directory;
  const authenticate = createPasswordAuthentication({ users: stores.users, passwords: stores.passwords, hasher });
  const runScript = createRunScript({
    containers,
    configurationOf: (tenantId, connectionId) =>
      cache.get(tenantId, `script configuration of ${connectionId}`, () =>
        stores.connections.configuration(tenantId, connectionId),
      ),
    tunnelOf: (tenant) => tunnelTo(tenant.tenantId, [directory.canonicalOrigin(tenant)]),
    recordAlone,
  });
  const connections = createConnectionDirectory({ cache, connections: stores.connections });
  const pace = createRefusalPace();
  const remoteDirectory = createRemoteDirectory({ runScript });
  const hashNewPassword = createNewPasswords({ passwords: stores.passwords, hasher });
  return {
    clients: createClientDirectory({ cache, clients: stores.clients }),
    resourceServers: createResourceServerDirectory({
      cache,
      resourceServers: stores.resourceServers,
      isManagementAudience,
    }),
    clientGrants: createClientGrantDirectory({ cache, clientGrants: stores.clientGrants }),
    connections,
    remoteDirectory,
    prepareUser: createUserPreparation({ hashNewPassword, directory: remoteDirectory }),
    changeElsewhere: createChangeElsewhere({
      directory: remoteDirectory,
      findConnection: connections.findConnection,
      users: stores.users,
      transact,
      revokeAccess,
    }),
    findPerson: createPersonFinder({ users: stores.users, directory: remoteDirectory, transact, pace }),
    authenticate: createCustomLogins({
      authenticate,
      runScript,
      transact,
      hasher,
      passwords: stores.passwords,
      pace,
    }),
    hashNewPassword,
  };
}

export type Authentication = ReturnType<typeof createAuthentication>;
