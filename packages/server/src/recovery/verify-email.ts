import type { Transact } from '../db/transact.ts';
import type { RecordEvent, Requester } from '../logs/event.ts';
import type { UserStore } from '../users/user-store.ts';
import { type FoundTicket, ticketEvent } from './find-ticket.ts';
import { identityOfTicket, ticketErrors } from './ticket.ts';
import type { TicketStore } from './ticket-store.ts';

interface Parts {
  readonly transact: Transact<{
    readonly users: Pick<UserStore, 'lock' | 'update'>;
    readonly tickets: Pick<TicketStore, 'use'>;
    readonly record: RecordEvent;
  }>;
  readonly now: () => Date;
}

export type VerifyEmail = (tenantId: string, found: FoundTicket, requester: Requester) => Promise<void>;

/** The address that the link went to belongs to the user. */
export function createEmailVerification({ transact, now }: Parts): VerifyEmail {
  return async function verifyEmail(tenantId, found, requester) {
    const { hash, ticket } = found;
    await transact(async ({ users, tickets, record }) => {
      const person = await users.lock(tenantId, ticket.userId);
      if (!person || !identityOfTicket(ticket, person)) throw ticketErrors.invalid();
      if (!(await tickets.use(tenantId, hash, 'email-verification', now()))) throw ticketErrors.invalid();
      if (!person.emailVerified) await users.update(tenantId, { ...person, emailVerified: true });
      await record(tenantId, {
        ...requester,
        ...ticketEvent(found),
        type: 'emailVerified',
        details: { title: 'Verify email', email: person.email },
      });
    });
  };
}
