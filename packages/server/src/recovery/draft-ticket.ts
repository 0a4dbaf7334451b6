import { digest } from '../kit/digest.ts';
import { randomAlphanumeric } from '../kit/ids.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { type NewTicket, TICKET_LIFETIME_SECONDS, type TicketPurpose } from './ticket.ts';

/** What a link is for; what is left out has Auth0's defaults. */
export interface TicketRequest {
  readonly purpose: TicketPurpose;
  readonly userId: string;
  readonly connectionId: string;
  readonly identityUserId: string;
  readonly email: string | undefined;
  readonly clientId?: string | undefined;
  readonly resultUrl?: string | undefined;
  readonly lifetimeSeconds?: number | undefined;
  readonly marksEmailVerified?: boolean;
  readonly includesEmail?: boolean;
  readonly loginState?: string | undefined;
  readonly language?: string | undefined;
}

export interface DraftedTicket {
  /** Goes to the user, and nowhere else: only its hash is stored. */
  readonly url: string;
  readonly lifetimeSeconds: number;
  readonly row: NewTicket;
}

export type DraftTicket = (tenant: Tenant, request: TicketRequest) => DraftedTicket;

interface Parts {
  /** Never a request's host: whoever sends the request would choose where the link leads (attack R1). */
  readonly canonicalOrigin: (tenant: Tenant) => string;
  readonly now: () => Date;
}

const PATHS = { 'password-change': '/u/reset-verify', 'email-verification': '/u/email-verification' } as const;
/** An operator may want a link to live longer than five days; one that lives for good is a password. */
const LONGEST_SECONDS = 90 * 86_400;

/** Makes a ticket; storing it is a matter of the transaction that it belongs to. */
export function createTicketDraft({ canonicalOrigin, now }: Parts): DraftTicket {
  return function draftTicket(tenant, request) {
    const ticket = randomAlphanumeric(32);
    const createdAt = now();
    const lifetimeSeconds = Math.min(request.lifetimeSeconds || TICKET_LIFETIME_SECONDS, LONGEST_SECONDS);
    return {
      // Auth0's links end like this; scripts that add to them rely on it.
      url: `${canonicalOrigin(tenant)}${PATHS[request.purpose]}?ticket=${ticket}#`,
      lifetimeSeconds,
      row: {
        purpose: request.purpose,
        userId: request.userId,
        connectionId: request.connectionId,
        identityUserId: request.identityUserId,
        email: request.email,
        clientId: request.clientId,
        resultUrl: request.resultUrl,
        marksEmailVerified: request.marksEmailVerified ?? false,
        includesEmail: request.includesEmail ?? true,
        loginState: request.loginState,
        language: request.language,
        ticketHash: digest(ticket),
        createdAt,
        expiresAt: new Date(createdAt.getTime() + lifetimeSeconds * 1_000),
      },
    };
  };
}
