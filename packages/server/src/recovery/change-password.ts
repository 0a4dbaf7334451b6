import type { AfterPasswordChange } from '../actions/running/password-change.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import { keepingOf } from '../connections/custom-database.ts';
import { LONGEST_CHANGE_SECONDS } from '../custom-databases/change-elsewhere.ts';
import type { RemoteDirectory } from '../custom-databases/remote-directory.ts';
import { toldToUser } from '../custom-databases/script-failure.ts';
import type { Transact } from '../db/transact.ts';
import type { AuditEvent, RecordEvent, Requester } from '../logs/event.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { RevokeAccess } from '../users/change-user.ts';
import { asIdentity } from '../users/identity-profile.ts';
import type { IdentityStore } from '../users/identity-store.ts';
import { checkNewPassword, formerHashesOf, type HashNewPassword } from '../users/new-password.ts';
import type { PasswordStore } from '../users/password-store.ts';
import { type ReturnStores, returnToOwner } from '../users/return-to-owner.ts';
import type { Identity, User } from '../users/user.ts';
import type { UserStore } from '../users/user-store.ts';
import { toWire } from '../users/user-wire.ts';
import { type FoundTicket, ticketEvent } from './find-ticket.ts';
import { identityOfTicket, ticketErrors } from './ticket.ts';
import type { TicketStore } from './ticket-store.ts';

export interface ResetStores {
  readonly users: Pick<UserStore, 'lock' | 'find' | 'update'>;
  readonly identities: IdentityStore;
  readonly consents: ReturnStores['consents'];
  readonly passwords: Pick<PasswordStore, 'set' | 'beginChange' | 'recordReset'>;
  readonly connections: Pick<ConnectionStore, 'markUsedElsewhere'>;
  readonly tickets: Pick<TicketStore, 'use' | 'giveBack'>;
  readonly record: RecordEvent;
}

export type ChangePasswordByTicket = (
  tenant: Tenant,
  found: FoundTicket,
  password: string,
  requester: Requester,
) => Promise<void>;

interface Parts<Stores extends ResetStores> {
  readonly transact: Transact<Stores>;
  readonly hashNewPassword: HashNewPassword;
  readonly directory: RemoteDirectory;
  readonly revokeAccess: RevokeAccess<Stores>;
  readonly afterPasswordChange: AfterPasswordChange;
  readonly now: () => Date;
}

/** A new password by a ticket. It ends the user's sessions and refresh tokens: whoever stole the old one had them, too. */
export function createPasswordChangeByTicket<Stores extends ResetStores>({
  transact,
  hashNewPassword,
  directory,
  revokeAccess,
  afterPasswordChange,
  now,
}: Parts<Stores>): ChangePasswordByTicket {
  return async function changePassword(tenant, found, password, requester) {
    const { tenantId } = tenant;
    const { user, identity, connection } = found;
    const owner = toWire(asIdentity(user, identity));
    let person: User;
    if (keepingOf(connection) === 'remote') {
      checkNewPassword(connection, password, owner);
      person = await changeElsewhere(tenant, found, password, requester);
    } else {
      const passwordHash = await hashNewPassword(tenantId, { connection, password, owner, identity });
      person = await changeHere(tenantId, found, { password, passwordHash }, requester);
    }
    await afterPasswordChange({
      tenant,
      connection,
      user: { ...person, lastPasswordReset: now() },
      request: { requester, method: 'POST' },
      about: { ...requester, ...ticketEvent(found) },
    });
  };

  function changeHere(
    tenantId: string,
    found: FoundTicket,
    { password, passwordHash }: { readonly password: string; readonly passwordHash: string },
    requester: Requester,
  ): Promise<User> {
    return transact(async (stores) => {
      const { person, changed, unlinked } = await useTicket(stores, tenantId, found);
      // After that: of an account that was split off, too, no earlier token proves anything.
      if (!(await stores.passwords.set(tenantId, changed, passwordHash, formerHashesOf(found.connection))))
        throw ticketErrors.invalid();
      await stores.record(tenantId, changedEvent(found, password, requester, unlinked));
      return { ...person, reportedPasswordReset: undefined };
    });
  }

  /**
   * The script runs between two transactions. All that opened with the old password ends before it, and nobody logs in
   * there until it is done: whoever is killed in between leaves nothing open. A script that failed may have changed it
   * nonetheless; its ticket is good for another attempt.
   */
  async function changeElsewhere(
    tenant: Tenant,
    found: FoundTicket,
    password: string,
    requester: Requester,
  ): Promise<User> {
    const { tenantId } = tenant;
    const { connection, ticket, hash } = found;
    const known = asIdentity(found.user, found.identity);
    const { person, changed, unlinked } = await transact(async (stores) => {
      await stores.connections.markUsedElsewhere(tenantId, connection.id);
      const used = await useTicket(stores, tenantId, found);
      await stores.passwords.beginChange(tenantId, used.changed, LONGEST_CHANGE_SECONDS);
      return used;
    });
    let reported: Date | undefined;
    try {
      const name = known.email ?? known.username ?? '';
      const asked = { tenant, connection, told: toldToUser };
      reported = await directory.changePassword(asked, changed.userId, name, password);
    } catch (error) {
      await transact(async (stores) => {
        // Of an account of its own by now, where it was split off.
        const userId = await endAccess(stores, tenantId, changed);
        if (userId === undefined) return;
        await stores.tickets.giveBack(tenantId, { ...ticket, userId, ticketHash: hash, createdAt: now() });
      });
      throw error;
    }
    await transact(async (stores) => {
      await endAccess(stores, tenantId, changed, reported);
      await stores.record(tenantId, changedEvent(found, password, requester, unlinked));
    });
    return { ...person, reportedPasswordReset: reported };
  }

  /** Answers who has the identity. */
  async function endAccess(
    stores: Stores,
    tenantId: string,
    identity: Identity,
    reported?: Date,
  ): Promise<string | undefined> {
    const { provider, userId: id, connectionId } = identity;
    const [owner] = await stores.identities.owners(tenantId, provider, id, connectionId);
    if (!owner) return undefined;
    await stores.users.lock(tenantId, owner.userId);
    await revokeAccess(stores, tenantId, owner.userId, 'password-changed');
    await stores.passwords.recordReset(tenantId, identity, reported);
    return owner.userId;
  }

  async function useTicket(stores: Stores, tenantId: string, { hash, ticket }: FoundTicket) {
    // Hashing takes its time: what was looked up may be another user's, or nobody's, by now (attack R2).
    await stores.users.lock(tenantId, ticket.userId);
    const person = await stores.users.find(tenantId, ticket.userId);
    const changed = identityOfTicket(ticket, person);
    if (!person || !changed) throw ticketErrors.invalid();
    if (!(await stores.tickets.use(tenantId, hash, 'password-change', now()))) throw ticketErrors.invalid();
    await revokeAccess(stores, tenantId, person.userId, 'password-changed');
    const isProved = ticket.marksEmailVerified && ticket.email !== undefined;
    const unlinked = isProved ? await returnToOwner(stores, tenantId, person, changed) : [];
    return { person, changed, unlinked };
  }
}

function changedEvent(
  found: FoundTicket,
  password: string,
  requester: Requester,
  unlinked: readonly string[],
): AuditEvent {
  const { ticket } = found;
  return {
    ...requester,
    ...ticketEvent(found),
    type: 'passwordChanged',
    details: {
      title: 'Change password',
      email: ticket.email,
      body: { user_id: ticket.userId, password },
      ...(unlinked.length > 0 && { unlinked }),
    },
  };
}
