import type { Identity, User } from '../../users/user.ts';

/**
 * Claims about a user that the scopes open (OpenID Connect Core section 5.4, authentication-api sections 6 and 15).
 * `updated_at` is an ISO text, as Auth0 sends it; single claims can be asked for by their own name.
 */
export function profileClaims(user: User, scopes: readonly string[]): Record<string, unknown> {
  const asked = new Set(scopes);
  const claims: Record<string, unknown> = {};
  const add = (name: string, value: unknown, ...openedBy: string[]) => {
    if (value !== undefined && value !== null && openedBy.some((scope) => asked.has(scope))) claims[name] = value;
  };
  add('nickname', user.nickname, 'profile', 'nickname');
  add('name', user.name, 'profile', 'name');
  add('given_name', user.givenName, 'profile', 'given_name');
  add('family_name', user.familyName, 'profile', 'family_name');
  add('picture', user.picture, 'profile', 'picture');
  add('preferred_username', user.username, 'profile');
  add('updated_at', user.updatedAt.toISOString(), 'profile');
  add('created_at', user.createdAt.toISOString(), 'created_at');
  add('identities', user.identities.map(toIdentity), 'identities');
  add('email', user.email, 'email');
  add('email_verified', user.email === undefined ? undefined : user.emailVerified, 'email', 'email_verified');
  add('phone_number', user.phoneNumber, 'phone');
  add('phone_number_verified', user.phoneNumber === undefined ? undefined : user.phoneVerified, 'phone');
  return claims;
}

/** Where the user comes from, in the shape of the Management API, without what the connection knows. */
const toIdentity = ({ connection, userId, provider, isSocial }: Identity) => ({
  connection,
  user_id: userId,
  provider,
  isSocial,
});
