import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Client } from '../../clients/client.ts';
import type { Connection } from '../../connections/connection.ts';
import { describe, explanation, toldToUser } from '../../custom-databases/script-failure.ts';
import type { Transact } from '../../db/transact.ts';
import type { TenantCookie } from '../../http/cookies.ts';
import { randomSecret } from '../../kit/ids.ts';
import type { AuditEvent, RecordEvent } from '../../logs/event.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { settingsOf } from '../../tenants/tenant-settings.ts';
import { knownUserOf, type PasswordAuthentication } from '../../users/password-authentication.ts';
import { embeddedLoginErrors } from './embedded-login-errors.ts';
import type { LoginTicketStore, TicketSecrets } from './login-ticket-store.ts';

interface Parts {
  readonly transact: Transact<{ loginTickets: LoginTicketStore; record: RecordEvent }>;
  readonly authenticate: PasswordAuthentication;
  readonly findConnectionByName: (tenantId: string, name: string) => Promise<Connection | undefined>;
  readonly findConnectionByRealm: (tenantId: string, realm: string) => Promise<Connection | undefined>;
  readonly ticketCookie: TenantCookie;
  readonly recordAlone: RecordEvent;
  readonly now: () => Date;
}

export interface Credentials {
  readonly client: Client;
  /** The connection's name or realm; the tenant's default directory where there is none. */
  readonly realm: string | undefined;
  readonly username: string;
  readonly password: string;
}

const MAX_USER_NAME = 256;
/** auth0.js forgets its verifier after fifteen minutes; the redirect to /authorize comes at once. */
const LIFETIME_MILLISECONDS = 300_000;
const COOKIE = /^[A-Za-z0-9_-]{43}$/;

export type IssueLoginTicket = ReturnType<typeof createLoginTicketIssuer>;

/**
 * Checks a password that an application's own form sent, and answers with a ticket instead of a session: only the
 * browser that sent the password can redeem it at /authorize, so that nobody is logged in to an account of somebody else.
 */
export function createLoginTicketIssuer(parts: Parts) {
  const { transact, authenticate, ticketCookie, recordAlone, now } = parts;

  return async function issueLoginTicket(
    http: FastifyRequest,
    reply: FastifyReply,
    { client, realm, username, password }: Credentials,
  ): Promise<TicketSecrets> {
    const { tenant, requester } = http;
    const connection = await findConnection(tenant, realm);
    if (!connection) throw embeddedLoginErrors.connectionNotFound();
    if (!connection.enabledClients.includes(client.clientId)) throw embeddedLoginErrors.connectionNotEnabled();
    const asked = { ...requester, clientId: client.clientId, clientName: client.name };
    const outcome = await authenticate(tenant, connection, username, password, asked);
    const event: Omit<AuditEvent, 'type'> = {
      ...asked,
      connection: connection.name,
      connectionId: connection.id,
      strategy: connection.strategy,
      strategyType: 'database',
      userName: username.slice(0, MAX_USER_NAME),
      ...knownUserOf(outcome),
    };
    if (outcome.outcome === 'wrongPassword' || outcome.outcome === 'unknownUser') {
      const error = embeddedLoginErrors.wrongCredentials();
      const description = error.message;
      await recordAlone(tenant.tenantId, {
        ...event,
        type: outcome.outcome,
        description,
        details: { error: { message: description } },
      });
      throw error;
    }
    if (outcome.outcome === 'directoryFailed') {
      const { failure } = outcome;
      await recordAlone(tenant.tenantId, {
        ...event,
        type: 'loginFailed',
        description: describe(failure),
        details: explanation(failure),
      });
      throw toldToUser(failure);
    }
    if (outcome.outcome === 'blocked') throw embeddedLoginErrors.userBlocked();

    const known = ticketCookie.read(http);
    const browser = known && COOKIE.test(known) ? known : randomSecret();
    const secrets = { ticket: randomSecret(), verifier: randomSecret(), browser };
    const expiresAt = new Date(now().getTime() + LIFETIME_MILLISECONDS);
    const ticket = { clientId: client.clientId, user: outcome.user, connectionId: connection.id };
    await transact(async ({ loginTickets, record }) => {
      if (!(await loginTickets.insert(tenant.tenantId, secrets, ticket, expiresAt)))
        throw embeddedLoginErrors.wrongCredentials();
      await record(tenant.tenantId, { ...event, type: 'crossOriginLoginSucceeded' });
    });
    ticketCookie.write(http, reply, browser);
    return secrets;
  };

  async function findConnection(tenant: Tenant, realm: string | undefined): Promise<Connection | undefined> {
    if (realm !== undefined) return parts.findConnectionByRealm(tenant.tenantId, realm);
    const { defaultDirectory } = settingsOf(tenant);
    return defaultDirectory ? parts.findConnectionByName(tenant.tenantId, defaultDirectory) : undefined;
  }
}
