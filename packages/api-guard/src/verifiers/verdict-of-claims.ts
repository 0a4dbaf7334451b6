import type { TokenUser, Verdict } from '../entries/entry.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** What belongs to the token and not to its user. */
const ABOUT_THE_TOKEN = new Set([
  'active',
  'aud',
  'cnf',
  'exp',
  'iat',
  'iss',
  'jti',
  'nbf',
  'permissions',
  'scope',
  'token_type',
]);

/** Of claims that somebody trustworthy told of an access token. Issuer and audience count wherever they are named. */
export function verdictOfClaims(
  claims: Claims,
  { issuer, audience }: { readonly issuer: string; readonly audience: string },
): Verdict {
  if (claims.iss !== undefined && claims.iss !== issuer) return refused('issuer');
  if (!textsOf(claims.aud).includes(audience)) return refused('audience');
  // Bound to a key (RFC 9449, RFC 8705): as a bearer token it may be stolen.
  if (claims.cnf !== undefined) return refused('bound');
  // A machine's token may name its client alone (RFC 7662 section 2.2).
  const sub = claims.sub ?? claims.client_id;
  if (typeof sub !== 'string' || sub === '') return refused('unknown');
  const { exp } = claims;
  // JSON's 1e400 is Infinity, which would be written as null and read as no end at all.
  if (exp !== undefined && !(typeof exp === 'number' && Number.isFinite(exp))) return refused('unknown');
  return {
    active: true,
    ...(exp !== undefined && { expiresAt: exp }),
    user: userOf(claims, sub),
    permissions: permissionsOf(claims),
  };
}

export function refused(reason: string): Verdict {
  return { active: false, reason };
}

export function userOf(claims: Claims, sub: string): TokenUser {
  return { ...Object.fromEntries(Object.entries(claims).filter(([name]) => !ABOUT_THE_TOKEN.has(name))), sub };
}

/** Where the API's roles decide, the token has `permissions`, perhaps none, and its scope says nothing; else what it may is its scope. */
function permissionsOf({ permissions, scope }: Claims): readonly string[] {
  if (Array.isArray(permissions)) return permissions.filter((permission) => typeof permission === 'string');
  if (permissions !== undefined) return [];
  return typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [];
}

function textsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
