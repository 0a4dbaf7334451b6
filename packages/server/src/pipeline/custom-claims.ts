import type { Claims } from './outcome.ts';

/** Claims of the protocol and of what we issue: tenant code can't set them (extensibility: claims of tokens). */
const RESERVED: ReadonlySet<string> = new Set(
  `acr act active amr at_hash ath attest aud auth_time authorization_details azp c_hash client_id cnf cty dest entitlements
  events exp groups gty htm htu iat internalService iss jcard jku jti jwe jwk kid may_act mky nbf nonce object_id org_id
  org_name orig origid permissions roles rph s_hash scope sid sub sub_jwk toe txn typ uuid vot vtm x5t#S256`.split(
    /\s+/,
  ),
);
/** Hosts of Auth0 name claims of Auth0. */
const FOREIGN_HOSTS = ['auth0.com', 'webtask.io', 'webtask.run'];
const LONGEST_NAME = 1_000;
/** Of all claims of a login together. */
export const MOST_CLAIM_BYTES = 100_000;
/** The Management API takes no token that is longer than a header may be. */
export const MOST_OWN_CLAIM_BYTES = 2_000;
/** Where tokens come in an address, which browsers and proxies bound. */
export const MOST_ADDRESS_CLAIM_BYTES = 16_000;

export const TOO_LARGE_FOR_OWN_API = `The claims of an access token for the Management API are left out: they are more than ${MOST_OWN_CLAIM_BYTES} bytes together.`;

export function bytesOf(claims: unknown): number {
  return Buffer.byteLength(JSON.stringify(claims));
}

/** The claims that a token may carry, and the names of those that it may not. A collision never fails a login. */
export function customClaims(
  claims: Readonly<Record<string, unknown>>,
  { isOwnApi = false }: { isOwnApi?: boolean } = {},
): { readonly claims: Claims; readonly dropped: readonly string[] } {
  const kept: Record<string, unknown> = {};
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(claims)) {
    if (isAllowed(name, isOwnApi)) kept[name] = value;
    else dropped.push(name.slice(0, LONGEST_NAME));
  }
  return { claims: kept, dropped };
}

/** `isOwnApi`: the Management API reads what it finds in a token, so there is nothing private in it. */
function isAllowed(name: string, isOwnApi: boolean): boolean {
  if (name === '' || name.length > LONGEST_NAME || RESERVED.has(name) || name.startsWith('sip_')) return false;
  const host = namespaceHost(name);
  if (host === undefined) return !isOwnApi;
  return !FOREIGN_HOSTS.some((foreign) => host === foreign || host.endsWith(`.${foreign}`));
}

function namespaceHost(name: string): string | undefined {
  if (!/^https?:\/\//i.test(name) || !URL.canParse(name)) return undefined;
  return new URL(name).hostname;
}

/** A namespaced claim: those of an ID token are seen at /userinfo as well. */
export function isNamespaced(name: string): boolean {
  return namespaceHost(name) !== undefined;
}
