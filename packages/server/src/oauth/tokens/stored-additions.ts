import type { ClaimAdditions } from '../../pipeline/outcome.ts';

/** What is kept of them; undefined where nothing was added: most tenants have no code. */
export function storedAdditions(additions: ClaimAdditions | undefined): ClaimAdditions | undefined {
  if (!additions) return undefined;
  const { idToken, accessToken, scopes, profile, executions, refreshToken, actor } = additions;
  if (!idToken && !accessToken && !scopes && !profile && !executions && !refreshToken && !actor) return undefined;
  return {
    ...(idToken && { idToken }),
    ...(accessToken && { accessToken }),
    ...(scopes && { scopes }),
    ...(profile && { profile }),
    ...(executions && { executions }),
    ...(refreshToken && { refreshToken }),
    ...(actor && { actor }),
  };
}

export function additionsColumn(additions: ClaimAdditions | undefined): string | undefined {
  const stored = storedAdditions(additions);
  return stored && JSON.stringify(stored);
}
