import { flagOf, textOf } from '../../kit/json-values.ts';
import type { ClaimAdditions } from '../../pipeline/outcome.ts';
import type { User } from '../../users/user.ts';

/** The user as the tokens of one login tell them: tenant code may have changed the profile for it. Null: it is not told. */
export function userOfLogin(user: User, additions: ClaimAdditions | undefined): User {
  const profile = additions?.profile;
  if (!profile) return user;
  const text = (name: string, own: string | undefined) => (name in profile ? textOf(profile[name]) : own);
  const flag = (name: string, own: boolean) => (name in profile ? flagOf(profile[name]) === true : own);
  return {
    ...user,
    nickname: text('nickname', user.nickname),
    name: text('name', user.name),
    givenName: text('given_name', user.givenName),
    familyName: text('family_name', user.familyName),
    picture: text('picture', user.picture),
    username: text('username', user.username),
    email: text('email', user.email),
    emailVerified: flag('email_verified', user.emailVerified),
    phoneNumber: text('phone_number', user.phoneNumber),
    phoneVerified: flag('phone_verified', user.phoneVerified),
  };
}
