import type { Connection } from '../connections/connection.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import type { PasswordOptions } from '../passwords/password-options.ts';
import { checkPassword, checkPasswordHistory, historySize } from '../passwords/password-policy.ts';
import type { PasswordStore } from './password-store.ts';
import type { Identity } from './user.ts';

export interface NewPassword {
  readonly connection: Connection;
  readonly password: string;
  /** The user as the wire has it, for the rule that a password holds nothing personal. */
  readonly owner: Readonly<Record<string, unknown>>;
  /** Whose password changes; left out for a new user. */
  readonly identity?: Identity;
}

export type HashNewPassword = (tenantId: string, asked: NewPassword) => Promise<string>;

/**
 * Checks a new password by its connection's rules and hashes it: sign-up, POST and PATCH of a user, reset. It is slow, so
 * it comes before the transaction that stores the hash; `passwords` is a store on the pool.
 */
export function createNewPasswords(needs: {
  readonly passwords: Pick<PasswordStore, 'hashes'>;
  readonly hasher: Pick<PasswordHasher, 'hash' | 'verify'>;
}): HashNewPassword {
  const { passwords, hasher } = needs;
  return async (tenantId, { connection, password, owner, identity }) => {
    const options = passwordOptionsOf(connection);
    checkNewPassword(connection, password, owner);
    if (identity) {
      const hashes = await passwords.hashes(tenantId, identity, historySize(options));
      await checkPasswordHistory(options, password, { tenantId, hashes }, hasher);
    }
    return hasher.hash(tenantId, password);
  };
}

/** The connection's rules alone, for a password that is kept elsewhere. */
export function checkNewPassword(connection: Connection, password: string, owner: NewPassword['owner']): void {
  checkPassword(passwordOptionsOf(connection), password, owner);
}

/** How many hashes of former passwords this connection keeps, besides the present one. */
export function formerHashesOf(connection: Connection): number {
  return Math.max(0, historySize(passwordOptionsOf(connection)) - 1);
}

/** The catalogue's schema has checked these members when the options were stored. */
function passwordOptionsOf({ options }: Connection): PasswordOptions {
  return options as PasswordOptions;
}
