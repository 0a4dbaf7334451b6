import type { Connection } from '../connections/connection.ts';
import { identifiersOf } from '../connections/connection.ts';
import type { ScriptFailure } from '../custom-databases/script-failure.ts';
import type { AuditEvent } from '../logs/event.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { normaliseIdentifier, normalisePhone } from './identifier.ts';
import type { PasswordStore } from './password-store.ts';
import type { Identity, User } from './user.ts';
import type { LoginKeys, UserStore } from './user-store.ts';

export interface PasswordHasher {
  hash(tenantId: string, password: string): Promise<string>;
  /** Spends the same time where nothing is stored; `outdated` asks for a better hash of the same password. */
  verify(
    tenantId: string,
    password: string,
    stored: string | undefined | (() => Promise<string | undefined>),
  ): Promise<{ valid: boolean; outdated: boolean }>;
}

export type Authentication =
  | { readonly outcome: 'ok'; readonly user: User; readonly identity: Identity; readonly rehashed: boolean }
  | {
      readonly outcome: 'wrongPassword';
      readonly userId: string;
      /** Compared with a hash of ours, and not by a script. */
      readonly isOfHere?: boolean;
      /** There is such a user, without a password of ours. */
      readonly hasNoPassword?: boolean;
    }
  | { readonly outcome: 'unknownUser' }
  | { readonly outcome: 'blocked'; readonly user: User }
  /** The custom database of the directory gave no answer. */
  | { readonly outcome: 'directoryFailed'; readonly failure: ScriptFailure };

export type PasswordAuthentication = (
  tenant: Tenant,
  connection: Connection,
  identifier: string,
  password: string,
  /** Who asks and for which application, where the login brings a user here who was not known. */
  about?: Omit<AuditEvent, 'type'>,
) => Promise<Authentication>;

interface Needs {
  /** On the pool: a hash takes longer than a transaction should. */
  readonly users: Pick<UserStore, 'findLogin'>;
  readonly passwords: Pick<PasswordStore, 'replaceHash'>;
  readonly hasher: PasswordHasher;
}

/**
 * Finds out who logs in with a password, for the password grant and the login page. It records nothing: the caller
 * knows which event an outcome is. Each outcome costs one verification, so that time tells nothing (attacks L1); only a
 * right password of a user whose hash is of an old form costs one more.
 */
export function createPasswordAuthentication({ users, passwords, hasher }: Needs) {
  return async function authenticate(
    { tenantId }: Pick<Tenant, 'tenantId'>,
    connection: Connection,
    identifier: string,
    password: string,
  ): Promise<Authentication> {
    // Looked up even for what can be no identifier: the query takes its time, too. In the queue's turn, so that a storm
    // of logins does not stand before everybody else at the database.
    const lookUp = async () => users.findLogin(tenantId, connection.id, loginKeysOf(connection, identifier));
    let looked: ReturnType<typeof lookUp> | undefined;
    const { valid, outdated } = await hasher.verify(tenantId, password, async () => {
      looked = lookUp();
      return (await looked)?.passwordHash;
    });
    // A password that can't be one is refused without its turn.
    const found = await (looked ?? lookUp());
    if (!found) return { outcome: 'unknownUser' };
    const { user, identity, passwordHash } = found;
    const { userId } = user;
    if (passwordHash === undefined) return { outcome: 'wrongPassword', userId, hasNoPassword: true };
    if (!valid) return { outcome: 'wrongPassword', userId, isOfHere: true };
    if (user.blocked) return { outcome: 'blocked', user };
    const rehashed =
      outdated &&
      (await passwords.replaceHash(tenantId, identity, passwordHash, await hasher.hash(tenantId, password)));
    return { outcome: 'ok', user, identity, rehashed };
  };
}

/** Whom an event about the outcome names. */
export function knownUserOf(outcome: Authentication): { readonly userId?: string } {
  if ('user' in outcome) return { userId: outcome.user.userId };
  return 'userId' in outcome ? { userId: outcome.userId } : {};
}

/** What an identifier may be in this directory. */
export function loginKeysOf(connection: Connection, identifier: string): LoginKeys {
  const normal = normaliseIdentifier(identifier);
  const identifiers = identifiersOf(connection);
  return {
    email: identifiers.has('email') ? normal : undefined,
    username: identifiers.has('username') ? normal : undefined,
    phone: identifiers.has('phone') ? normalisePhone(identifier) : undefined,
  };
}
