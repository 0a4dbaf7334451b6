import type { Transact } from '../../db/transact.ts';
import type { RecordEvent, Requester } from '../../logs/event.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { asIdentity, isMain, profileOf } from '../../users/identity-profile.ts';
import type { IdentityStore } from '../../users/identity-store.ts';
import type { UserStore } from '../../users/user-store.ts';
import { type FoundTicket, ticketEvent } from '../find-ticket.ts';
import { identityOfTicket, ticketErrors } from '../ticket.ts';
import type { TicketStore } from '../ticket-store.ts';
import type { VerifyElsewhere } from './verify-elsewhere.ts';

interface Parts {
  readonly transact: Transact<{
    readonly users: Pick<UserStore, 'lock' | 'find' | 'update'>;
    readonly identities: Pick<IdentityStore, 'setProfile'>;
    readonly tickets: Pick<TicketStore, 'use'>;
    readonly record: RecordEvent;
  }>;
  readonly verifyElsewhere: VerifyElsewhere;
  readonly now: () => Date;
}

export type VerifyEmail = (tenant: Tenant, found: FoundTicket, requester: Requester) => Promise<void>;

/** The address that the link went to belongs to the user, or to the linked identity. What is linked stays: a click is no login. */
export function createEmailVerification({ transact, verifyElsewhere, now }: Parts): VerifyEmail {
  return async function verifyEmail(tenant, found, requester) {
    const { tenantId } = tenant;
    const { hash, ticket } = found;
    await verifyElsewhere(tenant, found);
    await transact(async ({ users, identities, tickets, record }) => {
      await users.lock(tenantId, ticket.userId);
      const person = await users.find(tenantId, ticket.userId);
      const identity = identityOfTicket(ticket, person);
      if (!person || !identity) throw ticketErrors.invalid();
      if (!(await tickets.use(tenantId, hash, 'email-verification', now()))) throw ticketErrors.invalid();
      const proved = { ...asIdentity(person, identity), emailVerified: true };
      if (isMain(person, identity)) await users.update(tenantId, proved);
      else await identities.setProfile(tenantId, identity, profileOf(proved));
      await record(tenantId, {
        ...requester,
        ...ticketEvent(found),
        type: 'emailVerified',
        details: { title: 'Verify email', email: ticket.email },
      });
    });
  };
}
