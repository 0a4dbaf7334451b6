import { randomAlphanumeric } from '../kit/ids.ts';
import { isObject, type Json, numberOf, objectsOf, textOf, withoutNulls } from '../kit/json-values.ts';
import { resourceServerErrors, type Scope } from './resource-server.ts';

const MOST_SCOPES = 1_000;
const DAY = 86_400;
/** What of the system API can be changed: the rest is ours. */
const SYSTEM_PROPERTIES = new Set([
  'token_lifetime',
  'skip_consent_for_verifiable_first_party_clients',
  'subject_type_authorization',
  'proof_of_possession',
]);

/** The wire body of a new API: what was asked for over what Auth0 fills in. */
export function withDefaults(given: Json): Json {
  return withLifetimes({
    signing_alg: 'RS256',
    allow_offline_access: false,
    skip_consent_for_verifiable_first_party_clients: true,
    enforce_policies: false,
    token_dialect: 'access_token',
    subject_type_authorization: { user: { policy: 'allow_all' }, client: { policy: 'require_client_grant' } },
    ...withoutNulls(given),
  });
}

/** The body after a PATCH: members replace, null removes. */
export function patched(current: Json, patch: Json): Json {
  const next: Record<string, unknown> = { ...current };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete next[key];
    else next[key] = isObject(value) ? withoutNulls(value) : value;
  }
  // A shorter lifetime shortens the one for the web, unless the same request asks for both.
  if (patch.token_lifetime !== undefined && patch.token_lifetime_for_web === undefined) {
    next.token_lifetime_for_web = Math.min(lifetimeOf(next), numberOf(next.token_lifetime_for_web) ?? WEB_LIFETIME);
  }
  return withLifetimes(next);
}

const WEB_LIFETIME = 7_200;
const LONGEST_LIFETIME = 30 * DAY;

const lifetimeOf = (body: Json) => numberOf(body.token_lifetime) ?? DAY;

/** A web token that outlives the API's lifetime would defeat it. */
function withLifetimes(body: Json): Json {
  const lifetime = lifetimeOf(body);
  const web = numberOf(body.token_lifetime_for_web) ?? Math.min(lifetime, WEB_LIFETIME);
  if (!Number.isInteger(web) || web < 0 || web > Math.min(lifetime, LONGEST_LIFETIME)) {
    throw resourceServerErrors.webLifetime();
  }
  return { ...body, token_lifetime: lifetime, token_lifetime_for_web: web };
}

export function checkSystemPatch(patch: Json): void {
  const refused = Object.keys(patch).filter((property) => !SYSTEM_PROPERTIES.has(property));
  if (refused.length > 0) throw resourceServerErrors.systemProperty({ properties: refused.join(', ') });
}

/** Scopes as they are stored. Their names go into space-separated lists (RFC 6749 section 3.3). */
export function readScopes(value: unknown): Scope[] {
  const scopes = objectsOf(value).flatMap(({ value, description }) =>
    typeof value === 'string' ? [{ value, ...(typeof description === 'string' ? { description } : {}) }] : [],
  );
  if (scopes.length > MOST_SCOPES)
    throw resourceServerErrors.tooManyScopes({ count: scopes.length, maximum: MOST_SCOPES });
  const seen = new Set<string>();
  for (const { value: scope } of scopes) {
    if (seen.has(scope)) throw resourceServerErrors.duplicateScope({ value: scope });
    if (/[\s"\\\p{Cc}]/u.test(scope)) throw resourceServerErrors.malformedScope({ value: scope.slice(0, 100) });
    seen.add(scope);
  }
  return scopes;
}

export function checkIdentifier(identifier: string): void {
  if (/[\s\p{Cc}]/u.test(identifier)) throw resourceServerErrors.malformedIdentifier();
}

/** The secret after a change: HS256 has one, given or made; what is given for other algorithms is kept as it is. */
export function signingSecret(given: unknown, algorithm: unknown, current: string | undefined): string | undefined {
  const secret = textOf(given);
  if (secret !== undefined && secret.length > 1_024) throw resourceServerErrors.secretNeeded();
  return secret ?? current ?? (algorithm === 'HS256' ? randomAlphanumeric(32) : undefined);
}
