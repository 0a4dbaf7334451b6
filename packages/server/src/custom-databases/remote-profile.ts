import type { Connection } from '../connections/connection.ts';
import { attributesOf, identifiersOf } from '../connections/connection.ts';
import { flagOf, isObject, type Json, textOf } from '../kit/json-values.ts';
import { normaliseEmail, normalisePhone, normaliseUsername } from '../users/identifier.ts';
import type { IdpTokens } from '../users/idp-tokens/idp-token-store.ts';
import { isStorable } from '../users/metadata.ts';
import type { Metadata } from '../users/user.ts';

/** A text that a script gives; null where it says that there is none, undefined where it does not say. */
type Said = string | null | undefined;

/** What a script says of one user, in our words and within our bounds. Undefined: it does not say. */
export interface RemoteProfile {
  readonly identityUserId: string;
  readonly email: Said;
  readonly emailVerified: boolean | undefined;
  readonly username: Said;
  readonly phoneNumber: Said;
  readonly phoneVerified: boolean | undefined;
  readonly name: Said;
  readonly nickname: Said;
  readonly givenName: Said;
  readonly familyName: Said;
  readonly picture: Said;
  /** All that has no meaning of its own, as it is now. */
  readonly profile: Metadata;
  readonly userMetadata: Metadata;
  readonly appMetadata: Metadata;
  /** For another system, as it gave them to its user; empty where the script says that there are none. */
  readonly tokens: IdpTokens | undefined;
  readonly lastPasswordReset: Date | undefined;
  /** Second factors that the user has there. */
  readonly hasFactors: boolean;
}

const LONGEST_ID = 255;
const LONGEST_TEXT = 2_048;
const LARGEST_PROFILE = 16 * 1024;
const LARGEST_METADATA = 64 * 1024;
const LARGEST_TOKENS = 16 * 1024;
/** Four digits of a year. */
const LATEST = Date.UTC(10_000, 0);

const TOKENS = ['access_token', 'refresh_token'] as const;

/** Members with a meaning of their own; those of the last lines are ours to say, or secrets. */
const NOT_IN_PROFILE = new Set(
  `email email_verified username phone_number phone_verified name nickname given_name family_name picture user_metadata app_metadata metadata
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
  const email = allowed.has('email') ? said(given.email, normaliseEmail) : undefined;
  if (textOf(given.email) && allowed.has('email') && !email) return 'email is no e-mail address';
  const username = allowed.has('username') ? said(given.username, normaliseUsername) : undefined;
  if (textOf(given.username) && allowed.has('username') && !username) return 'username can not be used';
  const phoneNumber = allowed.has('phone') ? said(given.phone_number, normalisePhone) : undefined;
  const keys = { email, username, phone: phoneNumber };
  if (![...identifiersOf(connection)].some((identifier) => keys[identifier]))
    return `the profile has none of these: ${[...identifiersOf(connection)].join(', ')}`;
  const profile = Object.fromEntries(Object.entries(given).filter(([name]) => !NOT_IN_PROFILE.has(name)));
  const userMetadata = isObject(given.user_metadata) ? given.user_metadata : {};
  // What the Management API calls app_metadata has the name `metadata` in scripts, in old ones at least.
  const appMetadata = {
    ...(isObject(given.metadata) && given.metadata),
    ...(isObject(given.app_metadata) && given.app_metadata),
  };
  if (![profile, userMetadata, appMetadata].every((part) => isStorable(part)))
    return 'the profile holds a NUL or half a surrogate pair, or is nested too deep';
  if (sizeOf(profile) > LARGEST_PROFILE) return `the profile is larger than ${LARGEST_PROFILE} characters`;
  if (sizeOf(userMetadata) > LARGEST_METADATA || sizeOf(appMetadata) > LARGEST_METADATA)
    return `metadata is larger than ${LARGEST_METADATA} characters`;
  const tokens = tokensOf(given);
  if (tokens && sizeOf(tokens) > LARGEST_TOKENS)
    return `access_token and refresh_token are longer than ${LARGEST_TOKENS} characters`;
  return {
    identityUserId,
    email,
    emailVerified: flagOf(given.email_verified),
    username,
    phoneNumber,
    phoneVerified: flagOf(given.phone_verified),
    name: said(given.name, shortText),
    nickname: said(given.nickname, shortText),
    givenName: said(given.given_name, shortText),
    familyName: said(given.family_name, shortText),
    picture: said(given.picture, shortText),
    profile,
    userMetadata,
    appMetadata,
    tokens,
    lastPasswordReset: dateOf(given.last_password_reset),
    hasFactors: Array.isArray(given.mfa_factors) && given.mfa_factors.length > 0,
  };
}

/** A time as JSON has one: a text, or milliseconds. */
export function dateOf(value: unknown): Date | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const date = new Date(value);
  return date.getTime() > 0 && date.getTime() < LATEST ? date : undefined;
}

/** Rows of tables have null where there is nothing; what can't be used is not said. */
function said(value: unknown, read: (text: string) => string | undefined): Said {
  return value === null ? null : read(textOf(value) ?? '');
}

function tokensOf(given: Json): IdpTokens | undefined {
  const tokens: Record<string, string> = {};
  const named = TOKENS.filter((name) => given[name] === null || typeof given[name] === 'string');
  for (const name of named) {
    const token = textOf(given[name]);
    if (token) tokens[name] = token.toWellFormed();
  }
  return named.length === 0 ? undefined : tokens;
}

/** Numbers are what most tables have for an id. */
function idOf({ user_id: userId, id, _id }: Json): string | undefined {
  const given = [userId, id, _id].find((one) => one !== undefined && one !== null && one !== '');
  if (typeof given !== 'string' && typeof given !== 'number') return undefined;
  const text = String(given);
  // Of a machine's token `sub` ends like this: APIs would take the person for a client.
  return text.length <= LONGEST_ID && /^[\x21-\x7e]+$/.test(text) && !text.endsWith('@clients') ? text : undefined;
}

function shortText(text: string): string | undefined {
  return text !== '' && isStorable(text) ? text.slice(0, LONGEST_TEXT).toWellFormed() : undefined;
}

function sizeOf(part: object): number {
  return JSON.stringify(part).length;
}
