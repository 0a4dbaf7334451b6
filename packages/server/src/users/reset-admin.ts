import { ADMIN_CONNECTION } from '../connections/connection.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import type { Transact } from '../db/transact.ts';
import { defineErrors } from '../kit/errors.ts';
import { randomSecret } from '../kit/ids.ts';
import type { RecordEvent } from '../logs/event.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import type { RevokeAccess } from './change-user.ts';
import { normaliseEmail } from './identifier.ts';
import type { PasswordStore } from './password-store.ts';
import type { User } from './user.ts';
import type { UserListStore } from './user-list-store.ts';
import type { UserStore } from './user-store.ts';

export const adminErrors = defineErrors({
  noAdmin: { status: 404, code: 'inexistent_admin', message: "The tenant '{name}' has no administrator." },
  unknownAdmin: {
    status: 404,
    code: 'inexistent_admin',
    message: "'{email}' is no administrator of the tenant '{name}'; there is {others}.",
  },
  severalAdmins: {
    status: 400,
    code: 'admin_ambiguous',
    message: "The tenant '{name}' has several administrators: name one with --email ({others}).",
  },
});

interface Stores {
  readonly users: UserStore;
  readonly userLists: UserListStore;
  readonly passwords: PasswordStore;
  readonly connections: ConnectionStore;
  readonly record: RecordEvent;
}

interface Needs<Full extends Stores> {
  readonly stores: Stores;
  readonly transact: Transact<Full>;
  readonly hasher: Pick<PasswordHasher, 'hash'>;
  readonly revokeAccess: RevokeAccess<Full>;
}

export interface AdminPassword {
  readonly tenant: string;
  readonly email: string;
  readonly password: string;
}

/** `gatewright admin reset`: a new random password, no session and no token of the old one, no block. */
export function createAdminReset<Full extends Stores>({ stores, transact, hasher, revokeAccess }: Needs<Full>) {
  async function findAdmin(tenantId: string, email: string | undefined): Promise<User> {
    const admins = await stores.userLists.administrators(tenantId);
    const others = admins.map((admin) => admin.email).join(', ');
    const [first, second] = admins;
    if (!first) throw adminErrors.noAdmin({ name: tenantId });
    if (email === undefined) {
      if (second) throw adminErrors.severalAdmins({ name: tenantId, others });
      return first;
    }
    const named = admins.find((admin) => admin.email === normaliseEmail(email));
    if (!named) throw adminErrors.unknownAdmin({ email: email.slice(0, 100), name: tenantId, others });
    return named;
  }

  return async (tenantId: string, email: string | undefined): Promise<AdminPassword> => {
    const { userId } = await findAdmin(tenantId, email);
    const password = randomSecret(15);
    const hash = await hasher.hash(tenantId, password);
    const admin = await transact(async (bound) => {
      const user = await bound.users.lock(tenantId, userId);
      const identity = user?.identities.find(({ connection }) => connection === ADMIN_CONNECTION);
      if (!user || !identity) throw adminErrors.noAdmin({ name: tenantId });
      if (user.blocked) await bound.users.update(tenantId, { ...user, blocked: false });
      await bound.passwords.set(tenantId, identity, hash, 0);
      await revokeAccess(bound, tenantId, userId, 'password-changed');
      await bound.record(tenantId, {
        type: 'passwordChanged',
        description: 'Reset by the operator',
        userId,
        userName: user.email ?? '',
        connection: ADMIN_CONNECTION,
        connectionId: identity.connectionId,
        details: { request: { method: 'POST', channel: 'cli' } },
      });
      return user;
    });
    return { tenant: tenantId, email: admin.email ?? '', password };
  };
}
