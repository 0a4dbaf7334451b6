import { randomAlphanumeric } from '../kit/ids.ts';
import { isObject, type Json, textOf } from '../kit/json-values.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { Client } from './client.ts';
import { withDefaults } from './client-defaults.ts';
import { clientErrors } from './client-errors.ts';
import { checkAuthMethods, checkClientBody, credentialLists, mergeMetadata } from './client-rules.ts';
import type { ClientStore } from './client-store.ts';
import { type ClientCredential, readCredential } from './credential.ts';
import type { CredentialStore } from './credential-store.ts';

export interface ClientStores {
  readonly clients: ClientStore;
  readonly credentials: CredentialStore;
}

type TenantFacts = Pick<Tenant, 'tenantId' | 'environment'>;

export const MOST_CREDENTIALS = 20;

/** Creates a client from a wire body. Ids and secrets are made here; `isSystem` is never taken from a request. */
export async function createClient(
  stores: ClientStores,
  tenant: TenantFacts,
  given: Json,
  options: { isSystem?: boolean; isGlobal?: boolean; now?: Date } = {},
): Promise<Client> {
  checkClientBody(given, { isProduction: tenant.environment === 'production' });
  const clientId = randomAlphanumeric(32);
  const { name, ...wanted } = withDefaults(given);
  checkAuthMethods(wanted);
  const metadata = mergeMetadata({}, wanted.client_metadata);
  const { body, credentials } = readInlineCredentials(clientId, wanted, options.now ?? new Date());
  await stores.clients.insert(tenant.tenantId, {
    clientId,
    name: textOf(name) ?? '',
    isGlobal: options.isGlobal ?? false,
    isSystem: options.isSystem ?? false,
    body: { ...body, client_metadata: metadata },
    secret: randomAlphanumeric(64),
  });
  for (const credential of credentials) await stores.credentials.insert(tenant.tenantId, credential);
  const created = await stores.clients.find(tenant.tenantId, clientId);
  if (!created) throw clientErrors.notFound();
  return created;
}

/** Each tenant has one global client; it carries the custom login page and gets no tokens. */
export async function ensureGlobalClient(stores: ClientStores, tenant: TenantFacts): Promise<Client> {
  const body = {
    name: 'All Applications',
    callbacks: [],
    grant_types: [],
    owners: [],
    token_endpoint_auth_method: 'none',
  };
  const known = await stores.clients.findGlobal(tenant.tenantId);
  return known ?? createClient(stores, tenant, body, { isGlobal: true });
}

/** A POST brings public keys within its body; the body keeps their ids, as a PATCH writes them. */
function readInlineCredentials(
  clientId: string,
  body: Json,
  now: Date,
): { body: Json; credentials: readonly ClientCredential[] } {
  const credentials: ClientCredential[] = [];
  let next = body;
  for (const { path, entries } of credentialLists(body)) {
    const made = entries.map((entry) => readCredential(clientId, entry, now));
    credentials.push(...made);
    next = replaceAt(
      next,
      [...path, 'credentials'],
      made.map(({ id }) => ({ id })),
    );
  }
  const kids = credentials.flatMap(({ kid }) => kid ?? []);
  if (new Set(kids).size < kids.length) throw clientErrors.credentialTaken();
  if (credentials.length > MOST_CREDENTIALS) throw clientErrors.tooManyCredentials({ maximum: MOST_CREDENTIALS });
  return { body: next, credentials };
}

function replaceAt(body: Json, path: readonly string[], value: unknown): Json {
  const [step, ...rest] = path;
  if (step === undefined) return body;
  const inner = body[step];
  return { ...body, [step]: rest.length === 0 ? value : replaceAt(isObject(inner) ? inner : {}, rest, value) };
}
