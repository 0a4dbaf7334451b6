import { oauthErrors } from '../oauth-errors.ts';

/** Scopes of OpenID Connect and of Auth0's profile claims; they belong to the user, not to an API. */
export const OIDC_SCOPES: ReadonlySet<string> = new Set([
  'openid',
  'profile',
  'offline_access',
  'name',
  'given_name',
  'family_name',
  'nickname',
  'email',
  'email_verified',
  'picture',
  'created_at',
  'identities',
  'phone',
  'address',
]);

const MAX_SCOPES = 1_000;

/** The distinct values of a space-separated scope, in their order (RFC 6749 section 3.3). */
export function parseScope(scope: string | undefined): readonly string[] {
  if (!scope) return [];
  const values = [...new Set(scope.split(/\s+/).filter(Boolean))];
  if (values.length > MAX_SCOPES) throw oauthErrors.tooLong({ name: 'scope' });
  return values;
}
