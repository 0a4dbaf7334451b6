import type { FastifyInstance } from 'fastify';
import type { Transact } from '../db/transact.ts';
import { databaseChangePasswordRoutes } from '../dbconnections/change-password-routes.ts';
import { createDatabaseRequestReader } from '../dbconnections/database-request.ts';
import { databaseSignupRoutes } from '../dbconnections/signup-routes.ts';
import { createMailComposer } from '../email/compose-mail.ts';
import { createTenantCookie, type TenantCookie } from '../http/cookies.ts';
import type { LoginContexts } from '../login/login-context.ts';
import type { SendPage } from '../login/send-page.ts';
import { createSignUp } from '../login/sign-up.ts';
import type { TenantLooks } from '../login/tenant-looks.ts';
import type { RecordEvent } from '../logs/event.ts';
import { createPasswordChangeByTicket } from '../recovery/change-password.ts';
import { createTicketDraft } from '../recovery/draft-ticket.ts';
import { createTicketFinder, createVerifiedUserFinder } from '../recovery/find-ticket.ts';
import { createRequestRate } from '../recovery/request-rate.ts';
import { createResetRequest } from '../recovery/request-reset.ts';
import { resetRequestRoutes } from '../recovery/reset-request-routes.ts';
import { resetRoutes } from '../recovery/reset-routes.ts';
import { createVerificationMail } from '../recovery/verification/send-verification.ts';
import { verificationRoutes } from '../recovery/verification/verification-routes.ts';
import { createVerifyElsewhere } from '../recovery/verification/verify-elsewhere.ts';
import { createEmailVerification } from '../recovery/verification/verify-email.ts';
import type { Stores } from '../stores.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';
import type { RevokeAccess } from '../users/change-user.ts';
import type { Authentication } from './app-authentication.ts';
import type { Triggers } from './app-triggers.ts';

interface Parts extends Authentication {
  readonly stores: Stores;
  readonly transact: Transact<Stores>;
  readonly directory: TenantDirectory;
  readonly looks: TenantLooks;
  readonly triggers: Triggers;
  readonly now: () => Date;
}

export type Recovery = ReturnType<typeof createRecovery>;

/** Mails, and the links in them: what sign-up, recovery and the Management API share. */
export function createRecovery({ transact, stores, directory, looks, triggers, findPerson, prepareUser, now }: Parts) {
  const { canonicalOrigin } = directory;
  const prepareMails = createMailComposer({
    brandOf: async (tenant) => (await looks.find(tenant)).branding,
    canonicalOrigin,
    now,
  });
  const draftTicket = createTicketDraft({ canonicalOrigin, now });
  const prepareVerification = createVerificationMail({ draftTicket, prepareMails });
  return {
    draftTicket,
    prepareVerification,
    prepareSignUp: createSignUp({ prepareUser, registrations: triggers.registrations, prepareVerification }),
    requestReset: createResetRequest({ findPerson, transact, draftTicket, prepareMails }),
    rate: createRequestRate({ buckets: stores.rateBuckets, now }),
  };
}

interface RouteParts extends Omit<Parts, 'looks'> {
  readonly recovery: Recovery;
  readonly contexts: LoginContexts;
  readonly browserCookie: TenantCookie;
  readonly revokeAccess: RevokeAccess<Stores>;
  readonly recordAlone: RecordEvent;
  readonly sendPage: SendPage;
}

/** The pages that links of mails lead to, and /dbconnections. */
export function recoveryRoutes(http: FastifyInstance, parts: RouteParts): void {
  const { stores, transact, recovery, contexts, browserCookie, recordAlone, sendPage, now } = parts;
  const { hashNewPassword, remoteDirectory, revokeAccess } = parts;
  const { findConnection, connectionsOfClient } = parts.connections;
  const { requestReset, prepareSignUp, rate } = recovery;
  const findClient = parts.clients.find;
  const findUser = (tenantId: string, userId: string) => stores.users.find(tenantId, userId);
  const findTicket = createTicketFinder({
    tickets: stores.tickets,
    findUser,
    findConnection,
    findClient,
    now,
  });
  const readRequest = createDatabaseRequestReader({ findClient, connectionsOfClient });

  resetRequestRoutes(http, { contexts, transact, requestReset, rate, recordAlone, sendPage });
  resetRoutes(http, {
    ticketCookie: createTenantCookie('-recovery'),
    browserCookie,
    findTicket,
    changePassword: createPasswordChangeByTicket({
      transact,
      hashNewPassword,
      directory: remoteDirectory,
      revokeAccess,
      afterPasswordChange: parts.triggers.afterPasswordChange,
      now,
    }),
    loginTransactions: stores.loginTransactions,
    recordAlone,
    sendPage,
    now,
  });
  verificationRoutes(http, {
    findTicket,
    findVerifiedUser: createVerifiedUserFinder({ tickets: stores.tickets, findUser }),
    verifyEmail: createEmailVerification({
      transact,
      verifyElsewhere: createVerifyElsewhere({ tickets: stores.tickets, directory: remoteDirectory, now }),
      now,
    }),
    recordAlone,
    sendPage,
  });
  databaseSignupRoutes(http, { readRequest, prepareSignUp, transact, recordAlone });
  databaseChangePasswordRoutes(http, { readRequest, requestReset, rate, recordAlone });
}
