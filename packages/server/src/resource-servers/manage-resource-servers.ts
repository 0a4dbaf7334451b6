import { hexId } from '../kit/ids.ts';
import { type Json, textOf } from '../kit/json-values.ts';
import {
  MANAGEMENT_IDENTIFIER,
  MANAGEMENT_NAME,
  type ResourceServer,
  resourceServerErrors,
} from './resource-server.ts';
import {
  checkIdentifier,
  checkSystemPatch,
  patched,
  readScopes,
  signingSecret,
  withDefaults,
} from './resource-server-rules.ts';
import type { ResourceServerStore } from './resource-server-store.ts';

export interface ResourceServerStores {
  readonly resourceServers: ResourceServerStore;
}

/** Creates an API from a wire body. `isReserved` tells identifiers that belong to the tenant's Management API. */
export async function createResourceServer(
  { resourceServers }: ResourceServerStores,
  tenantId: string,
  given: Json,
  isReserved: (identifier: string) => boolean = () => false,
): Promise<ResourceServer> {
  const identifier = textOf(given.identifier) ?? '';
  checkIdentifier(identifier);
  if (identifier === MANAGEMENT_IDENTIFIER || isReserved(identifier)) throw resourceServerErrors.identifierTaken();
  const { identifier: _identifier, name, signing_secret, scopes, ...body } = withDefaults(given);
  const id = hexId();
  await resourceServers.insert(tenantId, {
    id,
    identifier,
    name: textOf(name) ?? identifier.slice(0, 200),
    isSystem: false,
    body: { ...body, scopes: readScopes(scopes) },
    signingSecret: signingSecret(signing_secret, body.signing_alg, undefined),
  });
  return reload(resourceServers, tenantId, id);
}

/** Each tenant has one system API: the Management API. */
export async function ensureManagementApi(
  { resourceServers }: ResourceServerStores,
  tenantId: string,
): Promise<ResourceServer> {
  const known = await resourceServers.findSystem(tenantId);
  if (known) return known;
  const id = hexId();
  await resourceServers.insert(tenantId, {
    id,
    identifier: MANAGEMENT_IDENTIFIER,
    name: MANAGEMENT_NAME,
    isSystem: true,
    body: withDefaults({ skip_consent_for_verifiable_first_party_clients: false }),
    signingSecret: undefined,
  });
  return reload(resourceServers, tenantId, id);
}

export async function updateResourceServer(
  { resourceServers }: ResourceServerStores,
  tenantId: string,
  name: string,
  patch: Json,
): Promise<ResourceServer> {
  const current = await resourceServers.lock(tenantId, name);
  if (!current) throw resourceServerErrors.notFound();
  if (current.isSystem) checkSystemPatch(patch);
  const { name: newName, signing_secret, scopes, ...members } = patch;
  const body = patched(current.body, members);
  await resourceServers.update(tenantId, current.id, {
    name: textOf(newName) ?? current.name,
    body: { ...body, scopes: scopes === undefined ? current.scopes : readScopes(scopes) },
    signingSecret: signingSecret(signing_secret, body.signing_alg, current.signingSecret),
  });
  return reload(resourceServers, tenantId, current.id);
}

/** Deletes an API and, by foreign keys, its grants and permissions. An unknown one is as good as deleted. */
export async function deleteResourceServer(
  { resourceServers }: ResourceServerStores,
  tenantId: string,
  name: string,
): Promise<void> {
  const current = await resourceServers.lock(tenantId, name);
  if (!current) return;
  if (current.isSystem) throw resourceServerErrors.system();
  await resourceServers.remove(tenantId, current.id);
}

async function reload(resourceServers: ResourceServerStore, tenantId: string, id: string): Promise<ResourceServer> {
  const found = await resourceServers.find(tenantId, id);
  if (!found) throw resourceServerErrors.notFound();
  return found;
}
