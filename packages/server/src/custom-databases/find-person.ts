import type { Connection } from '../connections/connection.ts';
import { keepingOf } from '../connections/custom-database.ts';
import type { Transact } from '../db/transact.ts';
import type { AuditEvent } from '../logs/event.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { loginKeysOf } from '../users/password-authentication.ts';
import type { Identity, User } from '../users/user.ts';
import type { UserStore } from '../users/user-store.ts';
import { typedName } from './custom-logins.ts';
import { type KeepStores, keepRemoteUser } from './keep-remote-user.ts';
import type { RefusalPace } from './refusal-pace.ts';
import type { RemoteDirectory } from './remote-directory.ts';
import type { RemoteProfile } from './remote-profile.ts';
import { toldToUser } from './script-failure.ts';

export type FindPerson = (
  tenant: Tenant,
  connection: Connection,
  identifier: string,
  /** Who asks, where the user was not known here. */
  about: Omit<AuditEvent, 'type'>,
) => Promise<{ readonly user: User; readonly identity: Identity } | undefined>;

interface Parts {
  /** On the pool. */
  readonly users: Pick<UserStore, 'findLogin'>;
  readonly directory: RemoteDirectory;
  readonly transact: Transact<KeepStores>;
  readonly pace: RefusalPace;
}

/** The user whom somebody names without a password, wherever the directory keeps them: whoever is found is known here, too. */
export function createPersonFinder({ users, directory, transact, pace }: Parts): FindPerson {
  return async function findPerson(tenant, connection, identifier, about) {
    const { tenantId } = tenant;
    const keeping = keepingOf(connection);
    const found = await users.findLogin(tenantId, connection.id, loginKeysOf(connection, identifier));
    if (keeping === 'here') return found;
    const key = `${connection.id} get_user`;
    // Nobody is told who has moved in by how soon the answer comes.
    if (keeping === 'import' && found) return pace.wait(key).then(() => found);
    const name = typedName(identifier);
    if (name === undefined) return undefined;
    const find = () => directory.find({ tenant, connection, told: toldToUser }, name);
    const profile = await pace.time(key, find);
    if (!profile) return undefined;
    return transact(async (stores) => {
      // Known here by other names, which count: else whoever has an old address of theirs would get the link.
      if (keeping === 'import' && (await isKnown(stores, tenant, connection, profile))) return undefined;
      return keepRemoteUser(stores, tenantId, connection, profile, { about });
    });
  };
}

async function isKnown(
  { identities }: Pick<KeepStores, 'identities'>,
  { tenantId }: Tenant,
  { strategy, id }: Connection,
  { identityUserId }: RemoteProfile,
): Promise<boolean> {
  return (await identities.owners(tenantId, strategy, identityUserId, id)).length > 0;
}
