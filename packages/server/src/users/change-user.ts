import type { Connection } from '../connections/connection.ts';
import { attributesOf, identifiersOf } from '../connections/connection.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import type { LogoutInitiator } from '../sessions/session.ts';
import { checkedEmail, checkedPhone, checkedUsername, storableText } from './create-user.ts';
import { asIdentity, hasUnprovedAddress, isMain, profileOf } from './identity-profile.ts';
import type { IdentityStore } from './identity-store.ts';
import { checkMetadata, checkOfCode, mergeMetadata } from './metadata.ts';
import { formerHashesOf } from './new-password.ts';
import type { PasswordStore } from './password-store.ts';
import { type Identity, ordinaryUser, type User, userErrors } from './user.ts';
import type { UserStore } from './user-store.ts';
import type { UserChange } from './user-wire.ts';

export interface UserStores {
  readonly users: UserStore;
  readonly identities: IdentityStore;
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

/** A new password: its hash, or where a custom database keeps it that it was changed there, and when if it says so. */
export type ChangedPassword = { readonly hash: string } | { readonly changedElsewhere: Date | undefined };

/**
 * PATCH /users/{id}. `stores` is one transaction and the row is locked, so that of parallel changes of metadata each is
 * kept. Whoever can no longer log in as before is logged out: blocked, or with another password or identifier.
 */
export async function changeUser<Stores extends UserStores>(
  stores: Stores,
  tenantId: string,
  userId: string,
  change: UserChange,
  password: ChangedPassword | undefined,
  revokeAccess: RevokeAccess<Stores>,
): Promise<User> {
  await stores.users.lock(tenantId, userId);
  // A statement that waited for the lock shows the identities of before: they are read once more.
  const before = ordinaryUser(await stores.users.find(tenantId, userId));
  const identity = identityOfChange(before, change);
  const known = asIdentity(before, identity);
  const changed = await changedIdentity(stores, tenantId, identity, known, change);
  if (password && 'changedElsewhere' in password)
    await stores.passwords.recordReset(
      tenantId,
      identityToChange(before, change.connection),
      password.changedElsewhere,
    );
  else if (password) await setPassword(stores, tenantId, before, change, password.hash);
  const after = {
    ...(isMain(before, identity) ? changed : before),
    ...checkedTexts(change.texts),
    blocked: change.blocked ?? before.blocked,
    userMetadata: changedMetadata('user_metadata', before.userMetadata, change.userMetadata, change.isByCode),
    appMetadata: changedMetadata('app_metadata', before.appMetadata, change.appMetadata, change.isByCode),
  };
  await stores.users.update(tenantId, after);
  await keepTrack(stores, tenantId, before, identity, changed);
  const initiator = reasonToLogOut({ before, after, known, changed, hasNewPassword: password !== undefined });
  if (initiator !== undefined) await revokeAccess(stores, tenantId, userId, initiator);
  return ordinaryUser(await stores.users.find(tenantId, userId));
}

const IDENTIFIERS = ['email', 'username', 'phoneNumber'] as const;

/** Applications hear of the gravest one. */
function reasonToLogOut(states: {
  readonly before: User;
  readonly after: User;
  readonly known: User;
  readonly changed: User;
  readonly hasNewPassword: boolean;
}): LogoutInitiator | undefined {
  const { before, after, known, changed, hasNewPassword } = states;
  if (after.blocked && !before.blocked) return 'account-deactivated';
  if (hasNewPassword) return 'password-changed';
  if (before.email !== after.email) return 'email-identifier-changed';
  return IDENTIFIERS.some((name) => known[name] !== changed[name]) ? 'session-revoked' : undefined;
}

/** The identity whose address, name or proofs change: the main one, unless another is named. */
function identityOfChange(user: User, change: UserChange): Identity {
  const [main] = user.identities;
  const isNamed = change.connection !== undefined || IDENTIFIERS.some((name) => name in change);
  if (isNamed || !main) return identityToChange(user, change.connection);
  return main;
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

/** The user as the identity knows it, with what changes of that. */
async function changedIdentity(
  stores: UserStores,
  tenantId: string,
  identity: Identity,
  known: User,
  change: UserChange,
): Promise<User> {
  let after = known;
  if (IDENTIFIERS.some((name) => name in change)) {
    const connection = await connectionOf(stores, tenantId, identity);
    after = { ...known, ...changedIdentifiers(connection, known, change) };
    const { email, username, phoneNumber: phone } = after;
    await stores.users.updateKeys(tenantId, identity, { email, username, phone });
  }
  // A new address is unverified until someone says otherwise.
  const { email, phoneNumber } = after;
  const keepsEmail = email === known.email && known.emailVerified;
  const keepsPhone = phoneNumber === known.phoneNumber && known.phoneVerified;
  return {
    ...after,
    emailVerified: email !== undefined && (change.emailVerified ?? keepsEmail),
    phoneVerified: phoneNumber !== undefined && (change.phoneVerified ?? keepsPhone),
  };
}

/** A linked identity keeps its own profile; what was linked without a proof of an address is remembered. */
async function keepTrack(
  { identities }: UserStores,
  tenantId: string,
  user: User,
  identity: Identity,
  changed: User,
): Promise<void> {
  const known = asIdentity(user, identity);
  const isStrange = known.email !== changed.email && hasUnprovedAddress(changed);
  if (isMain(user, identity)) {
    if (isStrange) await identities.distrustLinked(tenantId, user.userId);
    return;
  }
  if (isStrange) await identities.distrustAddress(tenantId, identity);
  await identities.setProfile(tenantId, identity, profileOf(changed));
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
  isByCode = false,
): User['userMetadata'] {
  if (change === undefined) return before;
  const after = checkMetadata(name, mergeMetadata(before, change));
  return isByCode ? checkOfCode(name, before, after) : after;
}

function checkedTexts(texts: UserChange['texts']): UserChange['texts'] {
  for (const [name, text] of Object.entries(texts)) storableText(name, text);
  return texts;
}
