import type { ChangeElsewhere } from '../custom-databases/change-elsewhere.ts';
import type { Management, ManagementCall } from '../management/call.ts';
import type { TokenGrantStore } from '../oauth/tokens/token-grant-store.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { RevokeAccess } from '../users/change-user.ts';
import { normaliseEmail } from '../users/identifier.ts';
import type { PasswordStore } from '../users/password-store.ts';
import type { UserStore } from '../users/user-store.ts';
import { connectionErrors } from './connection.ts';
import {
  type ConnectionStores,
  changeConnection,
  createConnection,
  ordinary,
  switchClients,
} from './connection-service.ts';
import type { ConnectionFilter, ListedConnection } from './connection-store.ts';
import { enabledClientsOf, fromWire, toWire } from './connection-wire.ts';

export type ConnectionRouteStores = ConnectionStores & {
  readonly passwords: Pick<PasswordStore, 'forgetOfConnection'>;
  readonly users: UserStore;
  readonly sessions: Pick<SessionStore, 'end'>;
  readonly tokenGrants: Pick<TokenGrantStore, 'revokeOfConnection'>;
};

interface Needs<Stores> {
  readonly revokeAccess: RevokeAccess<Stores>;
  readonly changeElsewhere: ChangeElsewhere;
  readonly now: () => Date;
}

const MOST_SWITCHES = 50;
const NO_KEYS = { email: undefined, username: undefined, phone: undefined };

/** /connections of the Management API. */
export function connectionRoutes<Stores extends ConnectionRouteStores>(
  management: Management<Stores>,
  { revokeAccess, changeElsewhere, now }: Needs<Stores>,
): void {
  management.route('GET /connections', async (call) => {
    const filter = filterOf(call.query);
    const { connections } = call.stores;
    return call.list<ListedConnection>('connections', {
      page: (offset, limit) => connections.window(call.tenant.tenantId, filter, offset, limit),
      count: () => connections.count(call.tenant.tenantId, filter),
      after: (cursor, limit) => connections.after(call.tenant.tenantId, filter, cursor ?? '0', limit),
      cursorOf: ({ seq }) => seq,
      toWire,
    });
  });

  management.route('POST /connections', async (call) => {
    const { name, strategy } = call.body;
    const enabledClients = enabledClientsOf(call.body) ?? [];
    return call.commit(async (stores) =>
      toWire(
        await createConnection(stores, call.tenant.tenantId, {
          ...fromWire(call.body),
          name: String(name),
          strategy: String(strategy),
          enabledClients,
        }),
      ),
    );
  });

  management.route('GET /connections/{id}', async (call) =>
    toWire(ordinary(await call.stores.connections.find(call.tenant.tenantId, idOf(call)))),
  );

  management.route('PATCH /connections/{id}', async (call) =>
    call.commit(async (stores) =>
      toWire(
        await changeConnection(
          stores,
          call.tenant.tenantId,
          idOf(call),
          fromWire(call.body),
          enabledClientsOf(call.body),
        ),
      ),
    ),
  );

  management.route('DELETE /connections/{id}', async (call) =>
    call.commit(async (stores) => {
      // Auth0 deletes later and answers 202 all the same when there is nothing to delete.
      const { tenantId } = call.tenant;
      const connection = await stores.connections.lock(tenantId, idOf(call));
      if (connection && !connection.isSystem) {
        await stores.users.lockOfConnection(tenantId, connection.id);
        // Before the rows go: what is told to applications starts from them. Users who are linked to other connections stay.
        await stores.sessions.end(tenantId, { connectionId: connection.id }, 'account-deleted', now());
        await stores.tokenGrants.revokeOfConnection(tenantId, connection.id, now());
        await stores.connections.remove(tenantId, connection.id);
      }
      return { deleted_at: new Date().toISOString() };
    }),
  );

  management.route('GET /connections/{id}/clients', async (call) => {
    const id = idOf(call);
    ordinary(await call.stores.connections.find(call.tenant.tenantId, id));
    const { connectionClients } = call.stores;
    return call.list('clients', {
      page: async () => [],
      count: async () => 0,
      after: (cursor, limit) => connectionClients.after(call.tenant.tenantId, id, cursor ?? '0', limit),
      cursorOf: ({ seq }) => seq,
      toWire: ({ clientId }) => ({ client_id: clientId }),
    });
  });

  management.route('PATCH /connections/{id}/clients', async (call) => {
    const switches = call.bodyList.map(toSwitch);
    if (switches.length > MOST_SWITCHES) {
      throw connectionErrors.invalid({
        reason: `Payload validation error: 'Array is too long (${switches.length}), maximum ${MOST_SWITCHES}'.`,
      });
    }
    return call.commit((stores) => switchClients(stores, call.tenant.tenantId, idOf(call), switches));
  });

  management.route('DELETE /connections/{id}/users', async (call) => {
    const { tenantId } = call.tenant;
    const connection = ordinary(await call.stores.connections.find(tenantId, idOf(call)));
    const email = normaliseEmail(String(call.query.email ?? ''));
    const known = email && (await call.stores.users.findLogin(tenantId, connection.id, { ...NO_KEYS, email }));
    if (known) await changeElsewhere.remove(call.tenant, [known.identity]);
    return call.commit(async (stores) => {
      if (email === undefined) return;
      const found = await stores.users.findLogin(tenantId, connection.id, { ...NO_KEYS, email });
      if (found) {
        const { user, identity } = found;
        await stores.users.lock(tenantId, user.userId);
        const isWhole =
          user.identities[0]?.connectionId === connection.id && user.identities[0]?.userId === identity.userId;
        await revokeAccess(stores, tenantId, user.userId, isWhole ? 'account-deleted' : 'session-revoked');
      }
      await stores.users.removeByEmail(tenantId, connection.id, email);
    });
  });
}

function idOf(call: Pick<ManagementCall<never>, 'params'>): string {
  return call.params.id ?? '';
}

function filterOf({ name, strategy }: ManagementCall<never>['query']): ConnectionFilter {
  const strategies = typeof strategy === 'string' ? [strategy] : Array.isArray(strategy) ? strategy : [];
  return {
    ...(typeof name === 'string' ? { name } : {}),
    ...(strategies.length > 0 ? { strategies: strategies.map(String) } : {}),
  };
}

function toSwitch(item: unknown): { clientId: string; enabled: boolean } {
  const { client_id, status } = item as { client_id?: unknown; status?: unknown };
  if (typeof client_id !== 'string' || typeof status !== 'boolean') {
    throw connectionErrors.invalid({ reason: "Payload validation error: 'client_id and status are required'." });
  }
  return { clientId: client_id, enabled: status };
}
