import type { Connection } from '../connections/connection.ts';
import { keepingOf } from '../connections/custom-database.ts';
import type { Transact } from '../db/transact.ts';
import { DeclaredError } from '../kit/errors.ts';
import type { AuditEvent } from '../logs/event.ts';
import { isUsablePassword } from '../passwords/password-text.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { normaliseEmail, normaliseIdentifier } from '../users/identifier.ts';
import type { Authentication, PasswordAuthentication, PasswordHasher } from '../users/password-authentication.ts';
import type { PasswordStore } from '../users/password-store.ts';
import { type Keeping, type KeepStores, type KeptUser, keepRemoteUser } from './keep-remote-user.ts';
import type { RefusalPace } from './refusal-pace.ts';
import { type RemoteProfile, readProfile } from './remote-profile.ts';
import type { RunScript } from './run-script.ts';
import type { ScriptFailure } from './script-failure.ts';

interface Parts {
  /** For passwords that are here. */
  readonly authenticate: PasswordAuthentication;
  readonly runScript: RunScript;
  readonly transact: Transact<KeepStores>;
  readonly hasher: PasswordHasher;
  /** On the pool. */
  readonly passwords: Pick<PasswordStore, 'hashes' | 'clock'>;
  readonly pace: RefusalPace;
}

type RemoteLogin =
  | { readonly outcome: 'ok'; readonly profile: RemoteProfile }
  | Extract<Authentication, { outcome: 'wrongPassword' | 'unknownUser' | 'directoryFailed' }>;

type Known = Extract<Authentication, { outcome: 'ok' }>;
type Kept = Exclude<Authentication, Known> | (Known & KeptUser);
type About = Omit<AuditEvent, 'type'>;

/** Finds out who logs in with a password, wherever the directory keeps it (docs/decisions/0032-custom-databases.md). */
export function createCustomLogins({
  authenticate,
  runScript,
  transact,
  hasher,
  passwords,
  pace,
}: Parts): PasswordAuthentication {
  return async (tenant, connection, identifier, password, about = {}) => {
    const keeping = keepingOf(connection);
    if (keeping === 'here') return authenticate(tenant, connection, identifier, password);
    if (keeping === 'remote') {
      const began = await passwords.clock();
      const login = await logIn(tenant, connection, identifier, password);
      if (login.outcome !== 'ok') return login;
      return unlessReset(await keep(tenant, connection, login.profile, { password: 'elsewhere', about }), began);
    }
    return pace.hold(connection.id, () => logInOrImport(tenant, connection, identifier, password, about));
  };

  /** Who is here logs in here; who is not, once with the script, and is here from then on. */
  async function logInOrImport(
    tenant: Tenant,
    connection: Connection,
    identifier: string,
    password: string,
    about: About,
  ): Promise<Authentication> {
    const here = await authenticate(tenant, connection, identifier, password);
    const isHere = here.outcome !== 'unknownUser' && !(here.outcome === 'wrongPassword' && here.hasNoPassword);
    if (isHere) return here;
    const login = await logIn(tenant, connection, identifier, password);
    if (login.outcome !== 'ok') return login;
    const hash = await hasher.hash(tenant.tenantId, password);
    const kept = await keep(tenant, connection, login.profile, { password: { hash }, about });
    return kept.outcome === 'ok' && kept.hadPassword ? compare(tenant, kept, password) : kept;
  }

  /**
   * Two first logins at once, a new password since we looked, or a name that only the old database knows: what is here
   * counts. The hash is read after the user, so that a new password in between ends the login where it is recorded.
   */
  async function compare({ tenantId }: Tenant, kept: Known, password: string): Promise<Authentication> {
    const [hash] = await passwords.hashes(tenantId, kept.identity, 1);
    const { valid } = await hasher.verify(tenantId, password, hash);
    const { user } = kept;
    if (!valid) return { outcome: 'wrongPassword', userId: user.userId };
    return user.blocked ? { outcome: 'blocked', user } : kept;
  }

  /** While the script ran the user got a new password, or is about to get one: it may have compared with the one before. */
  function unlessReset(kept: Kept, began: Date): Authentication {
    if (kept.outcome !== 'ok') return kept;
    const { changingUntil, user } = kept;
    const changes = [user.lastPasswordReset, changingUntil];
    return changes.some((time) => time && time >= began) ? { outcome: 'wrongPassword', userId: user.userId } : kept;
  }

  async function logIn(
    tenant: Tenant,
    connection: Connection,
    identifier: string,
    password: string,
  ): Promise<RemoteLogin> {
    const name = typedName(identifier);
    if (name === undefined || !isUsablePassword(password)) return { outcome: 'unknownUser' };
    const answer = await pace.time(connection.id, () => runScript(tenant, connection, 'login', [name, password]));
    if (!answer.ok) return refusalOf(connection, answer.failure);
    // Some scripts call back with nothing for nobody.
    if (answer.result === undefined || answer.result === null) return { outcome: 'unknownUser' };
    const profile = readProfile(connection, answer.result);
    return typeof profile === 'string' ? failed(profile) : { outcome: 'ok', profile };
  }

  async function keep(tenant: Tenant, connection: Connection, profile: RemoteProfile, keeping: Keeping): Promise<Kept> {
    const work = () => transact((stores) => keepRemoteUser(stores, tenant.tenantId, connection, profile, keeping));
    try {
      // Of two who are the first at once one makes the user, and the other one finds it.
      const kept = await work().catch((cause) => (isTaken(cause) ? work() : Promise.reject(cause)));
      if (kept.user.blocked && !kept.hadPassword) return { outcome: 'blocked', user: kept.user };
      return { ...kept, outcome: 'ok', rehashed: false };
    } catch (cause) {
      if (isTaken(cause)) return failed('the id, address or name of the profile belongs to another user');
      throw cause;
    }
  }
}

/** In the one form of an address; names as they were typed, since another system compares them. */
export function typedName(identifier: string): string | undefined {
  const trimmed = identifier.trim();
  if (normaliseIdentifier(trimmed) === undefined) return undefined;
  return normaliseEmail(trimmed) ?? trimmed;
}

function refusalOf({ strategy }: Connection, failure: ScriptFailure): RemoteLogin {
  const { kind, error } = failure;
  if (kind !== 'threw' || error?.name !== 'WrongUsernameOrPasswordError')
    return { outcome: 'directoryFailed', failure };
  // What the script names says whether it knows the user: false, null and '' say no.
  const known = error.userId;
  if (known === undefined || known === '' || known === 'false' || known === '0') return { outcome: 'unknownUser' };
  return { outcome: 'wrongPassword', userId: `${strategy}|${known.slice(0, 255)}` };
}

function failed(reason: string): Extract<Authentication, { outcome: 'directoryFailed' }> {
  const error = { name: 'Error', message: reason };
  return { outcome: 'directoryFailed', failure: { script: 'login', kind: 'wrong_result', error } };
}

function isTaken(cause: unknown): boolean {
  return cause instanceof DeclaredError && (cause.status === 409 || cause.status === 404);
}
