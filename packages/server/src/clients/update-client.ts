import { randomAlphanumeric } from '../kit/ids.ts';
import { isObject, type Json, objectOf, textOf, withoutNulls } from '../kit/json-values.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { Client } from './client.ts';
import { jwtConfigurationBody, refreshTokenBody } from './client-defaults.ts';
import { clientErrors } from './client-errors.ts';
import { checkAuthMethods, checkClientBody, mergeMetadata, usedCredentialIds } from './client-rules.ts';
import type { ClientStores } from './create-client.ts';

type TenantFacts = Pick<Tenant, 'tenantId' | 'environment'>;

/** Changes a client: members replace, null removes, client_metadata merges key by key. */
export async function updateClient(
  stores: ClientStores,
  tenant: TenantFacts,
  clientId: string,
  patch: Json,
): Promise<Client> {
  checkClientBody(patch, { isProduction: tenant.environment === 'production' });
  const client = await lockClient(stores, tenant.tenantId, clientId);
  const { name, client_secret, client_metadata, ...members } = patch;
  const next: Record<string, unknown> = { ...client.body };
  for (const [key, value] of Object.entries(members)) {
    if (value === null) delete next[key];
    else next[key] = key === 'addons' && isObject(value) ? withoutNulls(value) : value;
  }
  if (isObject(members.jwt_configuration)) next.jwt_configuration = jwtConfigurationBody(members.jwt_configuration);
  if (isObject(members.refresh_token)) next.refresh_token = refreshTokenBody(members.refresh_token, next.app_type);
  if (client_metadata !== undefined) {
    next.client_metadata = mergeMetadata(objectOf(client.body.client_metadata), client_metadata);
  }
  checkAuthMethods(next);
  await checkCredentialsExist(stores, tenant.tenantId, client, next);
  await stores.clients.update(tenant.tenantId, clientId, {
    name: textOf(name) ?? client.name,
    body: next,
    secret: textOf(client_secret),
  });
  return reload(stores, tenant.tenantId, clientId);
}

export async function rotateSecret(stores: ClientStores, tenantId: string, clientId: string): Promise<Client> {
  const { name, body } = await lockClient(stores, tenantId, clientId);
  await stores.clients.update(tenantId, clientId, { name, body, secret: randomAlphanumeric(64) });
  return reload(stores, tenantId, clientId);
}

/** Deletes a client and, by foreign keys, its grants, credentials and tokens. An unknown one is as good as deleted. */
export async function deleteClient(stores: ClientStores, tenantId: string, clientId: string): Promise<void> {
  const client = await stores.clients.lock(tenantId, clientId);
  if (!client || client.isSystem) return;
  if (client.isGlobal) throw clientErrors.globalClient();
  await stores.clients.remove(tenantId, clientId);
}

/** The client, locked; system clients are not there for the API. */
export async function lockClient(stores: ClientStores, tenantId: string, clientId: string): Promise<Client> {
  const client = await stores.clients.lock(tenantId, clientId);
  if (!client || client.isSystem) throw clientErrors.notFound();
  return client;
}

async function reload(stores: ClientStores, tenantId: string, clientId: string): Promise<Client> {
  const client = await stores.clients.find(tenantId, clientId);
  if (!client) throw clientErrors.notFound();
  return client;
}

async function checkCredentialsExist(
  stores: ClientStores,
  tenantId: string,
  client: Client,
  next: Json,
): Promise<void> {
  const used = usedCredentialIds(next);
  if (used.size === 0) return;
  const known = new Set((await stores.credentials.list(tenantId, client.clientId)).map(({ id }) => id));
  for (const id of used) {
    if (!known.has(id)) {
      throw clientErrors.unknownCredential({ id: id.slice(0, 100), property: 'client_authentication_methods' });
    }
  }
}
