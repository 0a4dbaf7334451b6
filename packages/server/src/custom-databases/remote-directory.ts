import type { Connection } from '../connections/connection.ts';
import { type ScriptName, scriptOf } from '../connections/custom-database.ts';
import type { DeclaredError } from '../kit/errors.ts';
import { isObject } from '../kit/json-values.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { userErrors } from '../users/user.ts';
import { dateOf, type RemoteProfile, readProfile } from './remote-profile.ts';
import type { RunScript } from './run-script.ts';
import { type ScriptFailure, wrongResult } from './script-failure.ts';

/** Of whom a directory is asked, and how its failures are told to who asks. */
export interface Asked {
  readonly tenant: Tenant;
  readonly connection: Connection;
  readonly told: (failure: ScriptFailure) => DeclaredError;
}

/** What `create` gets besides the names of tenant and connection. */
export interface NewRemoteUser {
  readonly email?: string | undefined;
  readonly username?: string | undefined;
  readonly phone_number?: string | undefined;
  readonly password: string;
  readonly client_id?: string | undefined;
  readonly user_metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly app_metadata?: Readonly<Record<string, unknown>> | undefined;
}

export type RemoteDirectory = ReturnType<typeof createRemoteDirectory>;

/** The users of a custom database: each operation with the scripts that it takes, in their order. */
export function createRemoteDirectory({ runScript }: { readonly runScript: RunScript }) {
  async function run(asked: Asked, script: ScriptName, ...given: unknown[]): Promise<unknown> {
    const answer = await runScript(asked.tenant, asked.connection, script, given);
    if (!answer.ok) throw refusalOf(asked, answer.failure);
    return answer.result;
  }

  async function find(asked: Asked, name: string): Promise<RemoteProfile | undefined> {
    const result = await run(asked, 'get_user', name);
    return result === undefined || result === null ? undefined : profileOf(asked, 'get_user', result);
  }

  /** Refuses where the name is somebody else's there by now: the scripts that change know users by their names alone. */
  async function insistOnPerson(asked: Asked, identityUserId: string, name: string): Promise<void> {
    const profile = await find(asked, name);
    if (!profile) throw asked.told(wrongResult('get_user', 'it does not know the user'));
    if (profile.identityUserId !== identityUserId)
      throw asked.told(wrongResult('get_user', 'it knows another user by this name: nothing was changed'));
  }

  /** Refuses where the script says no: false, as the number of rows that it changed, or in words. */
  async function insist(asked: Asked, script: ScriptName, ...given: unknown[]): Promise<unknown> {
    const result = await run(asked, script, ...given);
    if (!result) throw asked.told(wrongResult(script, `it answered ${String(result)}: nothing was changed`));
    return result;
  }

  return {
    find,

    /** Makes the user there, and answers who that is. */
    async create(asked: Asked, user: NewRemoteUser): Promise<RemoteProfile> {
      const { tenant, connection } = asked;
      const name = user.email ?? user.username ?? user.phone_number ?? '';
      if (await find(asked, name)) throw userErrors.alreadyExists();
      const { password, ...others } = user;
      await run(asked, 'create', { ...others, password, tenant: tenant.tenantId, connection: connection.name });
      const made = await run(asked, 'login', name, password);
      return profileOf(asked, 'login', made);
    },

    /** Answers when it was changed, where the script says so. */
    async changePassword(asked: Asked, id: string, name: string, password: string): Promise<Date | undefined> {
      await insistOnPerson(asked, id, name);
      const result = await insist(asked, 'change_password', name, password);
      return isObject(result) ? dateOf(result.last_password_reset) : undefined;
    },

    async changeEmail(asked: Asked, id: string, email: string, newEmail: string, isVerified: boolean): Promise<void> {
      await insistOnPerson(asked, id, email);
      await insist(asked, 'change_email', email, newEmail, isVerified);
    },

    async changeUsername(asked: Asked, id: string, username: string, newUsername: string): Promise<void> {
      await insistOnPerson(asked, id, username);
      await insist(asked, 'change_username', username, newUsername);
    },

    /** Says there that an address is proved, where somebody wants to know. */
    async verify(asked: Asked, email: string): Promise<void> {
      if (scriptOf(asked.connection, 'verify') !== undefined) await insist(asked, 'verify', email);
    },

    /** Where there is no such script, the user can't be removed there, and only the copy here goes. */
    async remove(asked: Asked, identityUserId: string): Promise<void> {
      if (scriptOf(asked.connection, 'delete') !== undefined) await run(asked, 'delete', identityUserId);
    },
  };
}

function refusalOf({ told }: Asked, failure: ScriptFailure): DeclaredError {
  if (failure.kind !== 'threw' || failure.script !== 'create') return told(failure);
  if (failure.error?.code === 'user_exists') return userErrors.alreadyExists();
  return failure.error?.code === 'username_exists' ? userErrors.usernameTaken() : told(failure);
}

function profileOf({ connection, told }: Asked, script: ScriptName, result: unknown): RemoteProfile {
  const profile = readProfile(connection, result);
  if (typeof profile === 'string') throw told(wrongResult(script, profile));
  return profile;
}
