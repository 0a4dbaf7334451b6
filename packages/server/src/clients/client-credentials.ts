import type { Json } from '../kit/json-values.ts';
import { clientErrors } from './client-errors.ts';
import { usedCredentialIds } from './client-rules.ts';
import { type ClientStores, MOST_CREDENTIALS } from './create-client.ts';
import { type ClientCredential, readCredential, readDate } from './credential.ts';
import { lockClient } from './update-client.ts';

/** Adds a credential. The client's row is locked, so that parallel requests can't pass the limit or double a kid. */
export async function addCredential(
  stores: ClientStores,
  tenantId: string,
  clientId: string,
  body: Json,
  now: Date,
): Promise<ClientCredential> {
  const credential = readCredential(clientId, body, now);
  await lockClient(stores, tenantId, clientId);
  const others = await stores.credentials.list(tenantId, clientId);
  if (others.length >= MOST_CREDENTIALS) throw clientErrors.tooManyCredentials({ maximum: MOST_CREDENTIALS });
  if (credential.kid && others.some(({ kid }) => kid === credential.kid)) throw clientErrors.credentialTaken();
  await stores.credentials.insert(tenantId, credential);
  return credential;
}

export async function setCredentialExpiry(
  stores: ClientStores,
  tenantId: string,
  clientId: string,
  credentialId: string,
  patch: Json,
): Promise<ClientCredential> {
  await lockClient(stores, tenantId, clientId);
  const current = await findCredential(stores, tenantId, clientId, credentialId);
  if (patch.expires_at === undefined) return current;
  const expiresAt = patch.expires_at === null ? undefined : readDate(patch.expires_at);
  await stores.credentials.setExpiry(tenantId, clientId, credentialId, expiresAt);
  return findCredential(stores, tenantId, clientId, credentialId);
}

/** Refuses while the client still authenticates with it; an unknown one is as good as deleted. */
export async function removeCredential(
  stores: ClientStores,
  tenantId: string,
  clientId: string,
  credentialId: string,
): Promise<void> {
  const client = await lockClient(stores, tenantId, clientId);
  if (usedCredentialIds(client.body).has(credentialId)) throw clientErrors.credentialInUse();
  await stores.credentials.remove(tenantId, clientId, credentialId);
}

export async function findCredential(
  stores: ClientStores,
  tenantId: string,
  clientId: string,
  credentialId: string,
): Promise<ClientCredential> {
  const credentials = await stores.credentials.list(tenantId, clientId);
  const credential = credentials.find(({ id }) => id === credentialId);
  if (!credential) throw clientErrors.credentialNotFound();
  return credential;
}
