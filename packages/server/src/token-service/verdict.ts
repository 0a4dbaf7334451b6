import { type Json, textsOf } from '../kit/json-values.ts';
import type { Caller } from './service-settings.ts';

export type Reason = 'expired' | 'revoked' | 'audience' | 'issuer' | 'bound' | 'unknown';

/** What a caller is told of a token. */
export type Verdict =
  | { readonly active: false; readonly reason: Reason }
  | {
      readonly active: true;
      /** Seconds since 1970; absent where the server does not say. */
      readonly expiresAt?: number;
      readonly user: Json & { readonly sub: string };
      readonly permissions: readonly string[];
    };

/** What belongs to the token and not to its user. */
const ABOUT_THE_TOKEN = new Set([
  ...['active', 'aud', 'cnf', 'exp', 'iat', 'iss', 'jti', 'nbf', 'permissions', 'scope', 'token_type'],
]);

/** Of claims that the authorization server vouches for. */
export function verdictOfClaims(
  claims: Json,
  { issuer, caller, now }: { readonly issuer: string; readonly caller: Caller; readonly now: number },
): Verdict {
  const fault = faultOfClaims(claims, { issuer, caller });
  if (fault) return refused(fault);
  // Bound to a key (RFC 9449, RFC 8705): as a bearer token it may be stolen.
  if (claims.cnf !== undefined) return refused('bound');
  // A machine's token may name its client alone (RFC 7662 section 2.2).
  const sub = claims.sub ?? claims.client_id;
  if (typeof sub !== 'string' || sub === '') return refused('unknown');
  const { exp } = claims;
  // JSON's 1e400 is Infinity, which would be written as null and read as no end at all.
  if (exp !== undefined && !(typeof exp === 'number' && Number.isFinite(exp))) return refused('unknown');
  if (exp !== undefined && exp <= now) return refused('expired');
  return {
    active: true,
    ...(exp !== undefined && { expiresAt: exp }),
    user: { ...withoutTokenClaims(claims), sub },
    permissions: permissionsOf(claims),
  };
}

/** Whose token it is, and for which API: a caller is told of its own alone. */
export function faultOfClaims(
  { iss, aud }: Json,
  { issuer, caller }: { readonly issuer: string; readonly caller: Caller },
): 'issuer' | 'audience' | undefined {
  if (iss !== undefined && iss !== issuer) return 'issuer';
  const named = typeof aud === 'string' ? [aud] : textsOf(aud);
  return named.some((audience) => caller.audiences.includes(audience)) ? undefined : 'audience';
}

export function refused(reason: Reason): Verdict {
  return { active: false, reason };
}

export function withoutTokenClaims(claims: Json): Json {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !ABOUT_THE_TOKEN.has(name)));
}

export function hasScope({ scope }: Json, wanted: string): boolean {
  return typeof scope === 'string' && scope.split(' ').includes(wanted);
}

/** Where the API's roles decide, the token has `permissions`, perhaps none, and its scope says nothing; else what it may is its scope. */
function permissionsOf({ permissions, scope }: Json): readonly string[] {
  if (permissions !== undefined) return textsOf(permissions);
  return typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [];
}
