import type { Client } from '../../clients/client.ts';
import { type Connection, member } from '../../connections/connection.ts';
import type { ComposeMail, PrepareMails } from '../../email/compose-mail.ts';
import type { MailStore } from '../../email/mail-store.ts';
import type { AuditEvent, RecordEvent } from '../../logs/event.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { asIdentity } from '../../users/identity-profile.ts';
import type { Identity, User } from '../../users/user.ts';
import type { DraftTicket } from '../draft-ticket.ts';
import { ticketErrors } from '../ticket.ts';
import type { TicketStore } from '../ticket-store.ts';

export interface Verification {
  readonly tenant: Tenant;
  readonly user: User;
  readonly identity: Identity;
  readonly connection: Pick<Connection, 'id' | 'name' | 'strategy'>;
  readonly client: Client | undefined;
  readonly language: string;
  /** Whether the user's own request asked for it: an operator's says nothing of the browser that opens the link. */
  readonly isLanguageChosen?: boolean;
  readonly event: Omit<AuditEvent, 'type'>;
  readonly jobId?: string;
}

export interface VerificationStores {
  readonly tickets: Pick<TicketStore, 'replace'>;
  readonly mails: Pick<MailStore, 'insertWithTicket'>;
  readonly record: RecordEvent;
}

export type SendVerification = (stores: VerificationStores, verification: Verification) => Promise<void>;
/** Comes before the transaction in which the mail is written. */
export type PrepareVerification = (tenant: Tenant) => Promise<SendVerification>;

interface Parts {
  readonly draftTicket: DraftTicket;
  readonly prepareMails: PrepareMails;
}

/** Sends the link that proves an address, with the transaction at hand. */
export function createVerificationMail({ draftTicket, prepareMails }: Parts): PrepareVerification {
  return async function prepareVerification(tenant) {
    const composeMail = await prepareMails(tenant);
    return (stores, verification) => sendVerification(stores, composeMail, verification);
  };

  async function sendVerification(
    { tickets, mails, record }: VerificationStores,
    composeMail: ComposeMail,
    verification: Verification,
  ): Promise<void> {
    const { tenant, identity, connection, client, language } = verification;
    const user = asIdentity(verification.user, identity);
    const { tenantId } = tenant;
    if (user.email === undefined) throw ticketErrors.noEmail();
    const ticket = draftTicket(tenant, {
      purpose: 'email-verification',
      userId: user.userId,
      connectionId: identity.connectionId,
      identityUserId: identity.userId,
      email: user.email,
      clientId: client?.clientId,
      ...(verification.isLanguageChosen && { language }),
    });
    const mail = composeMail({
      template: 'verify_email',
      to: user.email,
      language,
      about: { user, connection, client, url: ticket.url, lifetimeSeconds: ticket.lifetimeSeconds },
    });
    if (!(await tickets.replace(tenantId, ticket.row))) throw ticketErrors.userBlocked();
    await mails.insertWithTicket(tenantId, mail, ticket.row.ticketHash);
    await record(tenantId, {
      ...verification.event,
      type: 'verificationEmailRequested',
      connection: connection.name,
      connectionId: connection.id,
      strategy: connection.strategy,
      strategyType: 'database',
      userId: user.userId,
      userName: user.email,
      details: {
        body: {
          template: { type: 'verify_email' },
          tenant: tenantId,
          ...(client && { client_id: client.clientId }),
          connection: connection.name,
          provider: identity.provider,
          idp_user_id: identity.userId,
          user_id: user.userId,
          to: user.email,
          ...(verification.jobId && { job_id: verification.jobId }),
        },
        mail_id: mail.mailId,
      },
    });
  }
}

/** Whether a new user of this connection is sent the link; with Auth0 it is on unless the connection says otherwise. */
export function asksForVerification({ options }: Pick<Connection, 'options'>): boolean {
  const email = member(member(options, 'attributes'), 'email');
  return member(member(email, 'signup'), 'verification')?.active !== false;
}

/** Whether a new user has an address that nobody has proved yet. */
export function isUnproved(user: User): boolean {
  return user.email !== undefined && !user.emailVerified && !user.blocked;
}
