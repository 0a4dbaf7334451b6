import { profileDefaults } from '../users/profile-defaults.ts';
import type { User } from '../users/user.ts';
import type { UserToInsert } from '../users/user-store.ts';
import type { RemoteProfile } from './remote-profile.ts';

type ProfileFields = Omit<UserToInsert, 'userId' | 'blocked' | 'isSystem'>;

/** Of a user who was not known here: name, nickname and picture as with Auth0, where the script gives none. */
export function firstProfile(remote: RemoteProfile): ProfileFields {
  const email = remote.email ?? undefined;
  const username = remote.username ?? undefined;
  const phoneNumber = remote.phoneNumber ?? undefined;
  const defaults = profileDefaults({ email, username, phoneNumber });
  return {
    email,
    emailVerified: email !== undefined && remote.emailVerified === true,
    username,
    phoneNumber,
    phoneVerified: phoneNumber !== undefined && remote.phoneVerified === true,
    name: remote.name ?? defaults.name,
    nickname: remote.nickname ?? defaults.nickname,
    givenName: remote.givenName ?? undefined,
    familyName: remote.familyName ?? undefined,
    picture: remote.picture ?? defaults.picture,
    profile: remote.profile,
    userMetadata: remote.userMetadata,
    appMetadata: remote.appMetadata,
  };
}

/**
 * Of a user who is known here: what the script does not say stays as it was, and null takes it away. Further members of the
 * profile are the script's alone: a group that it no longer names is gone. Metadata is merged key by key.
 */
export function mergedProfile(known: User, remote: RemoteProfile): User {
  const email = merged(known.email, remote.email);
  const phoneNumber = merged(known.phoneNumber, remote.phoneNumber);
  return {
    ...known,
    email,
    emailVerified: isProved(email, known.email, known.emailVerified, remote.email && remote.emailVerified),
    username: merged(known.username, remote.username),
    phoneNumber,
    phoneVerified: isProved(
      phoneNumber,
      known.phoneNumber,
      known.phoneVerified,
      remote.phoneNumber && remote.phoneVerified,
    ),
    name: merged(known.name, remote.name),
    nickname: merged(known.nickname, remote.nickname),
    givenName: merged(known.givenName, remote.givenName),
    familyName: merged(known.familyName, remote.familyName),
    picture: merged(known.picture, remote.picture),
    profile: remote.profile,
    userMetadata: { ...known.userMetadata, ...remote.userMetadata },
    appMetadata: { ...known.appMetadata, ...remote.appMetadata },
  };
}

function merged(before: string | undefined, said: string | null | undefined): string | undefined {
  return said === undefined ? before : (said ?? undefined);
}

function isProved(
  address: string | undefined,
  before: string | undefined,
  wasProved: boolean,
  /** Nothing is said about an address that the script did not name. */
  said: boolean | string | null | undefined,
): boolean {
  if (address === undefined) return false;
  return typeof said === 'boolean' ? said : address === before && wasProved;
}
