import type { Connection } from '../connections/connection.ts';
import { keepingOf } from '../connections/custom-database.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { createDatabaseUser, draftUser, type NewDatabaseUser } from '../users/create-user.ts';
import { checkNewPassword, type HashNewPassword } from '../users/new-password.ts';
import { type User, userErrors } from '../users/user.ts';
import { type KeepStores, keepRemoteUser } from './keep-remote-user.ts';
import type { Asked, RemoteDirectory } from './remote-directory.ts';
import type { RemoteProfile } from './remote-profile.ts';
import { wrongResult } from './script-failure.ts';

export interface UserRequest {
  readonly tenant: Tenant;
  readonly connection: Connection;
  readonly clientId: string | undefined;
  readonly input: NewDatabaseUser;
  readonly password: string;
  /** The user as the wire has it, for the rule that a password holds nothing personal. */
  readonly owner: Readonly<Record<string, unknown>>;
  /** What the tenant's code makes of the new user, or refuses, when all else that can be checked is. */
  readonly before: (input: NewDatabaseUser) => Promise<NewDatabaseUser>;
  readonly told: Asked['told'];
}

/** Makes the user, in the transaction at hand. */
export type MakeUser = (stores: KeepStores) => Promise<User>;
export type PrepareUser = (request: UserRequest) => Promise<MakeUser>;

interface Parts {
  readonly hashNewPassword: HashNewPassword;
  readonly directory: RemoteDirectory;
}

/** All of a new user that comes before the transaction: the rules, the hash, the scripts of a custom database. */
export function createUserPreparation({ hashNewPassword, directory }: Parts): PrepareUser {
  return async function prepareUser({ tenant, connection, clientId, input: given, password, owner, before, told }) {
    const { tenantId } = tenant;
    const draft = draftUser(connection, given);
    const asked = { tenant, connection, told };
    if (keepingOf(connection) === 'remote') {
      checkNewPassword(connection, password, owner);
      const input = await before(given);
      const profile = await directory.create(asked, {
        client_id: clientId,
        email: draft.email,
        username: draft.username,
        phone_number: draft.phoneNumber,
        password,
        user_metadata: input.userMetadata,
        app_metadata: input.appMetadata,
      });
      return async (stores) => {
        // Else whoever signs up would become the user of that id, or overwrite the profile.
        const ifKnown = told(
          wrongResult('login', 'the id of the new user belongs to another one: nothing was changed here'),
        );
        const { user } = await keepRemoteUser(stores, tenantId, connection, withInput(profile, input), { ifKnown });
        if (input.blocked !== true) return user;
        await stores.users.update(tenantId, { ...user, blocked: true });
        return { ...user, blocked: true };
      };
    }
    // Hashed, and the tenant's code asked, whether or not the address is taken: only the insert finds that out (attack L1).
    const hash = await hashNewPassword(tenantId, { connection, password, owner });
    const input = await before(given);
    // Who is still there would else be shut out by whoever takes the address here first.
    if (keepingOf(connection) === 'import' && (await isKnownThere(asked, draft))) throw userErrors.alreadyExists();
    return (stores) => createDatabaseUser(stores, tenantId, connection, input, hash);
  };

  async function isKnownThere(
    asked: Asked,
    { email, username, phoneNumber }: ReturnType<typeof draftUser>,
  ): Promise<boolean> {
    for (const name of [email, username, phoneNumber])
      if (name !== undefined && (await directory.find(asked, name))) return true;
    return false;
  }
}

/** The script's word counts; what it does not say of the new user is as its creator said. */
function withInput(profile: RemoteProfile, input: NewDatabaseUser): RemoteProfile {
  return {
    ...profile,
    emailVerified: profile.emailVerified ?? input.emailVerified,
    phoneVerified: profile.phoneVerified ?? input.phoneVerified,
    name: profile.name ?? input.name,
    nickname: profile.nickname ?? input.nickname,
    givenName: profile.givenName ?? input.givenName,
    familyName: profile.familyName ?? input.familyName,
    picture: profile.picture ?? input.picture,
    userMetadata: { ...input.userMetadata, ...profile.userMetadata },
    appMetadata: { ...input.appMetadata, ...profile.appMetadata },
  };
}
