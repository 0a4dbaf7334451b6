import { isObject, type Json, objectOf, objectsOf, textOf, textsOf } from '../kit/json-values.ts';
import { clientErrors } from './client-errors.ts';
import { type UrlKind, urlFault } from './url-entry.ts';

interface Surroundings {
  readonly isProduction: boolean;
}

const URL_LISTS: Readonly<Record<string, { kind: UrlKind; format: string }>> = {
  callbacks: { kind: 'callback', format: 'callback-url' },
  allowed_origins: { kind: 'origin', format: 'origin-url' },
  web_origins: { kind: 'origin', format: 'origin-url' },
  allowed_logout_urls: { kind: 'logout', format: 'callback-url' },
};
const LONGEST_LIST = 100;
const LONGEST_TEXTS: Readonly<Record<string, number>> = {
  name: 255,
  client_secret: 1_024,
  logo_uri: 2_048,
  initiate_login_uri: 2_048,
  cross_origin_loc: 2_048,
  custom_login_page: 131_072,
  custom_login_page_preview: 131_072,
  form_template: 131_072,
};

/** What the catalogue's schema can't say about a client's body, be it for POST or PATCH. */
export function checkClientBody(body: Json, { isProduction }: Surroundings): void {
  for (const [property, value] of Object.entries(body)) {
    if (Array.isArray(value)) checkList(property, value);
    const maximum = LONGEST_TEXTS[property];
    if (maximum !== undefined && typeof value === 'string' && value.length > maximum) {
      throw clientErrors.tooLong({ property, maximum, count: value.length });
    }
  }
  for (const [property, rule] of Object.entries(URL_LISTS)) {
    textsOf(body[property]).forEach((value, index) => {
      const fault = urlFault(value, rule.kind, isProduction);
      const where = `${property}[${index}]`;
      if (fault === 'production') throw clientErrors.anyLocalhostInProduction({ property: where });
      if (fault) throw clientErrors.invalidFormat({ format: rule.format, value: value.slice(0, 200), property: where });
    });
  }
  for (const property of ['oidc_logout', 'oidc_backchannel_logout']) checkBackchannelUrls(body, property, isProduction);
  checkGrantTypes(textsOf(body.grant_types));
  checkInitiateLoginUri(textOf(body.initiate_login_uri));
}

function checkList(property: string, value: readonly unknown[]): void {
  if (value.length > LONGEST_LIST) throw clientErrors.tooMany({ property, maximum: LONGEST_LIST, count: value.length });
  value.forEach((item, index) => {
    if (typeof item === 'string' && item.length > 2_048) {
      throw clientErrors.tooLong({ property: `${property}[${index}]`, maximum: 2_048, count: item.length });
    }
  });
}

/** The server calls it: https, except where a developer's own machine is called. Auth0 takes one only. */
function checkBackchannelUrls(body: Json, property: string, isProduction: boolean): void {
  const urls = textsOf(objectOf(body[property]).backchannel_logout_urls);
  const where = `${property}.backchannel_logout_urls`;
  if (urls.length > 1) throw clientErrors.tooMany({ property: where, maximum: 1, count: urls.length });
  for (const value of urls) {
    const isWeb = /^https:\/\//.test(value) || (!isProduction && /^http:\/\//.test(value));
    if (isWeb && !value.includes('*') && urlFault(value, 'callback', isProduction) === undefined) continue;
    throw clientErrors.invalidFormat({ format: 'absolute-https-uri', value: value.slice(0, 200), property: where });
  }
}

const AUTH0_GRANT = 'http://auth0.com/oauth/grant-type/';
const GRANT_TYPES = new Set([
  'authorization_code',
  'implicit',
  'refresh_token',
  'client_credentials',
  'password',
  ...['password-realm', 'mfa-oob', 'mfa-otp', 'mfa-recovery-code', 'passwordless/otp'].map(
    (name) => AUTH0_GRANT + name,
  ),
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:token-exchange',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'urn:openid:params:grant-type:ciba',
  'urn:okta:params:oauth:grant-type:webauthn',
  'urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token',
]);

function checkGrantTypes(grantTypes: readonly string[]): void {
  const unknown = grantTypes.filter((grantType) => !GRANT_TYPES.has(grantType));
  if (unknown.length > 0) throw clientErrors.invalidGrantTypes({ grantTypes: unknown.join(', ').slice(0, 500) });
}

function checkInitiateLoginUri(value: string | undefined): void {
  if (!value) return;
  if (value.startsWith('https://') && urlFault(value, 'callback', true) === undefined) return;
  const format = 'absolute-https-uri-with-placeholders-or-empty';
  throw clientErrors.invalidFormat({ format, value: value.slice(0, 200), property: 'initiate_login_uri' });
}

/** client_metadata after a change: given keys replace, null removes, the others stay. At most 10 short texts. */
export function mergeMetadata(current: Json, given: unknown): Json | undefined {
  const merged: Record<string, unknown> = { ...current, ...(isObject(given) ? given : {}) };
  for (const [key, value] of Object.entries(merged)) {
    if (value === null) delete merged[key];
    else if (typeof value !== 'string' || value.length > 255 || key.length > 255) {
      throw clientErrors.metadataValue({ key: key.slice(0, 100) });
    }
  }
  const count = Object.keys(merged).length;
  if (count > 10) throw clientErrors.metadataTooLarge({ count });
  return count === 0 ? undefined : merged;
}

/** The registered method is enforced at the token endpoint, so there may be one only. */
export function checkAuthMethods(body: Json): void {
  if (body.token_endpoint_auth_method && body.client_authentication_methods) throw clientErrors.twoAuthMethods();
}

const CREDENTIAL_HOLDERS = [
  ['client_authentication_methods', 'private_key_jwt'],
  ['client_authentication_methods', 'tls_client_auth'],
  ['client_authentication_methods', 'self_signed_tls_client_auth'],
  ['signed_request_object'],
  ['token_vault_privileged_access'],
] as const;

/** Every place of a client's body that lists credentials: as `{id}`, or in a POST as whole public keys. */
export function credentialLists(body: Json): { path: readonly string[]; entries: readonly Json[] }[] {
  return CREDENTIAL_HOLDERS.flatMap((path) => {
    let holder: unknown = body;
    for (const step of path) holder = isObject(holder) ? holder[step] : undefined;
    return isObject(holder) && Array.isArray(holder.credentials)
      ? [{ path, entries: objectsOf(holder.credentials) }]
      : [];
  });
}

export function usedCredentialIds(body: Json): Set<string> {
  return new Set(credentialLists(body).flatMap(({ entries }) => entries.flatMap(({ id }) => textOf(id) ?? [])));
}
