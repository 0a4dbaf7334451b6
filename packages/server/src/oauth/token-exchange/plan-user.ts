import type { ActionCommand } from '../../actions/running/action-commands.ts';
import type { Connection } from '../../connections/connection.ts';
import { keepingOf } from '../../connections/custom-database.ts';
import type { Transact } from '../../db/transact.ts';
import { flagOf, type Json, objectOf, textOf } from '../../kit/json-values.ts';
import type { AuditEvent, RecordEvent } from '../../logs/event.ts';
import { createDatabaseUser, storableText } from '../../users/create-user.ts';
import type { IdentityStore } from '../../users/identity-store.ts';
import { isWithinLimits, mergeMetadata } from '../../users/metadata.ts';
import { type Metadata, type User, userErrors } from '../../users/user.ts';
import type { UserStore } from '../../users/user-store.ts';
import { exchangeErrors } from './exchange-errors.ts';

interface Stores {
  readonly users: Pick<UserStore, 'insert' | 'find' | 'lock' | 'update'>;
  readonly record: RecordEvent;
}

interface Parts {
  readonly transact: Transact<Stores>;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly findOwners: IdentityStore['owners'];
  readonly findConnectionByName: (tenantId: string, name: string) => Promise<Connection | undefined>;
}

export type FindNamedUser = ReturnType<typeof createNamedUserFinder>;

const TEXTS = [
  ['name', 'name'],
  ['nickname', 'nickname'],
  ['given_name', 'givenName'],
  ['family_name', 'familyName'],
  ['picture', 'picture'],
] as const;

/** The user whom an action named by one command, made or changed as far as it asked for that; undefined where there is none. */
export function createNamedUserFinder({ transact, findUser, findOwners, findConnectionByName }: Parts) {
  return async function findNamedUser(
    tenantId: string,
    { name, arguments: given }: ActionCommand,
    metadata: { readonly userMetadata: Metadata; readonly appMetadata: Metadata },
    event: Omit<AuditEvent, 'type'>,
  ): Promise<User | undefined> {
    const [first, second, third] = given;
    const named =
      name === 'authentication.setUserById'
        ? await findUser(tenantId, textOf(first)?.slice(0, 300) ?? '')
        : await byConnection(tenantId, textOf(first) ?? '', objectOf(second), objectOf(third), event);
    // Administrators of this installation are users of no application.
    if (!named || named.isSystem) return undefined;
    // The exchange ends there: it changes nothing.
    if (named.blocked) return named;
    const hasChanges = Object.keys(metadata.userMetadata).length + Object.keys(metadata.appMetadata).length > 0;
    return hasChanges ? withMetadata(tenantId, named, metadata) : named;
  };

  async function byConnection(
    tenantId: string,
    name: string,
    profile: Json,
    options: Json,
    event: Omit<AuditEvent, 'type'>,
  ): Promise<User | undefined> {
    const connection = await findConnectionByName(tenantId, name);
    const id = textOf(profile.user_id);
    if (!connection || connection.isSystem || !id) return undefined;
    const known = await findOwner(tenantId, connection, id);
    if (known)
      return options.updateBehavior === 'replace' && !known.blocked ? replaced(tenantId, known, profile) : known;
    if (options.creationBehavior !== 'create_if_not_exists') return undefined;
    // Who is still there alone would be shut out by whoever is made here with the same address.
    if (keepingOf(connection) !== 'here') throw exchangeErrors.unsupported();
    return create(tenantId, connection, id, profile, event);
  }

  async function create(
    tenantId: string,
    connection: Connection,
    id: string,
    profile: Json,
    event: Omit<AuditEvent, 'type'>,
  ): Promise<User | undefined> {
    try {
      // Without a password: nobody logs in as this user but by an exchange, or after a reset.
      return await transact(async (stores) => {
        const user = await createDatabaseUser(stores, tenantId, connection, newUserOf(profile, id), undefined);
        await stores.record(tenantId, {
          ...event,
          type: 'signedUp',
          userId: user.userId,
          userName: user.email ?? user.username ?? user.userId,
          connection: connection.name,
          connectionId: connection.id,
        });
        return user;
      });
    } catch (cause) {
      // Of two exchanges at once one makes the user.
      if (cause instanceof Error && cause.message === userErrors.alreadyExists().message)
        return findOwner(tenantId, connection, id);
      throw cause;
    }
  }

  /** Of an id in this very connection: those of two directories begin alike, and a linked one is behind another user's id. */
  async function findOwner(tenantId: string, { id, strategy }: Connection, identityUserId: string) {
    const [owner] = await findOwners(tenantId, strategy, identityUserId, id);
    return owner && findUser(tenantId, owner.userId);
  }

  async function replaced(tenantId: string, { userId }: User, profile: Json): Promise<User | undefined> {
    return transact(async ({ users }) => {
      const locked = await users.lock(tenantId, userId);
      if (!locked) return undefined;
      const texts = TEXTS.map(([wire, name]) => [name, storableText(wire, textOf(profile[wire])?.slice(0, 2_048))]);
      await users.update(tenantId, { ...locked, ...Object.fromEntries(texts) });
      return users.find(tenantId, userId);
    });
  }

  async function withMetadata(
    tenantId: string,
    { userId }: User,
    { userMetadata, appMetadata }: { readonly userMetadata: Metadata; readonly appMetadata: Metadata },
  ): Promise<User | undefined> {
    return transact(async ({ users }) => {
      const locked = await users.lock(tenantId, userId);
      if (!locked) return undefined;
      const after = {
        ...locked,
        userMetadata: merged(locked.userMetadata, userMetadata),
        appMetadata: merged(locked.appMetadata, appMetadata),
      };
      if (!isWithinLimits(after.userMetadata) || !isWithinLimits(after.appMetadata)) return undefined;
      await users.update(tenantId, after);
      return users.find(tenantId, userId);
    });
  }
}

function newUserOf(profile: Json, userId: string) {
  const given = {
    email: textOf(profile.email),
    emailVerified: flagOf(profile.email_verified),
    username: textOf(profile.username),
    phoneNumber: textOf(profile.phone_number),
    phoneVerified: flagOf(profile.phone_verified),
    ...Object.fromEntries(TEXTS.map(([wire, name]) => [name, textOf(profile[wire])])),
    userId,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function merged(metadata: Metadata, change: Metadata): Metadata {
  return Object.keys(change).length > 0 ? mergeMetadata(metadata, change) : metadata;
}
