import type { Client } from '../clients/client.ts';
import { type Connection, identifiersOf } from '../connections/connection.ts';
import type { FindPerson } from '../custom-databases/find-person.ts';
import type { Transact } from '../db/transact.ts';
import type { PrepareMails } from '../email/compose-mail.ts';
import type { MailStore } from '../email/mail-store.ts';
import { DeclaredError } from '../kit/errors.ts';
import type { AuditEvent, RecordEvent } from '../logs/event.ts';
import { explanationOf } from '../logs/explain-error.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { normaliseEmail, normaliseIdentifier } from '../users/identifier.ts';
import { asIdentity } from '../users/identity-profile.ts';
import type { User } from '../users/user.ts';
import type { DraftTicket } from './draft-ticket.ts';
import type { TicketStore } from './ticket-store.ts';

export interface ResetRequest {
  readonly tenant: Tenant;
  readonly client: Client;
  readonly connection: Connection;
  /** What the user logs in with: an address, or a name where the connection has names. */
  readonly identifier: string;
  readonly language: string;
  /** Who asks and for which application, as the event tells it. */
  readonly event: Omit<AuditEvent, 'type'>;
  readonly loginState?: string;
}

export type RequestReset = (request: ResetRequest) => Promise<void>;

interface Parts {
  readonly findPerson: FindPerson;
  readonly transact: Transact<{
    readonly tickets: Pick<TicketStore, 'replace'>;
    readonly mails: Pick<MailStore, 'insertWithTicket'>;
    readonly record: RecordEvent;
  }>;
  readonly draftTicket: DraftTicket;
  readonly prepareMails: PrepareMails;
}

/** No user has these: statements about nobody find nothing. */
const NOBODY = { userId: '', identityUserId: '', email: 'nobody@nowhere.invalid' };

/**
 * Sends the link for a new password, if there is anybody to send it to. Whether there is, nothing tells: a stranger's
 * request takes the same lookup, writes the same mail and runs the same statements, which then store nothing (attack L1).
 */
export function createResetRequest({ findPerson, transact, draftTicket, prepareMails }: Parts): RequestReset {
  return async function requestReset(request) {
    const { tenant, client, connection, language, event } = request;
    const { tenantId } = tenant;
    // A custom database that does not answer is nothing that a stranger is told, either.
    let failure: DeclaredError | undefined;
    const found = await findPerson(tenant, connection, request.identifier, event).catch((cause) => {
      if (!(cause instanceof DeclaredError)) throw cause;
      failure = cause;
      return undefined;
    });
    // A linked identity is reset over its own address: the main one may be somebody else's.
    const user = found && asIdentity(found.user, found.identity);
    const refusal = refusalOf(user);
    const recipient = refusal === undefined ? user : undefined;
    const ticket = draftTicket(tenant, {
      purpose: 'password-change',
      userId: recipient?.userId ?? NOBODY.userId,
      connectionId: connection.id,
      identityUserId: (recipient && found?.identity.userId) ?? NOBODY.identityUserId,
      email: recipient?.email ?? NOBODY.email,
      clientId: client.clientId,
      marksEmailVerified: true,
      loginState: request.loginState,
      language,
    });
    const composeMail = await prepareMails(tenant);
    const mail = composeMail({
      template: 'reset_email',
      to: recipient?.email ?? NOBODY.email,
      language,
      about: {
        user: recipient ?? { email: NOBODY.email, emailVerified: false },
        connection,
        client,
        url: ticket.url,
        lifetimeSeconds: ticket.lifetimeSeconds,
      },
    });
    const known = { ...event, userName: shown(connection, request.identifier), ...(user && { userId: user.userId }) };
    await transact(async ({ tickets, mails, record }) => {
      const isStored = await tickets.replace(tenantId, ticket.row);
      await mails.insertWithTicket(tenantId, mail, ticket.row.ticketHash);
      // Blocked, removed or renamed since it was looked up.
      const reason = refusal ?? (isStored ? undefined : 'User does not exist.');
      await record(
        tenantId,
        reason === undefined
          ? {
              ...known,
              type: 'passwordChangeRequested',
              details: { ...event.details, title: 'Change password', email: mail.to, mail_id: mail.mailId },
            }
          : {
              ...known,
              type: 'passwordChangeRequestFailed',
              description: reason,
              details: { ...event.details, error: { message: reason }, ...(failure && explanationOf(failure)) },
            },
      );
    });
  };
}

function refusalOf(user: User | undefined): string | undefined {
  if (!user || user.isSystem) return 'User does not exist.';
  if (user.blocked) return 'The user is blocked.';
  return user.email === undefined ? 'The user does not have an email address.' : undefined;
}

/** As it was typed, in the form that logins are recorded with. */
function shown(connection: Connection, identifier: string): string {
  const normal = identifiersOf(connection).has('username')
    ? normaliseIdentifier(identifier)
    : normaliseEmail(identifier);
  return normal ?? identifier.slice(0, 320);
}
