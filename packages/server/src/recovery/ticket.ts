import { defineErrors } from '../kit/errors.ts';
import { asIdentity } from '../users/identity-profile.ts';
import type { Identity, User } from '../users/user.ts';

export type TicketPurpose = 'password-change' | 'email-verification';

/** What somebody may do who has a link: for one user, once, until it ends. */
export interface Ticket {
  readonly purpose: TicketPurpose;
  readonly userId: string;
  readonly connectionId: string;
  /** Of the identity: the part of the user's id behind the bar. */
  readonly identityUserId: string;
  /** The identity's address when the ticket was made: with another one it opens nothing. */
  readonly email: string | undefined;
  readonly clientId: string | undefined;
  readonly resultUrl: string | undefined;
  /** Whoever changes a password over a link in a mail reads the mails of that address. */
  readonly marksEmailVerified: boolean;
  readonly includesEmail: boolean;
  /** The login that the user left to reset the password. */
  readonly loginState: string | undefined;
  /** Of the mail, where the user's own request chose it: the pages of the link keep to it. */
  readonly language: string | undefined;
  readonly usedAt: Date | undefined;
  readonly expiresAt: Date;
}

export interface NewTicket extends Omit<Ticket, 'usedAt'> {
  readonly ticketHash: string;
  readonly createdAt: Date;
}

/** Auth0's: five days. */
export const TICKET_LIFETIME_SECONDS = 432_000;

const TICKET = /^[A-Za-z0-9]{32}$/;

export const isTicket = (text: string | undefined): text is string => text !== undefined && TICKET.test(text);

export const ticketErrors = defineErrors({
  invalid: {
    status: 400,
    code: 'invalid_ticket',
    message: 'This ticket does not exist, was used or has been replaced.',
  },
  expired: { status: 400, code: 'expired_ticket', message: 'This ticket has expired.' },
  userBlocked: { status: 400, code: 'operation_not_supported', message: 'The user is blocked.' },
  noEmail: { status: 400, code: 'operation_not_supported', message: 'The user does not have an email address.' },
  noPassword: {
    status: 400,
    code: 'operation_not_supported',
    message: 'The connection of this user does not support password changes.',
  },
  resultUrlOrClient: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'result_url can not be specified with client_id or organization_id'.",
  },
  invalidResultUrl: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'result_url must be an https URL without user name, password and fragment'.",
  },
  notBoth: { status: 400, code: 'invalid_body', message: "Payload validation error: '{reason}'." },
  unknownOrganization: {
    status: 404,
    code: 'inexistent_organization',
    message: 'No organization found by that id or name.',
  },
  unknownClient: { status: 404, code: 'inexistent_client', message: 'The client does not exist' },
});

/** The identity that a ticket is for, unless it is gone or the user is not who the ticket was made for any more (attack R2). */
export function identityOfTicket(ticket: Ticket, user: User | undefined): Identity | undefined {
  if (!user || user.blocked) return undefined;
  const identity = user.identities.find(
    ({ connectionId, userId }) => connectionId === ticket.connectionId && userId === ticket.identityUserId,
  );
  return identity && asIdentity(user, identity).email === ticket.email ? identity : undefined;
}
