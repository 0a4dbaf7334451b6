import { isDeepStrictEqual } from 'node:util';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import { keepingOf } from '../connections/custom-database.ts';
import type { DeclaredError } from '../kit/errors.ts';
import type { AuditEvent, RecordEvent } from '../logs/event.ts';
import { asIdentity, hasUnprovedAddress, isMain, isSameIdentity, profileOf } from '../users/identity-profile.ts';
import type { IdentityStore } from '../users/identity-store.ts';
import type { IdpTokenStore } from '../users/idp-tokens/idp-token-store.ts';
import type { PasswordStore } from '../users/password-store.ts';
import { type Identity, type User, userErrors } from '../users/user.ts';
import type { UserStore } from '../users/user-store.ts';
import { firstProfile, mergedProfile } from './merge-profile.ts';
import type { RemoteProfile } from './remote-profile.ts';

export interface KeepStores {
  readonly users: Pick<UserStore, 'insert' | 'find' | 'lock' | 'update' | 'updateKeys'>;
  readonly identities: Pick<IdentityStore, 'owners' | 'setProfile' | 'distrustLinked' | 'distrustAddress'>;
  readonly passwords: Pick<PasswordStore, 'setFirst' | 'keptElsewhere' | 'setReported'>;
  readonly idpTokens: Pick<IdpTokenStore, 'set'>;
  readonly connections: Pick<ConnectionStore, 'markUsedElsewhere'>;
  readonly record: RecordEvent;
}

export interface Keeping {
  /** That the user has just shown to the script: a hash of it moves in; 'elsewhere' it replaces that of here. */
  readonly password?: { readonly hash: string } | 'elsewhere';
  /** Thrown where the id has an owner: whoever signs up must not become somebody who is there. */
  readonly ifKnown?: DeclaredError;
  /** Who asks, as events tell it, where no other event says how the user came here. */
  readonly about?: Omit<AuditEvent, 'type'>;
}

export interface KeptUser {
  readonly user: User;
  readonly identity: Identity;
  /** Whether a password was here already, which counts alone from then on. */
  readonly hadPassword: boolean;
  /** Until when a script may be changing the password. */
  readonly changingUntil: Date | undefined;
}

/**
 * Writes down what a script says of a user: a new one, or one that is known by the script's id in this very connection. An id
 * or an address of somebody else's is refused by the database's constraints (409). `stores` is one transaction. With a
 * hash users move in: who has a password here already stays as they are.
 */
export async function keepRemoteUser(
  stores: KeepStores,
  tenantId: string,
  connection: Connection,
  profile: RemoteProfile,
  { password, ifKnown, about }: Keeping = {},
): Promise<KeptUser> {
  const passwordHash = typeof password === 'object' ? password.hash : undefined;
  const { strategy, id: connectionId } = connection;
  const key = { provider: strategy, userId: profile.identityUserId, connectionId };
  // Before any user is locked: whoever turns the directory back holds the connection first, too.
  if (password === 'elsewhere') await stores.connections.markUsedElsewhere(tenantId, connectionId);
  const [owner] = await stores.identities.owners(tenantId, strategy, profile.identityUserId, connectionId);
  if (owner && ifKnown) throw ifKnown;
  const known = owner && (await lock(stores, tenantId, owner.userId, key));
  // After the lock, as everywhere: who has a password here is what is known here, and no script says otherwise.
  const hadPassword =
    known !== undefined &&
    passwordHash !== undefined &&
    !(await stores.passwords.setFirst(tenantId, known.identity, passwordHash));
  if (known && hadPassword) return { ...known, hadPassword, changingUntil: undefined };
  const changingUntil =
    known && password === 'elsewhere' ? await stores.passwords.keptElsewhere(tenantId, known.identity) : undefined;
  if (owner) {
    if (known) await update(stores, tenantId, known, profile);
  } else await insert(stores, tenantId, connection, profile, passwordHash);
  if (profile.tokens) await stores.idpTokens.set(tenantId, key, profile.tokens);
  if (profile.lastPasswordReset) await stores.passwords.setReported(tenantId, key, profile.lastPasswordReset);
  const user = await stores.users.find(tenantId, owner?.userId ?? idOf(connection, profile));
  const identity = user?.identities.find((one) => isSameIdentity(one, key));
  // Gone, or linked elsewhere, between two statements: whoever asks comes again.
  if (!user || !identity) throw userErrors.notFound();
  if (about && (!owner || passwordHash !== undefined))
    await tell(stores, tenantId, { connection, profile, user, about });
  return { user, identity, hadPassword, changingUntil };
}

/** That somebody has come here from another database, and what they left there. */
async function tell(
  { record }: Pick<KeepStores, 'record'>,
  tenantId: string,
  {
    connection,
    profile,
    user,
    about,
  }: {
    readonly connection: Connection;
    readonly profile: RemoteProfile;
    readonly user: User;
    readonly about: Omit<AuditEvent, 'type'>;
  },
): Promise<void> {
  const event = {
    ...about,
    connection: connection.name,
    connectionId: connection.id,
    strategy: connection.strategy,
    strategyType: 'database',
    userId: user.userId,
    userName: user.email ?? user.username ?? user.userId,
    identityUserId: profile.identityUserId,
  };
  const details = { title: 'Import of one user', mode: keepingOf(connection) };
  await record(tenantId, { ...event, type: 'usersImported', details });
  if (profile.hasFactors)
    await record(tenantId, {
      ...event,
      type: 'loginWarned',
      description: 'mfa_factors of the profile are not taken over: the user has no second factor here.',
      details: { warning: 'mfa_factors' },
    });
}

const idOf = ({ strategy }: Connection, { identityUserId }: RemoteProfile) => `${strategy}|${identityUserId}`;

async function insert(
  { users }: KeepStores,
  tenantId: string,
  connection: Connection,
  remote: RemoteProfile,
  passwordHash: string | undefined,
): Promise<void> {
  await users.insert(
    tenantId,
    { ...firstProfile(remote), userId: idOf(connection, remote), blocked: false, isSystem: false },
    {
      connectionId: connection.id,
      provider: connection.strategy,
      identityUserId: remote.identityUserId,
      passwordHash,
      profileData: {},
    },
  );
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
): Promise<void> {
  const { userId } = before;
  const known = asIdentity(before, identity);
  const changed = mergedProfile(known, remote);
  if (isDeepStrictEqual(known, changed)) return;
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
}
