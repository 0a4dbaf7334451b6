import type { Connection } from '../connections/connection.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import { keepingOf, scriptOf } from '../connections/custom-database.ts';
import type { Transact } from '../db/transact.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { type ChangedPassword, identityToChange, type RevokeAccess } from '../users/change-user.ts';
import { checkedEmail, checkedUsername } from '../users/create-user.ts';
import { asIdentity, isSameIdentity } from '../users/identity-profile.ts';
import { checkNewPassword } from '../users/new-password.ts';
import type { PasswordStore } from '../users/password-store.ts';
import { type Identity, type User, userErrors } from '../users/user.ts';
import type { LoginKeys, UserStore } from '../users/user-store.ts';
import { toWire, type UserChange } from '../users/user-wire.ts';
import type { Asked, RemoteDirectory } from './remote-directory.ts';
import { directoryErrors, toldToOperator } from './script-failure.ts';

/** Two scripts, each with its time in the queue, for a container and for itself: nobody logs in meanwhile. */
export const LONGEST_CHANGE_SECONDS = 120;

export interface ChangeStores {
  readonly users: Pick<UserStore, 'lock'>;
  readonly passwords: Pick<PasswordStore, 'beginChange' | 'recordReset'>;
  readonly connections: Pick<ConnectionStore, 'markUsedElsewhere'>;
}

interface Parts<Stores extends ChangeStores> {
  readonly directory: RemoteDirectory;
  readonly findConnection: (tenantId: string, id: string) => Promise<Connection | undefined>;
  /** On the pool. */
  readonly users: Pick<UserStore, 'findLogin'>;
  readonly transact: Transact<Stores>;
  readonly revokeAccess: RevokeAccess<Stores>;
}

/** What was changed elsewhere: a password is still to be recorded here. */
export interface ChangedElsewhere {
  readonly connection: Connection;
  readonly password: ChangedPassword;
}

export interface ChangeElsewhere {
  /** Before PATCH /users/{id}. */
  change(tenant: Tenant, user: User, change: UserChange): Promise<ChangedElsewhere | undefined>;
  /** Before a user is deleted: everywhere. */
  remove(tenant: Tenant, identities: readonly Identity[]): Promise<void>;
}

const OF_THE_IDENTITY = ['email', 'username', 'phoneNumber', 'password'] as const;
const NO_KEYS = { email: undefined, username: undefined, phone: undefined };

/**
 * What an operator changes of users whose directory is a custom database: the scripts run first, since each may be asked
 * for the same thing once more, while a transaction of ours can't be taken back.
 */
export function createChangeElsewhere<Stores extends ChangeStores>(parts: Parts<Stores>): ChangeElsewhere {
  const { directory, findConnection, users, transact, revokeAccess } = parts;

  async function remote(tenant: Tenant, { connectionId }: Identity): Promise<Connection | undefined> {
    const connection = await findConnection(tenant.tenantId, connectionId);
    return connection && keepingOf(connection) === 'remote' ? connection : undefined;
  }

  return {
    async change(tenant, user, change) {
      if (!OF_THE_IDENTITY.some((name) => name in change)) return undefined;
      const identity = identityToChange(user, change.connection);
      const connection = await remote(tenant, identity);
      if (!connection) return undefined;
      const asked = { tenant, connection, told: toldToOperator };
      const known = asIdentity(user, identity);
      if ('phoneNumber' in change) throw keptElsewhere(connection, 'phone_number');
      if ('username' in change) await changeUsername(asked, identity, known, change.username);
      if ('email' in change) await changeEmail(asked, identity, known, change);
      if (change.password === undefined) return undefined;
      checkNewPassword(connection, change.password, toWire(known));
      return { connection, password: await changePassword(asked, user, identity, change.password) };
    },

    async remove(tenant, identities) {
      for (const identity of identities) {
        const connection = await remote(tenant, identity);
        if (connection) await directory.remove({ tenant, connection, told: toldToOperator }, identity.userId);
      }
    },
  };

  async function changeUsername(asked: Asked, identity: Identity, known: User, given: string | undefined) {
    const { connection } = asked;
    // Auth0 names this script and documents none of it: without one the change is refused.
    if (given === undefined || known.username === undefined || !scriptOf(connection, 'change_username'))
      throw keptElsewhere(connection, 'username');
    const username = checkedUsername(connection, given);
    if (username === known.username) return;
    await refuseTaken(asked, identity, { ...NO_KEYS, username }, userErrors.usernameTaken);
    await directory.changeUsername(asked, identity.userId, known.username, username);
  }

  async function changeEmail(asked: Asked, identity: Identity, known: User, change: UserChange) {
    if (change.email === undefined || known.email === undefined) throw keptElsewhere(asked.connection, 'email');
    const email = checkedEmail(change.email);
    if (email === known.email) return;
    await refuseTaken(asked, identity, { ...NO_KEYS, email }, userErrors.alreadyExists);
    await directory.changeEmail(asked, identity.userId, known.email, email, change.emailVerified === true);
  }

  /** Before the script changes it there. Whoever takes it in between is found by the database's constraint. */
  async function refuseTaken(
    { tenant, connection }: Asked,
    identity: Identity,
    keys: LoginKeys,
    taken: () => Error,
  ): Promise<void> {
    const owner = await users.findLogin(tenant.tenantId, connection.id, keys);
    if (owner && !isSameIdentity(owner.identity, identity)) throw taken();
  }

  /**
   * All that opened with the old password ends before the script runs, for a kill in between, and once more when the change
   * is recorded. A script that failed may have changed it nonetheless.
   */
  async function changePassword(
    asked: Asked,
    user: User,
    identity: Identity,
    password: string,
  ): Promise<ChangedPassword> {
    const { tenantId } = asked.tenant;
    const known = asIdentity(user, identity);
    const end = (stores: Stores) => revokeAccess(stores, tenantId, user.userId, 'password-changed');
    await transact(async (stores) => {
      await stores.connections.markUsedElsewhere(tenantId, identity.connectionId);
      await stores.users.lock(tenantId, user.userId);
      await end(stores);
      await stores.passwords.beginChange(tenantId, identity, LONGEST_CHANGE_SECONDS);
    });
    try {
      const name = known.email ?? known.username ?? '';
      return { changedElsewhere: await directory.changePassword(asked, identity.userId, name, password) };
    } catch (error) {
      await transact(async (stores) => {
        await stores.users.lock(tenantId, user.userId);
        await end(stores);
        await stores.passwords.recordReset(tenantId, identity);
      });
      throw error;
    }
  }
}

function keptElsewhere({ name }: Connection, property: string): Error {
  return directoryErrors.keptElsewhere({ property, connection: name });
}
