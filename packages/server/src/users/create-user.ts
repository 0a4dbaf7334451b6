import {
  attributesOf,
  type Connection,
  type Identifier,
  identifiersOf,
  member,
  usernameBounds,
} from '../connections/connection.ts';
import { hexId } from '../kit/ids.ts';
import { normaliseEmail, normalisePhone, normaliseUsername } from './identifier.ts';
import { checkMetadata, isStorable } from './metadata.ts';
import { profileDefaults } from './profile-defaults.ts';
import { type Metadata, type User, userErrors } from './user.ts';
import type { UserStore } from './user-store.ts';

/** What the creator says of a new user of a directory; the password comes as a hash, made before the transaction. */
export interface NewDatabaseUser {
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly username?: string;
  readonly phoneNumber?: string;
  readonly phoneVerified?: boolean;
  readonly name?: string;
  readonly nickname?: string;
  readonly givenName?: string;
  readonly familyName?: string;
  readonly picture?: string;
  readonly blocked?: boolean;
  readonly userMetadata?: Metadata;
  readonly appMetadata?: Metadata;
  /** The part behind `auth0|`; a random one where it is left out. */
  readonly userId?: string;
}

/**
 * Makes a user of a directory: POST /users and sign-up. `stores` is one transaction; the database's constraints decide
 * between parallel creators, and the loser gets 409.
 */
export async function createDatabaseUser(
  stores: { readonly users: Pick<UserStore, 'insert' | 'find'> },
  tenantId: string,
  connection: Connection,
  input: NewDatabaseUser,
  /** None: the user logs in by other means, until a reset. */
  passwordHash: string | undefined,
): Promise<User> {
  const { identityUserId, ...user } = draftUser(connection, input);
  await stores.users.insert(tenantId, user, {
    connectionId: connection.id,
    provider: connection.strategy,
    identityUserId,
    passwordHash,
    profileData: {},
  });
  const created = await stores.users.find(tenantId, user.userId);
  if (!created) throw new Error('A user that was just inserted is not there.');
  return created;
}

/** The rules of a new user, without the database: callers check with it before they hash a password. */
export function draftUser(connection: Connection, input: NewDatabaseUser) {
  const identifiers = checkedIdentifiers(connection, input);
  const defaults = profileDefaults(identifiers);
  const identityUserId = input.userId === undefined || input.userId === '' ? hexId() : checkedUserId(input.userId);
  return {
    identityUserId,
    userId: `${connection.strategy}|${identityUserId}`,
    ...identifiers,
    emailVerified: identifiers.email !== undefined && input.emailVerified === true,
    phoneVerified: identifiers.phoneNumber !== undefined && input.phoneVerified === true,
    name: storableText('name', input.name) ?? defaults.name,
    nickname: storableText('nickname', input.nickname) ?? defaults.nickname,
    givenName: storableText('given_name', input.givenName),
    familyName: storableText('family_name', input.familyName),
    picture: storableText('picture', input.picture) ?? defaults.picture,
    profile: {},
    blocked: input.blocked === true,
    isSystem: connection.isSystem,
    userMetadata: checkMetadata('user_metadata', input.userMetadata ?? {}),
    appMetadata: checkMetadata('app_metadata', input.appMetadata ?? {}),
  };
}

function checkedIdentifiers(connection: Connection, input: NewDatabaseUser) {
  const { required, allowed } = attributesOf(connection);
  refuseMissing(connection, required, input);
  const username = input.username === undefined ? undefined : checkedUsername(connection, input.username);
  if (input.email !== undefined && !allowed.has('email'))
    throw userErrors.invalid({ reason: 'Cannot set email for this connection' });
  return {
    email: input.email === undefined ? undefined : checkedEmail(input.email),
    username,
    phoneNumber: input.phoneNumber === undefined ? undefined : checkedPhone(input.phoneNumber),
  };
}

function refuseMissing(connection: Connection, required: ReadonlySet<Identifier>, input: NewDatabaseUser): void {
  if (required.has('email') && input.email === undefined) throw userErrors.missing({ property: 'email' });
  if (required.has('username') && input.username === undefined)
    throw userErrors.missingUsername({ connection: connection.name });
  if (required.has('phone') && input.phoneNumber === undefined) throw userErrors.missing({ property: 'phone_number' });
  const given = { email: input.email, username: input.username, phone: input.phoneNumber };
  const identifiers = [...identifiersOf(connection)];
  if (identifiers.some((identifier) => given[identifier] !== undefined)) return;
  const [first = 'email'] = identifiers;
  throw userErrors.missing({ property: first === 'phone' ? 'phone_number' : first });
}

export function checkedEmail(email: string): string {
  const normal = normaliseEmail(email);
  // The whole value comes back in Auth0's text; it is bounded here, since it also goes to the log.
  if (normal === undefined)
    throw userErrors.invalid({ reason: `Object didn't pass validation for format email: ${email.slice(0, 100)}` });
  return normal;
}

export function checkedPhone(phone: string): string {
  const normal = normalisePhone(phone);
  if (normal === undefined)
    throw userErrors.invalid({ reason: 'String does not match pattern ^\\+[0-9]{1,15}$: phone_number' });
  return normal;
}

/** A username of a stranger's e-mail or phone number would catch that person's logins, so it is refused unless allowed. */
export function checkedUsername(connection: Connection, username: string): string {
  if (!attributesOf(connection).allowed.has('username')) throw userErrors.usernameNotAllowed();
  const normal = normaliseUsername(username);
  const { min, max } = usernameBounds(connection);
  if (normal === undefined) {
    throw userErrors.invalid({ reason: "Username can only contain letters, numbers and the characters _+-.!#$'^`~@" });
  }
  if (normal.length < min || normal.length > max) {
    throw userErrors.invalid({ reason: `Username should have between ${min} and ${max} characters` });
  }
  const flexible = member(member(member(connection.options, 'attributes'), 'username'), 'validation');
  const allowedTypes = member(flexible, 'allowed_types');
  if (normaliseEmail(normal) !== undefined && allowedTypes?.email !== true) {
    throw userErrors.invalid({ reason: 'Username must not be an e-mail address' });
  }
  if (normalisePhone(normal) !== undefined && allowedTypes?.phone_number !== true) {
    throw userErrors.invalid({ reason: 'Username must not be a phone number' });
  }
  return normal;
}

export function storableText(property: string, text: string | undefined): string | undefined {
  if (text !== undefined && !isStorable(text))
    throw userErrors.invalid({ reason: `${property} holds a character that can't be stored` });
  return text;
}

function checkedUserId(userId: string): string {
  if (userId.length > 255 || !/^[\x21-\x7e]+$/.test(userId)) {
    throw userErrors.invalid({ reason: 'String does not match pattern ^\\S*$: user_id' });
  }
  // `sub` of a machine's token ends like this: APIs, ours among them, would take the person for a client.
  if (userId.endsWith('@clients')) throw userErrors.invalid({ reason: 'user_id may not end with @clients' });
  return userId;
}
