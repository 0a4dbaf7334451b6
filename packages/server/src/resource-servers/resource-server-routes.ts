import { type Json, objectsOf, textOf, textsOf } from '../kit/json-values.ts';
import type { Management, ManagementCall } from '../management/call.ts';
import type { Tenant } from '../tenants/tenant.ts';
import {
  createResourceServer,
  deleteResourceServer,
  type ResourceServerStores,
  updateResourceServer,
} from './manage-resource-servers.ts';
import { MANAGEMENT_IDENTIFIER, type ResourceServer, resourceServerErrors } from './resource-server.ts';
import { compileResourceServerSearch } from './resource-server-search.ts';
import { readCursor, writeCursor } from './search-cursor.ts';

export interface ResourceServerRouteParts {
  readonly managementAudience: (origin: string) => string;
  readonly isManagementAudience: (tenant: Tenant, audience: string) => boolean;
}

type Call = ManagementCall<ResourceServerStores>;

/** /resource-servers of the Management API; `{id}` is an id or an identifier. */
export function resourceServerRoutes<Stores extends ResourceServerStores>(
  management: Management<Stores>,
  parts: ResourceServerRouteParts,
): void {
  const nameOf = (call: Call) => storedIdentifier(call.tenant, call.params.id ?? '', parts);
  const answer = (call: Call, api: ResourceServer) => toWire(api, parts.managementAudience(call.origin));

  management.route('GET /resource-servers', async (call) => {
    const asked = call.query.identifiers;
    const identifiers = typeof asked === 'string' ? [asked] : asked === undefined ? undefined : textsOf(asked);
    const filter = { identifiers: identifiers?.map((name) => storedIdentifier(call.tenant, name, parts)) };
    const { resourceServers } = call.stores;
    return call.list('resource_servers', {
      page: (offset, limit) => resourceServers.page(call.tenant.tenantId, filter, offset, limit),
      count: () => resourceServers.count(call.tenant.tenantId, filter),
      toWire: (api) => seen(call, answer(call, api)),
    });
  });

  management.route('GET /resource-servers/search', async (call) => {
    const { tenant, query, origin } = call;
    const sort = textOf(query.sort) ?? '';
    const identifier = parts.managementAudience(origin);
    const search = compileResourceServerSearch(
      { q: textOf(query.q) ?? '', parser: query.parser === 'scim' ? 'scim' : 'lucene', sort },
      { identifier, isManagementAudience: (audience) => parts.isManagementAudience(tenant, audience) },
    );
    return call.list('resource_servers', {
      page: async () => [],
      count: async () => 0,
      after: (cursor, limit) =>
        call.stores.resourceServers.search(tenant.tenantId, search, readCursor(sort, cursor), limit),
      cursorOf: (found) => writeCursor(sort, found),
      toWire: ({ api }) => toWire(api, identifier),
    });
  });

  management.route('POST /resource-servers', async (call) =>
    call.commit(async (stores) => {
      const isReserved = (identifier: string) => parts.isManagementAudience(call.tenant, identifier);
      return answer(call, await createResourceServer(stores, call.tenant.tenantId, call.body, isReserved));
    }),
  );

  management.route('GET /resource-servers/{id}', async (call) => {
    const api = await call.stores.resourceServers.find(call.tenant.tenantId, nameOf(call));
    if (!api) throw resourceServerErrors.notFound();
    return seen(call, answer(call, api));
  });

  management.route('PATCH /resource-servers/{id}', async (call) =>
    call.commit(async (stores) =>
      answer(call, await updateResourceServer(stores, call.tenant.tenantId, nameOf(call), call.body)),
    ),
  );

  management.route('DELETE /resource-servers/{id}', async (call) =>
    call.commit((stores) => deleteResourceServer(stores, call.tenant.tenantId, nameOf(call))),
  );
}

/** An audience of the tenant's own origins is the system API; the name under which that is stored is known to nobody. */
function storedIdentifier(tenant: Tenant, name: string, parts: ResourceServerRouteParts): string {
  if (parts.isManagementAudience(tenant, name)) return MANAGEMENT_IDENTIFIER;
  return name === MANAGEMENT_IDENTIFIER ? '' : name;
}

function toWire(api: ResourceServer, managementAudience: string): Json {
  return {
    id: api.id,
    name: api.name,
    identifier: api.isSystem ? managementAudience : api.identifier,
    ...api.body,
    scopes: objectsOf(api.scopes),
    ...(api.isSystem ? { is_system: true } : {}),
    ...(api.signingSecret === undefined ? {} : { signing_secret: api.signingSecret }),
  };
}

function seen(call: Call, wire: Json): Json {
  if (wire.signing_secret !== undefined) call.accessedSecrets(['signing_secret']);
  return wire;
}
