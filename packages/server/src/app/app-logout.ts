import type { FastifyInstance } from 'fastify';
import type { Transact } from '../db/transact.ts';
import type { TenantCookie } from '../http/cookies.ts';
import type { VerifyJwt } from '../keys/verify-jwt.ts';
import type { Log } from '../kit/log.ts';
import type { SendPage } from '../login/send-page.ts';
import type { RecordEvent } from '../logs/event.ts';
import { createEndSessionReader } from '../oauth/logout/end-session-request.ts';
import { endSessionRoutes } from '../oauth/logout/end-session-routes.ts';
import { createFinishLogout } from '../oauth/logout/finish-logout.ts';
import { logoutRoutes } from '../oauth/logout/logout-routes.ts';
import { createLogoutSender, type LogoutSender } from '../oauth/logout/logout-sender.ts';
import { createIdTokenReader } from '../oauth/tokens/read-id-token.ts';
import type { SignToken } from '../oauth/tokens/sign-token.ts';
import type { CallOut } from '../outgoing/http-client.ts';
import type { Stores } from '../stores.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';
import type { Authentication } from './app-authentication.ts';

interface Parts extends Authentication {
  readonly stores: Stores;
  readonly transact: Transact<Stores>;
  readonly directory: TenantDirectory;
  readonly sessionCookie: TenantCookie;
  readonly signToken: SignToken;
  readonly verifyJwt: VerifyJwt;
  readonly callOut: CallOut;
  readonly recordAlone: RecordEvent;
  readonly sendPage: SendPage;
  readonly log: Log;
  readonly now: () => Date;
}

/** /v2/logout and /oidc/logout, and the sender that tells applications over the back channel. */
export function createLogouts(http: FastifyInstance, parts: Parts): LogoutSender {
  const { stores, transact, directory, sessionCookie, signToken, verifyJwt, recordAlone, sendPage, now } = parts;
  const findClient = parts.clients.find;
  const findUser = (tenantId: string, userId: string) => stores.users.find(tenantId, userId);
  const finishLogout = createFinishLogout({
    sessionCookie,
    sessions: stores.sessions,
    transact,
    recordAlone,
    sendPage,
    now,
  });
  logoutRoutes(http, { findClient, finishLogout });
  endSessionRoutes(http, {
    readRequest: createEndSessionReader({
      findClient,
      readIdToken: createIdTokenReader({ verifyJwt }),
      isIssuer: directory.isIssuer,
    }),
    finishLogout,
    sessionCookie,
    sessions: stores.sessions,
    findUser,
    sendPage,
    now,
  });

  return createLogoutSender({
    deliveries: stores.logoutDeliveries,
    sessions: stores.sessions,
    transact,
    findTenant: directory.find,
    findClient,
    signToken,
    callOut: parts.callOut,
    log: parts.log,
    now,
  });
}
