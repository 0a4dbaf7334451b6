import { isDeepStrictEqual } from 'node:util';
import type { Connection } from '../connections/connection.ts';
import type { ChangedPassword } from '../users/change-user.ts';
import { asIdentity, hasUnprovedAddress, isMain, isSameIdentity, profileOf } from '../users/identity-profile.ts';
import type { IdentityStore } from '../users/identity-store.ts';
import type { PasswordStore } from '../users/password-store.ts';
import { type Identity, type Metadata, type User, userErrors } from '../users/user.ts';
import type { UserStore, UserToInsert } from '../users/user-store.ts';
import type { RemoteProfile } from './remote-profile.ts';

export interface KeepStores {
  readonly users: Pick<UserStore, 'insert' | 'find' | 'lock' | 'update' | 'updateKeys'>;
  readonly identities: Pick<IdentityStore, 'owners' | 'setProfile' | 'distrustLinked' | 'distrustAddress'>;
  readonly passwords: Pick<PasswordStore, 'setFirst' | 'forget'>;
}

export interface KeptUser {
  readonly user: User;
  readonly identity: Identity;
  /** Whether a password was here already, which counts alone from then on. */
  readonly hadPassword: boolean;
}

/**
 * Writes down what a script says of a user: a new one, or one that is known by the script's id in this very connection. An id
 * or an address of somebody else's is refused by the database's constraints (409). `stores` is one transaction. With a
 * hash users move in: who has a password here already stays as they are. One that was good 'elsewhere' replaces that of here.
 */
export async function keepRemoteUser(
  stores: KeepStores,
  tenantId: string,
  connection: Connection,
  profile: RemoteProfile,
  password?: ChangedPassword,
): Promise<KeptUser> {
  const passwordHash = typeof password === 'object' ? password.hash : undefined;
  const { strategy, id: connectionId } = connection;
  const key = { provider: strategy, userId: profile.identityUserId, connectionId };
  const [owner] = await stores.identities.owners(tenantId, strategy, profile.identityUserId, connectionId);
  const known = owner && (await lock(stores, tenantId, owner.userId, key));
  // After the lock, as everywhere: who has a password here is what is known here, and no script says otherwise.
  const hadPassword =
    known !== undefined &&
    passwordHash !== undefined &&
    !(await stores.passwords.setFirst(tenantId, known.identity, passwordHash));
  if (known && hadPassword) return { ...known, hadPassword };
  if (known && password === 'elsewhere') await stores.passwords.forget(tenantId, known.identity);
  const user = owner
    ? known && (await update(stores, tenantId, known, profile))
    : await insert(stores, tenantId, connection, profile, passwordHash);
  const identity = user?.identities.find((one) => isSameIdentity(one, key));
  // Gone, or linked elsewhere, between two statements: whoever asks comes again.
  if (!user || !identity) throw userErrors.notFound();
  return { user, identity, hadPassword };
}

async function insert(
  { users }: KeepStores,
  tenantId: string,
  { strategy, id: connectionId }: Connection,
  remote: RemoteProfile,
  passwordHash: string | undefined,
): Promise<User | undefined> {
  const { identityUserId, ...fields } = remote;
  const userId = `${strategy}|${identityUserId}`;
  const user: UserToInsert = {
    ...fields,
    userId,
    emailVerified: remote.email !== undefined && remote.emailVerified === true,
    phoneVerified: remote.phoneNumber !== undefined && remote.phoneVerified === true,
    blocked: false,
    isSystem: false,
  };
  await users.insert(tenantId, user, {
    connectionId,
    provider: strategy,
    identityUserId,
    passwordHash,
    profileData: {},
  });
  return users.find(tenantId, userId);
}

type Known = Pick<KeptUser, 'user' | 'identity'>;

async function lock(
  { users }: KeepStores,
  tenantId: string,
  userId: string,
  key: Pick<Identity, 'provider' | 'userId' | 'connectionId'>,
): Promise<Known | undefined> {
  await users.lock(tenantId, userId);
  // A statement that waited for the lock shows the identities of before: they are read once more.
  const user = await users.find(tenantId, userId);
  const identity = user?.identities.find((one) => isSameIdentity(one, key));
  return user && identity && { user, identity };
}

async function update(
  { users, identities }: KeepStores,
  tenantId: string,
  { user: before, identity }: Known,
  remote: RemoteProfile,
): Promise<User | undefined> {
  const { userId } = before;
  const known = asIdentity(before, identity);
  const changed = merged(known, remote);
  if (isDeepStrictEqual(known, changed)) return before;
  const { email, username, phoneNumber: phone } = changed;
  if (email !== known.email || username !== known.username || phone !== known.phoneNumber)
    await users.updateKeys(tenantId, identity, { email, username, phone });
  const isStrange = email !== known.email && hasUnprovedAddress(changed);
  if (isMain(before, identity)) {
    await users.update(tenantId, changed);
    if (isStrange) await identities.distrustLinked(tenantId, userId);
  } else {
    // Its metadata is the account's affair, not that of an identity linked to it.
    await identities.setProfile(tenantId, identity, profileOf(changed));
    if (isStrange) await identities.distrustAddress(tenantId, identity);
  }
  return users.find(tenantId, userId);
}

/** What the script does not say stays as it was; of metadata, too. */
function merged(known: User, remote: RemoteProfile): User {
  const { identityUserId: _id, emailVerified, phoneVerified, userMetadata, appMetadata, ...fields } = remote;
  return {
    ...known,
    ...fields,
    emailVerified: isProved(fields.email, known.email, known.emailVerified, emailVerified),
    phoneVerified: isProved(fields.phoneNumber, known.phoneNumber, known.phoneVerified, phoneVerified),
    userMetadata: combined(known.userMetadata, userMetadata),
    appMetadata: combined(known.appMetadata, appMetadata),
  };
}

function isProved(
  address: string | undefined,
  before: string | undefined,
  wasProved: boolean,
  said: boolean | undefined,
): boolean {
  if (address === undefined) return false;
  return said ?? (address === before && wasProved);
}

function combined(before: Metadata, given: Metadata): Metadata {
  return { ...before, ...given };
}
