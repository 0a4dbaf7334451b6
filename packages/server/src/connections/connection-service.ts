import { prefixedId } from '../kit/ids.ts';
import type { PasswordStore } from '../users/password-store.ts';
import { ADMIN_CONNECTION, type Connection, type ConnectionOptions, connectionErrors } from './connection.ts';
import type { ConnectionClientStore } from './connection-client-store.ts';
import { checkOptions, optionsOfNewDirectory } from './connection-options.ts';
import type { ConnectionStore } from './connection-store.ts';
import type { ConnectionChange } from './connection-wire.ts';
import { hasScriptContext, type Keeping, keepingOf } from './custom-database.ts';
import { splitConfiguration } from './script-configuration.ts';

export interface ConnectionStores {
  readonly connections: ConnectionStore;
  readonly connectionClients: ConnectionClientStore;
}

export type NewConnection = ConnectionChange & {
  readonly name: string;
  readonly strategy: string;
  readonly isSystem?: boolean;
  readonly enabledClients?: readonly string[];
};

/** Makes a directory. The first run calls it as well, for the reserved one with `isSystem`. `stores` is one transaction. */
export async function createConnection(
  stores: ConnectionStores,
  tenantId: string,
  given: NewConnection,
): Promise<Connection> {
  const { name, strategy, isSystem = false, enabledClients = [] } = given;
  if (strategy !== 'auth0') throw connectionErrors.strategyNotSupported({ strategy });
  if (name.toLowerCase() === ADMIN_CONNECTION && !isSystem) throw connectionErrors.reservedName({ name });
  const { options, configuration } = splitConfiguration(given.options ?? {}, {});
  const connection: Connection = {
    id: prefixedId('con'),
    name,
    strategy,
    isSystem,
    displayName: given.displayName,
    options: optionsOfNewDirectory(options),
    realms: given.realms ?? [name],
    isDomainConnection: given.isDomainConnection ?? false,
    showAsButton: given.showAsButton,
    metadata: given.metadata,
    enabledClients: [...new Set(enabledClients)].sort(),
    otherFields: given.otherFields ?? {},
  };
  await stores.connections.insert(tenantId, connection);
  await stores.connections.setConfiguration(tenantId, connection.id, configuration);
  await refuseTakenRealms(stores, tenantId, connection);
  await stores.connectionClients.enable(tenantId, connection.id, connection.enabledClients);
  return connection;
}

export async function changeConnection(
  stores: ConnectionStores & { readonly passwords: Pick<PasswordStore, 'forgetOfConnection'> },
  tenantId: string,
  id: string,
  change: ConnectionChange,
  enabledClients: readonly string[] | undefined,
): Promise<Connection> {
  const before = ordinary(await stores.connections.lock(tenantId, id));
  const split =
    change.options && splitConfiguration(change.options, await stores.connections.configuration(tenantId, id));
  const after: Connection = {
    ...before,
    ...change,
    options: split ? checkOptions(keepingContext(before, split.options)) : before.options,
    otherFields: { ...before.otherFields, ...change.otherFields },
    enabledClients: enabledClients ?? before.enabledClients,
  };
  if (change.realms) await refuseTakenRealms(stores, tenantId, after);
  await stores.connections.update(tenantId, after);
  if (split) await stores.connections.setConfiguration(tenantId, id, split.configuration);
  if (enabledClients) await stores.connectionClients.replace(tenantId, id, enabledClients);
  if (keepingOf(before) !== keepingOf(after)) await forgetOldPasswords(stores, tenantId, id, keepingOf(before));
  return after;
}

/**
 * Passwords of here are from before the directory became a custom database: since then its users may have got others there.
 * Where no script ever let anybody in, it was switched by mistake, and all is as it was.
 */
async function forgetOldPasswords(
  stores: Pick<ConnectionStores, 'connections'> & { readonly passwords: Pick<PasswordStore, 'forgetOfConnection'> },
  tenantId: string,
  id: string,
  before: Keeping,
): Promise<void> {
  const wasUsed = await stores.connections.unmarkUsedElsewhere(tenantId, id);
  if (wasUsed && before === 'remote') await stores.passwords.forgetOfConnection(tenantId, id);
}

/** Once scripts are given a context they always are: with Auth0 there is no way back. */
function keepingContext(before: Connection, options: ConnectionOptions): ConnectionOptions {
  return hasScriptContext(before) ? { ...options, enable_script_context: true } : options;
}

/** Turns single clients on or off; all or none of the list. */
export async function switchClients(
  stores: ConnectionStores,
  tenantId: string,
  id: string,
  switches: readonly { readonly clientId: string; readonly enabled: boolean }[],
): Promise<void> {
  ordinary(await stores.connections.find(tenantId, id));
  const wanted = new Map(switches.map(({ clientId, enabled }) => [clientId, enabled]));
  const named = (enabled: boolean) => [...wanted].filter(([, on]) => on === enabled).map(([clientId]) => clientId);
  await stores.connectionClients.disable(tenantId, id, named(false));
  await stores.connectionClients.enable(tenantId, id, named(true));
}

/** The connection, unless it is the reserved one, which the Management API does not know. */
export function ordinary(connection: Connection | undefined): Connection {
  if (!connection || connection.isSystem) throw connectionErrors.notFound();
  return connection;
}

async function refuseTakenRealms(
  stores: ConnectionStores,
  tenantId: string,
  { id, realms }: Connection,
): Promise<void> {
  if (await stores.connections.hasRealm(tenantId, realms, id)) throw connectionErrors.realmTaken();
}
