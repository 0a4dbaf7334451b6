import type { UserAccess } from './resolve-access.ts';
import { OIDC_SCOPES } from './scope.ts';

/**
 * What tenant code grants instead: scopes that the API has, and no way to more tokens. Whether there is an ID token or a
 * refresh token stays as it was asked for and granted.
 */
export function replaceScopes(access: UserAccess, scopes: readonly string[] | undefined): UserAccess {
  if (!scopes) return access;
  const { api } = access;
  const known = new Set(access.scopes);
  for (const scope of OIDC_SCOPES) if (scope !== 'offline_access') known.add(scope);
  // What a token may do at the Management API is for nobody to widen.
  if (api && !api.isSystem) for (const { value } of api.scopes) known.add(value);
  return { ...access, tokenScopes: [...new Set(scopes)].filter((scope) => known.has(scope)) };
}

/** What the access token says. */
export function tokenScopesOf({ scopes, tokenScopes }: UserAccess): readonly string[] {
  return tokenScopes ?? scopes;
}
