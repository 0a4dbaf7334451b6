import type { AfterPasswordChange } from '../actions/running/password-change.ts';
import type { Transact } from '../db/transact.ts';
import type { AuditEvent, RecordEvent, Requester } from '../logs/event.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { RevokeAccess } from '../users/change-user.ts';
import { asIdentity } from '../users/identity-profile.ts';
import type { IdentityStore } from '../users/identity-store.ts';
import { formerHashesOf, type HashNewPassword } from '../users/new-password.ts';
import type { PasswordStore } from '../users/password-store.ts';
import { type ReturnStores, returnToOwner } from '../users/return-to-owner.ts';
import type { UserStore } from '../users/user-store.ts';
import { toWire } from '../users/user-wire.ts';
import { type FoundTicket, ticketEvent } from './find-ticket.ts';
import { identityOfTicket, ticketErrors } from './ticket.ts';
import type { TicketStore } from './ticket-store.ts';

export interface ResetStores {
  readonly users: Pick<UserStore, 'lock' | 'find' | 'update'>;
  readonly identities: IdentityStore;
  readonly consents: ReturnStores['consents'];
  readonly passwords: Pick<PasswordStore, 'set'>;
  readonly tickets: Pick<TicketStore, 'use'>;
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
  readonly revokeAccess: RevokeAccess<Stores>;
  readonly afterPasswordChange: AfterPasswordChange;
  readonly now: () => Date;
}

/** A new password by a ticket. It ends the user's sessions and refresh tokens: whoever stole the old one had them, too. */
export function createPasswordChangeByTicket<Stores extends ResetStores>({
  transact,
  hashNewPassword,
  revokeAccess,
  afterPasswordChange,
  now,
}: Parts<Stores>): ChangePasswordByTicket {
  return async function changePassword(tenant, found, password, requester) {
    const { tenantId } = tenant;
    const { hash, ticket, user, identity, connection } = found;
    const passwordHash = await hashNewPassword(tenantId, {
      connection,
      password,
      owner: toWire(asIdentity(user, identity)),
      identity,
    });
    const about = { ...requester, ...ticketEvent(found) };
    const person = await transact(async (stores) => {
      // Hashing takes its time: what was looked up may be another user's, or nobody's, by now (attack R2).
      await stores.users.lock(tenantId, ticket.userId);
      const person = await stores.users.find(tenantId, ticket.userId);
      const changed = identityOfTicket(ticket, person);
      if (!person || !changed) throw ticketErrors.invalid();
      if (!(await stores.tickets.use(tenantId, hash, 'password-change', now()))) throw ticketErrors.invalid();
      await revokeAccess(stores, tenantId, person.userId, 'password-changed');
      const isProved = ticket.marksEmailVerified && ticket.email !== undefined;
      const unlinked = isProved ? await returnToOwner(stores, tenantId, person, changed) : [];
      // After that: of an account that was split off, too, no earlier token proves anything.
      if (!(await stores.passwords.set(tenantId, changed, passwordHash, formerHashesOf(connection))))
        throw ticketErrors.invalid();
      const event: AuditEvent = {
        ...about,
        type: 'passwordChanged',
        details: {
          title: 'Change password',
          email: ticket.email,
          body: { user_id: person.userId, password },
          ...(unlinked.length > 0 && { unlinked }),
        },
      };
      await stores.record(tenantId, event);
      return person;
    });
    await afterPasswordChange({
      tenant,
      connection,
      user: { ...person, lastPasswordReset: now() },
      request: { requester, method: 'POST' },
      about,
    });
  };
}
