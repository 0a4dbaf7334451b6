import type { Client } from '../clients/client.ts';
import type { Connection } from '../connections/connection.ts';
import { digest } from '../kit/digest.ts';
import type { AuditEvent } from '../logs/event.ts';
import { asIdentity } from '../users/identity-profile.ts';
import type { Identity, User } from '../users/user.ts';
import { identityOfTicket, isTicket, type Ticket, type TicketPurpose, ticketErrors } from './ticket.ts';
import type { TicketStore } from './ticket-store.ts';

/** A ticket with all that it is about, as it was when it was looked at: whoever acts on it looks again in the transaction. */
export interface FoundTicket {
  readonly hash: string;
  readonly ticket: Ticket;
  readonly user: User;
  readonly identity: Identity;
  readonly connection: Connection;
  readonly client: Client | undefined;
}

/** The ticket that a link belonged to, whose user has nothing to verify any more. */
export type Verified = Pick<FoundTicket, 'ticket' | 'user'>;

interface Parts {
  readonly tickets: Pick<TicketStore, 'find' | 'findVerification'>;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly findConnection: (tenantId: string, connectionId: string) => Promise<Connection | undefined>;
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly now: () => Date;
}

export type FindTicket = (tenantId: string, purpose: TicketPurpose, given: string | undefined) => Promise<FoundTicket>;

/** Answers only tickets whose user, identity and connection are as they were; a used or expired one is given with its refusal. */
export function createTicketFinder({ tickets, findUser, findConnection, findClient, now }: Parts): FindTicket {
  return async function findTicket(tenantId, purpose, given) {
    if (!isTicket(given)) throw ticketErrors.invalid();
    const hash = digest(given);
    const ticket = await tickets.find(tenantId, hash, purpose);
    if (!ticket) throw ticketErrors.invalid();
    const user = await findUser(tenantId, ticket.userId);
    const identity = identityOfTicket(ticket, user);
    const connection = await findConnection(tenantId, ticket.connectionId);
    if (!user || !identity || !connection) throw ticketErrors.invalid();
    if (ticket.usedAt === undefined && ticket.expiresAt <= now()) throw ticketErrors.expired();
    const client = ticket.clientId === undefined ? undefined : await findClient(tenantId, ticket.clientId);
    return { hash, ticket, user, identity, connection, client };
  };
}

/** The user whose address a link was to verify, where it is verified by now: the link is old, and nobody has to do anything. */
export function createVerifiedUserFinder({ tickets, findUser }: Pick<Parts, 'tickets' | 'findUser'>) {
  return async function findVerifiedUser(tenantId: string, given: string | undefined): Promise<Verified | undefined> {
    const ticket = isTicket(given) ? await tickets.findVerification(tenantId, digest(given)) : undefined;
    if (!ticket) return undefined;
    const user = await findUser(tenantId, ticket.userId);
    const identity = identityOfTicket(ticket, user);
    return user && identity && asIdentity(user, identity).emailVerified ? { ticket, user } : undefined;
  };
}

/** What events about a ticket's user have in common. */
export function ticketEvent({ user, identity, connection, client }: FoundTicket): Omit<AuditEvent, 'type'> {
  return {
    userId: user.userId,
    userName: user.email ?? user.username ?? user.userId,
    identityUserId: identity.userId,
    connection: connection.name,
    connectionId: connection.id,
    strategy: connection.strategy,
    strategyType: 'database',
    ...(client && { clientId: client.clientId, clientName: client.name }),
  };
}
