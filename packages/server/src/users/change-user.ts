import type { Connection } from '../connections/connection.ts';
import { attributesOf, identifiersOf } from '../connections/connection.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import type { LogoutInitiator } from '../sessions/session.ts';
import { checkedEmail, checkedPhone, checkedUsername, storableText } from './create-user.ts';
import { checkMetadata, mergeMetadata } from './metadata.ts';
import { formerHashesOf } from './new-password.ts';
import type { PasswordStore } from './password-store.ts';
import { type Identity, ordinaryUser, type User, userErrors } from './user.ts';
import type { UserStore } from './user-store.ts';
import type { UserChange } from './user-wire.ts';

export interface UserStores {
  readonly users: UserStore;
  readonly passwords: PasswordStore;
  readonly connections: ConnectionStore;
}

/** Ends a user's sessions and revokes the refresh tokens, in the transaction at hand. */
export type RevokeAccess<Stores> = (
  stores: Stores,
  tenantId: string,
  userId: string,
  initiator: LogoutInitiator,
) => Promise<void>;

/**
 * PATCH /users/{id}. `stores` is one transaction and the row is locked, so that of parallel changes of metadata each is
 * kept. Whoever can no longer log in as before is logged out: blocked, or with another password or identifier.
 */
export async function changeUser<Stores extends UserStores>(
  stores: Stores,
  tenantId: string,
  userId: string,
  change: UserChange,
  passwordHash: string | undefined,
  revokeAccess: RevokeAccess<Stores>,
): Promise<User> {
  const before = ordinaryUser(await stores.users.lock(tenantId, userId));
  const after = await changedUser(stores, tenantId, before, change);
  if (passwordHash !== undefined) await setPassword(stores, tenantId, before, change, passwordHash);
  await stores.users.update(tenantId, after);
  const initiator = reasonToLogOut(before, after, passwordHash !== undefined);
  if (initiator !== undefined) await revokeAccess(stores, tenantId, userId, initiator);
  return ordinaryUser(await stores.users.find(tenantId, userId));
}

const IDENTIFIERS = ['email', 'username', 'phoneNumber'] as const;

/** Applications hear of the gravest one. */
function reasonToLogOut(before: User, after: User, hasNewPassword: boolean): LogoutInitiator | undefined {
  if (after.blocked && !before.blocked) return 'account-deactivated';
  if (hasNewPassword) return 'password-changed';
  if (before.email !== after.email) return 'email-identifier-changed';
  return IDENTIFIERS.some((name) => before[name] !== after[name]) ? 'session-revoked' : undefined;
}

/** The identity that a change is about: the named connection's, else the only one. */
export function identityToChange(user: User, connectionName: string | undefined): Identity {
  if (connectionName !== undefined) {
    const named = user.identities.find(({ connection }) => connection === connectionName);
    if (!named) throw userErrors.unknownConnection();
    return named;
  }
  const [only, second] = user.identities;
  if (!only || second) throw userErrors.connectionNeeded();
  return only;
}

async function changedUser(stores: UserStores, tenantId: string, before: User, change: UserChange): Promise<User> {
  let after: User = {
    ...before,
    ...checkedTexts(change.texts),
    blocked: change.blocked ?? before.blocked,
    userMetadata: changedMetadata('user_metadata', before.userMetadata, change.userMetadata),
    appMetadata: changedMetadata('app_metadata', before.appMetadata, change.appMetadata),
  };
  // Checked whatever changes.
  if (change.connection !== undefined) identityToChange(before, change.connection);
  if (IDENTIFIERS.some((name) => name in change)) {
    const identity = identityToChange(before, change.connection);
    if (identity !== before.identities[0]) throw userErrors.linkedIdentity();
    const connection = await connectionOf(stores, tenantId, identity);
    after = { ...after, ...changedIdentifiers(connection, before, change) };
    await stores.users.updateKeys(tenantId, identity, {
      email: after.email,
      username: after.username,
      phone: after.phoneNumber,
    });
  }
  // A new address is unverified until someone says otherwise.
  const { email, phoneNumber } = after;
  const keepsEmail = email === before.email && before.emailVerified;
  const keepsPhone = phoneNumber === before.phoneNumber && before.phoneVerified;
  return {
    ...after,
    emailVerified: email !== undefined && (change.emailVerified ?? keepsEmail),
    phoneVerified: phoneNumber !== undefined && (change.phoneVerified ?? keepsPhone),
  };
}

function changedIdentifiers(connection: Connection, before: User, change: UserChange) {
  const changed = {
    email: 'email' in change ? change.email && checkedEmail(change.email) : before.email,
    username: 'username' in change ? change.username && checkedUsername(connection, change.username) : before.username,
    phoneNumber: 'phoneNumber' in change ? change.phoneNumber && checkedPhone(change.phoneNumber) : before.phoneNumber,
  };
  const has = { email: changed.email, username: changed.username, phone: changed.phoneNumber };
  const had = { email: before.email, username: before.username, phone: before.phoneNumber };
  for (const required of attributesOf(connection).required) {
    if (has[required] === undefined && had[required] !== undefined) {
      throw userErrors.invalid({ reason: `${required} can not be removed: the connection requires it` });
    }
  }
  if (![...identifiersOf(connection)].some((identifier) => has[identifier] !== undefined)) {
    throw userErrors.invalid({ reason: 'The user would be left without an identifier to log in with' });
  }
  return changed;
}

async function setPassword(
  stores: UserStores,
  tenantId: string,
  user: User,
  change: UserChange,
  passwordHash: string,
): Promise<void> {
  const identity = identityToChange(user, change.connection);
  const connection = await connectionOf(stores, tenantId, identity);
  await stores.passwords.set(tenantId, identity, passwordHash, formerHashesOf(connection));
}

async function connectionOf(stores: UserStores, tenantId: string, identity: Identity): Promise<Connection> {
  const connection = await stores.connections.find(tenantId, identity.connectionId);
  if (!connection) throw userErrors.unknownConnection();
  return connection;
}

function changedMetadata(
  name: 'user_metadata' | 'app_metadata',
  before: User['userMetadata'],
  change: User['userMetadata'] | undefined,
): User['userMetadata'] {
  return change === undefined ? before : checkMetadata(name, mergeMetadata(before, change));
}

function checkedTexts(texts: UserChange['texts']): UserChange['texts'] {
  for (const [name, text] of Object.entries(texts)) storableText(name, text);
  return texts;
}
