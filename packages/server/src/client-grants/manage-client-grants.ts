import { clientErrors } from '../clients/client-errors.ts';
import type { ClientStore } from '../clients/client-store.ts';
import { prefixedId } from '../kit/ids.ts';
import { type Json, oneOf, textOf, textsOf, withoutNulls } from '../kit/json-values.ts';
import type { ResourceServer } from '../resource-servers/resource-server.ts';
import type { ResourceServerStore } from '../resource-servers/resource-server-store.ts';
import { type ClientGrant, clientGrantErrors } from './client-grant.ts';
import type { ClientGrantStore } from './client-grant-store.ts';

export interface ClientGrantStores {
  readonly clients: ClientStore;
  readonly resourceServers: ResourceServerStore;
  readonly clientGrants: ClientGrantStore;
}

const MOST_SCOPES = 1_000;

/** Creates a grant from a wire body; `storedAudience` is the API's identifier as it is stored. */
export async function createClientGrant(
  stores: ClientGrantStores,
  tenantId: string,
  given: Json,
  storedAudience: string,
): Promise<ClientGrant> {
  const { client_id, audience, subject_type, ...body } = withoutNulls(given);
  const shown = { clientId: textOf(client_id) ?? '', audience: textOf(audience) ?? '' };
  const subjectType = oneOf(['client', 'user'], subject_type ?? 'client');
  if (!subjectType) throw clientGrantErrors.notSupported({ what: 'A grant for anonymous users' });
  if (body.default_for !== undefined) throw clientGrantErrors.notSupported({ what: 'A default grant' });
  if (shown.clientId === '') throw clientGrantErrors.clientNeeded();
  const client = await stores.clients.find(tenantId, shown.clientId);
  if (!client || client.isGlobal || client.isSystem) throw clientErrors.notFound();
  const api = await stores.resourceServers.findByIdentifier(tenantId, storedAudience);
  if (!api) throw clientGrantErrors.unknownAudience(shown);
  const id = prefixedId('cgr');
  const outcome = await stores.clientGrants.insert(tenantId, {
    id,
    clientId: client.clientId,
    resourceServerId: api.id,
    subjectType,
    body: withCheckedScopes(body, api),
  });
  if (outcome === 'taken') throw clientGrantErrors.taken(shown);
  if (outcome === 'noClient') throw clientErrors.notFound();
  if (outcome === 'noResourceServer') throw clientGrantErrors.unknownAudience(shown);
  return reload(stores, tenantId, id);
}

/** Changes a grant: members replace, null removes. */
export async function updateClientGrant(
  stores: ClientGrantStores,
  tenantId: string,
  id: string,
  patch: Json,
): Promise<ClientGrant> {
  const grant = await stores.clientGrants.lock(tenantId, id);
  if (!grant) throw clientGrantErrors.notFound();
  const api = await stores.resourceServers.find(tenantId, grant.resourceServerId);
  if (!api) throw clientGrantErrors.notFound();
  const current = { ...grant.body, scope: grant.scopes };
  // Scopes that the API lost since stay as they are unless the patch names scopes: they give nothing.
  const next =
    patch.scope === undefined && patch.allow_all_scopes !== true
      ? withoutNulls({ ...current, ...patch })
      : withCheckedScopes(
          withoutNulls({ ...current, ...(patch.allow_all_scopes ? { scope: [] } : {}), ...patch }),
          api,
        );
  await stores.clientGrants.update(tenantId, id, next);
  return reload(stores, tenantId, id);
}

function withCheckedScopes(body: Json, api: ResourceServer): Json {
  const scopes = [...new Set(textsOf(body.scope))];
  if (scopes.length > MOST_SCOPES)
    throw clientGrantErrors.tooManyScopes({ count: scopes.length, maximum: MOST_SCOPES });
  if (body.allow_all_scopes === true && scopes.length > 0) throw clientGrantErrors.allScopesAndSome();
  const known = new Set(api.scopes.map(({ value }) => value));
  const unknown = scopes.filter((scope) => !known.has(scope));
  if (unknown.length > 0) throw clientGrantErrors.unknownScopes({ scopes: unknown.join(', ').slice(0, 500) });
  return { ...body, scope: scopes };
}

async function reload(stores: ClientGrantStores, tenantId: string, id: string): Promise<ClientGrant> {
  const grant = await stores.clientGrants.find(tenantId, id);
  if (!grant) throw clientGrantErrors.notFound();
  return grant;
}
