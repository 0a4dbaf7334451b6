import type { ActionCommand } from '../../actions/running/action-commands.ts';
import { type Connection, isOpenTo } from '../../connections/connection.ts';
import { keepingOf } from '../../connections/custom-database.ts';
import { flagOf, type Json, objectOf, textOf } from '../../kit/json-values.ts';
import type { AuditEvent, RecordEvent } from '../../logs/event.ts';
import type { Additions } from '../../pipeline/outcome.ts';
import { createDatabaseUser, draftUser, type NewDatabaseUser } from '../../users/create-user.ts';
import type { IdentityStore } from '../../users/identity-store.ts';
import { changedByCode } from '../../users/metadata.ts';
import type { Metadata, User } from '../../users/user.ts';
import type { UserStore } from '../../users/user-store.ts';
import { exchangeErrors } from './exchange-errors.ts';
import { replaceProfile, TEXTS } from './replace-profile.ts';

export interface KeepStores {
  readonly users: Pick<UserStore, 'insert' | 'find' | 'lock' | 'update'>;
  readonly identities: Pick<IdentityStore, 'setProfile'>;
  readonly record: RecordEvent;
}

/** Stores what is planned, in the transaction at hand, or throws. What post-login code set of the metadata stays its. */
export type KeepUser = (stores: KeepStores, additions: Additions) => Promise<void>;

/** Whose tokens are asked for: nothing of this is stored. */
export interface PlannedUser {
  /** As the user will be. */
  readonly user: User;
  readonly connection: Connection;
  /** Nobody is there yet. */
  readonly isNew: boolean;
  /** None where nothing changes. */
  readonly keep: KeepUser | undefined;
}

export interface MetadataChanges {
  readonly userMetadata: Metadata;
  readonly appMetadata: Metadata;
}

interface Parts {
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly findOwners: IdentityStore['owners'];
  readonly findConnection: (tenantId: string, connectionId: string) => Promise<Connection | undefined>;
  readonly findConnectionByName: (tenantId: string, name: string) => Promise<Connection | undefined>;
  readonly now: () => Date;
}

export type PlanUser = ReturnType<typeof createUserPlanner>;

/** The user whom an action named by one command, made or changed as far as it asked for that; undefined where there is none. */
export function createUserPlanner({ findUser, findOwners, findConnection, findConnectionByName, now }: Parts) {
  return async function planUser(
    tenantId: string,
    client: Parameters<typeof isOpenTo>[1],
    { name, arguments: given }: ActionCommand,
    metadata: MetadataChanges,
    event: Omit<AuditEvent, 'type'>,
  ): Promise<PlannedUser | undefined> {
    const [first, second, third] = given;
    if (name === 'authentication.setUserById') {
      const user = await findUser(tenantId, textOf(first)?.slice(0, 300) ?? '');
      return user && planKnown(tenantId, user, metadata, undefined);
    }
    const [profile, options] = [objectOf(second), objectOf(third)];
    const connection = await findConnectionByName(tenantId, textOf(first) ?? '');
    const id = textOf(profile.user_id);
    if (!connection || connection.isSystem || !id) return undefined;
    // As at every other login: an application has the users of its connections.
    if (!isOpenTo(connection, client)) throw exchangeErrors.connectionNotEnabled();
    const known = await findOwner(tenantId, connection, id);
    if (known) {
      const replaced = options.updateBehavior === 'replace' ? { profile, connectionId: connection.id, id } : undefined;
      return planKnown(tenantId, known, metadata, replaced);
    }
    if (options.creationBehavior !== 'create_if_not_exists') return undefined;
    // Who is still there alone would be shut out by whoever is made here with the same address.
    if (keepingOf(connection) !== 'here') throw exchangeErrors.unsupported();
    return planNew(tenantId, connection, newUserOf(profile, id, metadata), event);
  };

  async function planKnown(
    tenantId: string,
    user: User,
    metadata: MetadataChanges,
    replaced: { readonly profile: Json; readonly connectionId: string; readonly id: string } | undefined,
  ): Promise<PlannedUser | undefined> {
    const [main] = user.identities;
    const connection = main && (await findConnection(tenantId, main.connectionId));
    // Administrators of this installation are users of no application.
    if (!connection || user.isSystem) return undefined;
    const change = (person: User, changes: MetadataChanges) => {
      const { user: renamed, linked } = replaced
        ? replaceProfile(person, replaced)
        : { user: person, linked: undefined };
      return { user: { ...renamed, ...withMetadata(person, changes) }, linked };
    };
    // One who is blocked is refused: nothing is asked of what would become of them.
    if (user.blocked) return { user, connection, isNew: false, keep: undefined };
    const planned = change(user, metadata).user;
    if (!replaced && isEmpty(metadata)) return { user, connection, isNew: false, keep: undefined };
    return {
      user: planned,
      connection,
      isNew: false,
      async keep({ users, identities }, additions) {
        await users.lock(tenantId, user.userId);
        // A statement that waited for the lock shows the identities of before: they are read once more.
        const locked = await users.find(tenantId, user.userId);
        if (!locked && additions.subject !== undefined) return;
        if (!locked) throw exchangeErrors.noUser();
        const changed = change(locked, withoutThose(metadata, additions));
        await users.update(tenantId, changed.user);
        if (changed.linked) await identities.setProfile(tenantId, changed.linked.identity, changed.linked.profile);
      },
    };
  }

  function planNew(
    tenantId: string,
    connection: Connection,
    input: NewDatabaseUser,
    event: Omit<AuditEvent, 'type'>,
  ): PlannedUser {
    const { identityUserId, ...draft } = draftUser(connection, input);
    const identity = {
      connection: connection.name,
      connectionId: connection.id,
      provider: connection.strategy,
      userId: identityUserId,
      isSocial: false,
      profileData: {},
    };
    const never = {
      lastLogin: undefined,
      lastIp: undefined,
      lastPasswordReset: undefined,
      reportedPasswordReset: undefined,
    };
    const time = now();
    return {
      user: { ...draft, ...never, identities: [identity], loginsCount: 0, createdAt: time, updatedAt: time },
      connection,
      isNew: true,
      async keep(stores) {
        // Without a password: nobody logs in as this user but by an exchange, or after a reset.
        const user = await createDatabaseUser(stores, tenantId, connection, input, undefined);
        await stores.record(tenantId, {
          ...event,
          type: 'signedUp',
          userId: user.userId,
          userName: user.email ?? user.username ?? user.userId,
          connection: connection.name,
          connectionId: connection.id,
        });
      },
    };
  }

  /** Of an id in this very connection: those of two directories begin alike, and a linked one is behind another user's id. */
  async function findOwner(tenantId: string, { id, strategy }: Connection, identityUserId: string) {
    const [owner] = await findOwners(tenantId, strategy, identityUserId, id);
    return owner && findUser(tenantId, owner.userId);
  }
}

function newUserOf(profile: Json, userId: string, metadata: MetadataChanges): NewDatabaseUser {
  const given = {
    email: textOf(profile.email),
    emailVerified: flagOf(profile.email_verified),
    username: textOf(profile.username),
    phoneNumber: textOf(profile.phone_number),
    phoneVerified: flagOf(profile.phone_verified),
    ...Object.fromEntries(TEXTS.map(([wire, name]) => [name, textOf(profile[wire])])),
    userId,
    ...withMetadata({ userMetadata: {}, appMetadata: {} }, metadata),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function withMetadata(before: MetadataChanges, change: MetadataChanges): MetadataChanges {
  const userMetadata = changedByCode(before.userMetadata, change.userMetadata);
  const appMetadata = changedByCode(before.appMetadata, change.appMetadata);
  if (!userMetadata || !appMetadata) throw exchangeErrors.metadataTooLarge();
  return { userMetadata, appMetadata };
}

function withoutThose(metadata: MetadataChanges, { userMetadata, appMetadata }: Additions): MetadataChanges {
  const without = (changes: Metadata, others: Metadata = {}) =>
    Object.fromEntries(Object.entries(changes).filter(([key]) => !Object.hasOwn(others, key)));
  return {
    userMetadata: without(metadata.userMetadata, userMetadata),
    appMetadata: without(metadata.appMetadata, appMetadata),
  };
}

function isEmpty({ userMetadata, appMetadata }: MetadataChanges): boolean {
  return Object.keys(userMetadata).length + Object.keys(appMetadata).length === 0;
}
