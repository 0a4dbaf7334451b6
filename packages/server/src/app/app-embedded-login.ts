import type { FastifyInstance } from 'fastify';
import type { Transact } from '../db/transact.ts';
import { createTenantCookie, type TenantCookie } from '../http/cookies.ts';
import { clientSettingsRoutes } from '../login/embedded/client-settings-routes.ts';
import { crossOriginRoutes } from '../login/embedded/cross-origin-routes.ts';
import { createEmbeddedClients } from '../login/embedded/embedded-clients.ts';
import { createLoginTicketIssuer } from '../login/embedded/issue-login-ticket.ts';
import { createLoginTicketRedemption } from '../login/embedded/redeem-login-ticket.ts';
import { ssoDataRoutes } from '../login/embedded/sso-data-routes.ts';
import { usernamePasswordRoutes } from '../login/embedded/username-password-routes.ts';
import type { RecordEvent } from '../logs/event.ts';
import type { Stores } from '../stores.ts';
import type { Authentication } from './app-authentication.ts';

interface Parts extends Authentication {
  readonly stores: Stores;
  readonly transact: Transact<Stores>;
  readonly sessionCookie: TenantCookie;
  readonly recordAlone: RecordEvent;
  readonly now: () => Date;
}

/** Logins at forms that applications host themselves (auth0.js, Lock): a password becomes a ticket, the ticket a session. */
export function createEmbeddedLogin(http: FastifyInstance, parts: Parts) {
  const { stores, transact, authenticate, sessionCookie, recordAlone, now } = parts;
  const { findConnection, findConnectionByName, findConnectionByRealm, connectionsOfClient } = parts.connections;
  const findClient = parts.clients.find;
  const findUser = (tenantId: string, userId: string) => stores.users.find(tenantId, userId);
  const ticketCookie = createTenantCookie('-ticket');
  const clients = createEmbeddedClients({ findClient, recordAlone });
  const issueLoginTicket = createLoginTicketIssuer({
    transact,
    authenticate,
    findConnectionByName,
    findConnectionByRealm,
    ticketCookie,
    recordAlone,
    now,
  });

  crossOriginRoutes(http, { clients, issueLoginTicket });
  usernamePasswordRoutes(http, { clients, issueLoginTicket });
  ssoDataRoutes(http, { findClient, findUser, findConnection, sessionCookie, sessions: stores.sessions, now });
  clientSettingsRoutes(http, { findClient, connectionsOfClient });

  return {
    redeemLoginTicket: createLoginTicketRedemption({
      transact,
      findUser,
      findConnection,
      sessionCookie,
      ticketCookie,
      now,
    }),
  };
}
