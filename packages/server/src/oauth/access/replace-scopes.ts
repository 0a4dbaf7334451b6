import type { ScopeChange } from '../../pipeline/outcome.ts';
import type { UserAccess } from './resolve-access.ts';
import { OIDC_SCOPES } from './scope.ts';

/**
 * What tenant code grants instead: scopes that the API has, and no way to more tokens. Whether there is an ID token or a
 * refresh token stays as it was asked for and granted.
 */
export function replaceScopes(access: UserAccess, change: ScopeChange | undefined): UserAccess {
  if (!change) return access;
  const { api } = access;
  const known = new Set(access.scopes);
  for (const scope of OIDC_SCOPES) if (scope !== 'offline_access') known.add(scope);
  // What a token may do at the Management API is for nobody to widen.
  if (api && !api.isSystem) for (const { value } of api.scopes) known.add(value);
  return { ...access, tokenScopes: [...new Set(changed(access.scopes, change))].filter((scope) => known.has(scope)) };
}

function changed(granted: readonly string[], change: ScopeChange): readonly string[] {
  if (!('added' in change)) return change;
  return [...granted, ...change.added].filter((scope) => !change.removed.includes(scope));
}

/** What the access token says. */
export function tokenScopesOf({ scopes, tokenScopes }: UserAccess): readonly string[] {
  return tokenScopes ?? scopes;
}
