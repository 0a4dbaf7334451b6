import type { Json } from '../kit/json-values.ts';
import type { Client } from './client.ts';

/** The tenant's signing certificates, as each client shows them. */
export interface SigningCertificate {
  readonly cert: string;
  readonly pkcs7?: string;
  readonly subject: string;
}

export interface ClientView {
  readonly tenantId: string;
  readonly scopes: ReadonlySet<string>;
  readonly signingCertificates: readonly SigningCertificate[];
}

/** What any of the reading scopes shows; without read:clients or read:client_keys there is no more. */
const SUMMARY = new Set(['client_id', 'name', 'description', 'app_type', 'logo_uri', 'is_first_party', 'global']);
const KEYS = new Set(['client_secret', 'signing_keys', 'encryption_key']);

/** A client as the Management API shows it to a caller with these scopes. */
export function toWire(client: Client, { tenantId, scopes, signingCertificates }: ClientView): Json {
  const whole: Json = {
    tenant: tenantId,
    global: client.isGlobal,
    name: client.name,
    client_id: client.clientId,
    ...client.body,
    callback_url_template: false,
    client_secret: client.secret,
    signing_keys: signingCertificates,
  };
  return Object.fromEntries(
    Object.entries(whole).filter(([field, value]) => value !== undefined && isShown(field, scopes)),
  );
}

function isShown(field: string, scopes: ReadonlySet<string>): boolean {
  if (KEYS.has(field)) return scopes.has('read:client_keys');
  if (SUMMARY.has(field) || scopes.has('read:clients') || scopes.has('read:client_keys')) return true;
  return field === 'client_authentication_methods' && scopes.has('read:client_credentials');
}
