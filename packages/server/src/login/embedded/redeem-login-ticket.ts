import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Connection } from '../../connections/connection.ts';
import type { Transact } from '../../db/transact.ts';
import type { TenantCookie } from '../../http/cookies.ts';
import type { LoginRequest } from '../../oauth/authorize/authorization-request.ts';
import type { LivingSession } from '../../oauth/authorize/find-session.ts';
import type { Prompt } from '../../oauth/authorize/login-prompts.ts';
import { cookieExpiry } from '../../sessions/session.ts';
import type { User } from '../../users/user.ts';
import { openSession } from '../open-session.ts';
import { type SessionStores, storeNewSession } from '../store-new-session.ts';
import { embeddedLoginErrors } from './embedded-login-errors.ts';
import type { LoginTicketStore } from './login-ticket-store.ts';

interface Parts {
  readonly transact: Transact<SessionStores & { readonly loginTickets: LoginTicketStore }>;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly findConnection: (tenantId: string, connectionId: string) => Promise<Connection | undefined>;
  readonly sessionCookie: TenantCookie;
  readonly ticketCookie: TenantCookie;
  readonly now: () => Date;
}

/** Who logs in, and how the event of this login tells it. */
export interface RedeemedTicket {
  readonly living: LivingSession;
  readonly prompts: readonly Prompt[];
}

/** A login ticket becomes this browser's session: once, and only for the client and the browser that the password came from. */
export function createLoginTicketRedemption(parts: Parts) {
  const { transact, findUser, findConnection, sessionCookie, ticketCookie, now } = parts;

  return async function redeemLoginTicket(
    http: FastifyRequest,
    reply: FastifyReply,
    request: LoginRequest,
    ticket: string,
  ): Promise<RedeemedTicket> {
    const { tenant } = http;
    const { tenantId } = tenant;
    const { client } = request;
    const browser = ticketCookie.read(http);
    const oldCookie = sessionCookie.read(http);
    const time = now();
    // Its own transaction, before anything is looked at: a ticket is worth one attempt.
    const redeemed = await transact(({ loginTickets }) =>
      loginTickets.redeem(tenantId, ticket, client.clientId, browser, time),
    );
    const connection = redeemed && (await findConnection(tenantId, redeemed.connectionId));
    const user = redeemed && (await findUser(tenantId, redeemed.userId));
    // Between the two statements a new password may have come, which finds no ticket any more.
    if (redeemed && user?.lastPasswordReset && user.lastPasswordReset > redeemed.createdAt)
      throw embeddedLoginErrors.invalidTicket();
    if (!user || user.blocked || !connection?.enabledClients.includes(client.clientId))
      throw embeddedLoginErrors.invalidTicket();
    if (request.subject !== undefined && request.subject !== user.userId) throw embeddedLoginErrors.invalidTicket();
    const { userId } = user;
    const { session, proof } = await transact(async (stores) => {
      const opened = await openSession(stores.sessions, {
        tenant,
        userId,
        connectionId: connection.id,
        oldCookie,
        now: time,
      });
      const proof = await storeNewSession(stores, { http, session: opened, user, connection, flow: 'cross-origin' });
      if (!proof) throw embeddedLoginErrors.invalidTicket();
      return { session: opened, proof };
    });
    sessionCookie.write(http, reply, session.cookie, cookieExpiry(tenant, session));
    const moment = time.getTime();
    return {
      living: { session, user, connection },
      prompts: [{ name: 'prompt-authenticate', initiatedAt: moment, completedAt: moment, proof }],
    };
  };
}

export type RedeemLoginTicket = ReturnType<typeof createLoginTicketRedemption>;
