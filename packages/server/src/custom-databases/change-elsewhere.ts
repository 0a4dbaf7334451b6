import type { Connection } from '../connections/connection.ts';
import { keepingOf } from '../connections/custom-database.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { identityToChange } from '../users/change-user.ts';
import { checkedEmail } from '../users/create-user.ts';
import { asIdentity } from '../users/identity-profile.ts';
import { checkNewPassword } from '../users/new-password.ts';
import type { Identity, User } from '../users/user.ts';
import { toWire, type UserChange } from '../users/user-wire.ts';
import type { RemoteDirectory } from './remote-directory.ts';
import { directoryErrors, toldToOperator } from './script-failure.ts';

interface Parts {
  readonly directory: RemoteDirectory;
  readonly findConnection: (tenantId: string, id: string) => Promise<Connection | undefined>;
}

export type ChangeElsewhere = ReturnType<typeof createChangeElsewhere>;

const OF_THE_IDENTITY = ['email', 'username', 'phoneNumber', 'password'] as const;

/**
 * What an operator changes of users whose directory is a custom database: the scripts run first, since each may be asked
 * for the same thing once more, while a transaction of ours can't be taken back.
 */
export function createChangeElsewhere({ directory, findConnection }: Parts) {
  async function remote(tenant: Tenant, { connectionId }: Identity): Promise<Connection | undefined> {
    const connection = await findConnection(tenant.tenantId, connectionId);
    return connection && keepingOf(connection) === 'remote' ? connection : undefined;
  }

  return {
    /** Before PATCH /users/{id}. The connection where the password is kept elsewhere, and was changed there. */
    async change(tenant: Tenant, user: User, change: UserChange): Promise<Connection | undefined> {
      if (!OF_THE_IDENTITY.some((name) => name in change)) return undefined;
      const identity = identityToChange(user, change.connection);
      const connection = await remote(tenant, identity);
      if (!connection) return undefined;
      const asked = { tenant, connection, told: toldToOperator };
      for (const property of ['username', 'phoneNumber'] as const)
        if (property in change)
          throw directoryErrors.keptElsewhere({
            property: property === 'username' ? 'username' : 'phone_number',
            connection: connection.name,
          });
      const known = asIdentity(user, identity);
      const name = known.email ?? known.username ?? '';
      if ('email' in change) {
        if (change.email === undefined || known.email === undefined)
          throw directoryErrors.keptElsewhere({ property: 'email', connection: connection.name });
        const email = checkedEmail(change.email);
        if (email !== known.email)
          await directory.changeEmail(asked, identity.userId, known.email, email, change.emailVerified === true);
      }
      if (change.password === undefined) return undefined;
      checkNewPassword(connection, change.password, toWire(known));
      await directory.changePassword(asked, identity.userId, name, change.password);
      return connection;
    },

    /** Before a user is deleted: everywhere. */
    async remove(tenant: Tenant, identities: readonly Identity[]): Promise<void> {
      for (const identity of identities) {
        const connection = await remote(tenant, identity);
        if (connection) await directory.remove({ tenant, connection, told: toldToOperator }, identity.userId);
      }
    },
  };
}
