import type { Connection } from '../connections/connection.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import type { Json } from '../kit/json-values.ts';
import type { ListSource, ManagementCall } from '../management/call.ts';
import { clientErrors } from './client-errors.ts';

/** The connections that a client may use: few, so that they are read at once and cut into pages here. */
export async function connectionsOfClient(
  call: ManagementCall<unknown>,
  connections: Pick<ConnectionStore, 'ofClient'>,
  clientId: string,
): Promise<ListSource<Connection>> {
  const { strategy } = call.query;
  const strategies = typeof strategy === 'string' ? [strategy] : Array.isArray(strategy) ? strategy : undefined;
  const all = (await connections.ofClient(call.tenant.tenantId, clientId)).filter(
    (connection) => !connection.isSystem && (strategies === undefined || strategies.includes(connection.strategy)),
  );
  const showsOptions = call.actor.scopes.has('read:connections');
  return {
    page: async (offset, limit) => all.slice(offset, offset + limit),
    count: async () => all.length,
    async after(cursor, limit) {
      if (cursor === undefined) return all.slice(0, limit);
      const index = all.findIndex(({ id }) => id === cursor);
      if (index < 0) throw clientErrors.invalidCursor();
      return all.slice(index + 1, index + 1 + limit);
    },
    cursorOf: ({ id }) => id,
    toWire: (connection) => toWire(connection, showsOptions),
  };
}

/** Options hold secrets of identity providers: who may read clients only doesn't see them. */
function toWire(connection: Connection, showsOptions: boolean): Json {
  return {
    id: connection.id,
    ...(showsOptions ? { options: connection.options } : {}),
    strategy: connection.strategy,
    name: connection.name,
    is_domain_connection: connection.isDomainConnection,
    ...(connection.showAsButton === undefined ? {} : { show_as_button: connection.showAsButton }),
    ...(connection.displayName === undefined ? {} : { display_name: connection.displayName }),
    realms: connection.realms,
  };
}
