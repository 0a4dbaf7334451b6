import type { ConnectionStore } from '../connections/connection-store.ts';
import type { Json } from '../kit/json-values.ts';
import type { Management, ManagementCall } from '../management/call.ts';
import type { Client } from './client.ts';
import { connectionsOfClient } from './client-connections.ts';
import { clientCredentialRoutes } from './client-credential-routes.ts';
import { clientErrors } from './client-errors.ts';
import { filterOf } from './client-filter.ts';
import type { ListedClient } from './client-store.ts';
import { type SigningCertificate, toWire } from './client-wire.ts';
import { type ClientStores, createClient } from './create-client.ts';
import { deleteClient, rotateSecret, updateClient } from './update-client.ts';

export interface ClientRouteStores extends ClientStores {
  readonly connections: ConnectionStore;
}

export interface ClientRouteParts {
  /** The tenant's public signing certificates. */
  readonly signingCertificates: (tenantId: string) => Promise<readonly SigningCertificate[]>;
  readonly now: () => Date;
}

type Call = ManagementCall<ClientRouteStores>;

/** /clients of the Management API. */
export function clientRoutes<Stores extends ClientRouteStores>(
  management: Management<Stores>,
  parts: ClientRouteParts,
): void {
  /** `also` are scopes that an answer counts as held: whoever makes a secret must learn it. */
  async function viewer(call: Call, also: readonly string[] = []) {
    const scopes = new Set([...call.actor.scopes, ...also]);
    const signingCertificates = scopes.has('read:client_keys')
      ? await parts.signingCertificates(call.tenant.tenantId)
      : [];
    return (client: Client) => toWire(client, { tenantId: call.tenant.tenantId, scopes, signingCertificates });
  }

  management.route('GET /clients', async (call) => {
    const filter = filterOf(call.query);
    const view = await viewer(call);
    const { clients } = call.stores;
    return call.list<ListedClient>('clients', {
      page: (offset, limit) => clients.page(call.tenant.tenantId, filter, offset, limit),
      count: () => clients.count(call.tenant.tenantId, filter),
      after: (position, limit) => clients.after(call.tenant.tenantId, filter, position, limit),
      cursorOf: ({ position }) => position,
      toWire: ({ client }) => tellSecrets(call, view(client)),
    });
  });

  management.route('POST /clients', async (call) => {
    const view = await viewer(call, ['read:clients', 'read:client_keys']);
    return call.commit(async (stores) =>
      view(await createClient(stores, call.tenant, call.body, { now: parts.now() })),
    );
  });

  management.route('GET /clients/{id}', async (call) => {
    const client = await call.stores.clients.find(call.tenant.tenantId, idOf(call));
    if (!client || client.isSystem) throw clientErrors.notFound();
    return tellSecrets(call, (await viewer(call))(client));
  });

  management.route('PATCH /clients/{id}', async (call) => {
    checkPatchScopes(call);
    const view = await viewer(call, ['read:clients']);
    return call.commit(async (stores) => view(await updateClient(stores, call.tenant, idOf(call), call.body)));
  });

  management.route('DELETE /clients/{id}', async (call) =>
    call.commit((stores) => deleteClient(stores, call.tenant.tenantId, idOf(call))),
  );

  management.route('POST /clients/{id}/rotate-secret', async (call) => {
    const view = await viewer(call, ['read:clients', 'read:client_keys']);
    return call.commit(async (stores) => view(await rotateSecret(stores, call.tenant.tenantId, idOf(call))));
  });

  management.route('GET /clients/{id}/connections', async (call) => {
    const client = await call.stores.clients.find(call.tenant.tenantId, idOf(call));
    if (!client || client.isSystem) throw clientErrors.notFound();
    const { connections } = call.stores;
    return call.list('connections', await connectionsOfClient(call, connections, client.clientId));
  });

  clientCredentialRoutes(management, parts);
}

const idOf = (call: Call) => call.params.id ?? '';

function tellSecrets(call: Call, wire: Json): Json {
  const { fields, include_fields } = call.query;
  const named =
    typeof fields === 'string' && fields !== '' ? fields.split(',').map((field) => field.trim()) : undefined;
  const isAsked = named === undefined || named.includes('client_secret') === (include_fields !== false);
  if (isAsked && wire.client_secret !== undefined) call.accessedSecrets(['client_secret']);
  return wire;
}

const SPECIAL_SCOPES: Readonly<Record<string, readonly string[]>> = {
  client_secret: ['update:client_keys'],
  client_authentication_methods: ['update:clients', 'update:client_credentials'],
  signed_request_object: ['update:clients', 'update:client_credentials'],
  token_vault_privileged_access: ['update:clients', 'update:client_token_vault_privileged_access'],
};

/** Each of the operation's scopes opens it, but only for the fields that are its own. */
function checkPatchScopes(call: Call): void {
  for (const field of Object.keys(call.body)) {
    const scopes = SPECIAL_SCOPES[field] ?? ['update:clients'];
    if (!scopes.some((scope) => call.actor.scopes.has(scope))) {
      throw clientErrors.insufficientScope({ scopes: scopes.join(',') });
    }
  }
}
