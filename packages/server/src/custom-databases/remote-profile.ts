import type { Connection } from '../connections/connection.ts';
import { attributesOf, identifiersOf } from '../connections/connection.ts';
import { flagOf, isObject, type Json, textOf } from '../kit/json-values.ts';
import { normaliseEmail, normalisePhone, normaliseUsername } from '../users/identifier.ts';
import { isStorable } from '../users/metadata.ts';
import { profileDefaults } from '../users/profile-defaults.ts';
import type { Metadata } from '../users/user.ts';

/** What a script says of one user, in our words and within our bounds. Undefined: it does not say. */
export interface RemoteProfile {
  readonly identityUserId: string;
  readonly email: string | undefined;
  readonly emailVerified: boolean | undefined;
  readonly username: string | undefined;
  readonly phoneNumber: string | undefined;
  readonly phoneVerified: boolean | undefined;
  readonly name: string | undefined;
  readonly nickname: string | undefined;
  readonly givenName: string | undefined;
  readonly familyName: string | undefined;
  readonly picture: string | undefined;
  readonly profile: Metadata;
  readonly userMetadata: Metadata;
  readonly appMetadata: Metadata;
}

const LONGEST_ID = 255;
const LONGEST_TEXT = 2_048;
const LARGEST_PROFILE = 16 * 1024;
const LARGEST_METADATA = 64 * 1024;

/** Members with a meaning of their own; those of the last lines are ours to say, or secrets. */
const NOT_IN_PROFILE = new Set(
  `email email_verified username phone_number phone_verified name nickname given_name family_name picture user_metadata app_metadata
  id _id user_id identities created_at updated_at last_login last_ip last_password_reset logins_count blocked multifactor mfa_factors
  tenant connection provider strategy client_id iss sub aud exp iat nonce sid org_id org_name permissions roles scope
  password password_hash access_token refresh_token __proto__ constructor prototype`.split(/\s+/),
);

/** A profile, or the reason why it is none. */
export function readProfile(connection: Connection, given: unknown): RemoteProfile | string {
  if (!isObject(given)) return 'the profile is no object';
  const identityUserId = idOf(given);
  if (identityUserId === undefined)
    return `the profile needs a user_id of 1 to ${LONGEST_ID} printable ASCII characters without spaces, not ending in @clients`;
  const { allowed } = attributesOf(connection);
  const email = allowed.has('email') ? normaliseEmail(textOf(given.email) ?? '') : undefined;
  if (textOf(given.email) && allowed.has('email') && email === undefined) return 'email is no e-mail address';
  const username = allowed.has('username') ? normaliseUsername(textOf(given.username) ?? '') : undefined;
  if (textOf(given.username) && allowed.has('username') && username === undefined) return 'username can not be used';
  const phoneNumber = allowed.has('phone') ? normalisePhone(textOf(given.phone_number) ?? '') : undefined;
  const keys = { email, username, phone: phoneNumber };
  if (![...identifiersOf(connection)].some((identifier) => keys[identifier] !== undefined))
    return `the profile has none of these: ${[...identifiersOf(connection)].join(', ')}`;
  const profile = Object.fromEntries(Object.entries(given).filter(([name]) => !NOT_IN_PROFILE.has(name)));
  const userMetadata = isObject(given.user_metadata) ? given.user_metadata : {};
  const appMetadata = isObject(given.app_metadata) ? given.app_metadata : {};
  if (![profile, userMetadata, appMetadata].every((part) => isStorable(part)))
    return 'the profile holds a NUL or half a surrogate pair, or is nested too deep';
  if (sizeOf(profile) > LARGEST_PROFILE) return `the profile is larger than ${LARGEST_PROFILE} characters`;
  if (sizeOf(userMetadata) > LARGEST_METADATA || sizeOf(appMetadata) > LARGEST_METADATA)
    return `metadata is larger than ${LARGEST_METADATA} characters`;
  const defaults = profileDefaults({ email, username, phoneNumber });
  return {
    identityUserId,
    email,
    emailVerified: flagOf(given.email_verified),
    username,
    phoneNumber,
    phoneVerified: flagOf(given.phone_verified),
    name: shortText(given.name) ?? defaults.name,
    nickname: shortText(given.nickname) ?? defaults.nickname,
    givenName: shortText(given.given_name),
    familyName: shortText(given.family_name),
    picture: shortText(given.picture) ?? defaults.picture,
    profile,
    userMetadata,
    appMetadata,
  };
}

/** Numbers are what most tables have for an id. */
function idOf({ user_id: userId, id, _id }: Json): string | undefined {
  const given = [userId, id, _id].find((one) => one !== undefined && one !== null && one !== '');
  if (typeof given !== 'string' && typeof given !== 'number') return undefined;
  const text = String(given);
  // Of a machine's token `sub` ends like this: APIs would take the person for a client.
  return text.length <= LONGEST_ID && /^[\x21-\x7e]+$/.test(text) && !text.endsWith('@clients') ? text : undefined;
}

function shortText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && isStorable(value)
    ? value.slice(0, LONGEST_TEXT).toWellFormed()
    : undefined;
}

function sizeOf(part: Metadata): number {
  return JSON.stringify(part).length;
}
