import { flagOf, textOf } from '../kit/json-values.ts';
import type { IdentityProfile } from './identity-store.ts';
import type { Identity, Metadata, User } from './user.ts';

/**
 * A user as one identity knows it: a linked one has address, names and proofs of its own, and nothing of what the account keeps.
 * Whoever reads the mails of that address is not always who reads those of the main one.
 */
export function asIdentity(user: User, identity: Identity): User {
  if (isMain(user, identity)) return user;
  return { ...user, ...profileFrom(identity.profileData), userMetadata: {}, appMetadata: {} };
}

export function isMain({ identities: [main] }: User, identity: Identity): boolean {
  return main !== undefined && isSameIdentity(main, identity);
}

export function isSameIdentity(
  one: Pick<Identity, 'provider' | 'userId' | 'connectionId'>,
  other: Pick<Identity, 'provider' | 'userId' | 'connectionId'>,
): boolean {
  return one.provider === other.provider && one.userId === other.userId && one.connectionId === other.connectionId;
}

/** Whether a user has an address that nobody has proved. */
export const hasUnprovedAddress = ({ email, emailVerified }: Pick<User, 'email' | 'emailVerified'>): boolean =>
  email !== undefined && !emailVerified;

/** `profileData` of an identity, from the user that it is or was: JSON leaves out what is undefined. */
export function profileOf(user: User): Metadata {
  return {
    ...user.profile,
    email: user.email,
    email_verified: user.email === undefined ? undefined : user.emailVerified,
    phone_number: user.phoneNumber,
    phone_verified: user.phoneNumber === undefined ? undefined : user.phoneVerified,
    username: user.username,
    name: user.name,
    nickname: user.nickname,
    given_name: user.givenName,
    family_name: user.familyName,
    picture: user.picture,
  };
}

export function profileFrom(data: Metadata): IdentityProfile {
  const { email, email_verified, phone_number, phone_verified, username, ...others } = data;
  const { name, nickname, given_name, family_name, picture, ...profile } = others;
  return {
    email: textOf(email),
    emailVerified: flagOf(email_verified) ?? false,
    phoneNumber: textOf(phone_number),
    phoneVerified: flagOf(phone_verified) ?? false,
    username: textOf(username),
    name: textOf(name),
    nickname: textOf(nickname),
    givenName: textOf(given_name),
    familyName: textOf(family_name),
    picture: textOf(picture),
    profile,
  };
}
