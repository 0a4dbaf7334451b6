import type { FastifyInstance } from 'fastify';
import type { FindModule } from '../actions/build-action.ts';
import type { RunAction } from '../actions/run-action.ts';
import { brandingRoutes } from '../branding/branding-routes.ts';
import { clientGrantRoutes } from '../client-grants/client-grant-routes.ts';
import { isPublic } from '../clients/client.ts';
import { clientRoutes } from '../clients/client-routes.ts';
import { connectionRoutes } from '../connections/connection-routes.ts';
import { consentRoutes } from '../consents/consent-routes.ts';
import type { CheckSyntax } from '../containers/syntax/check-syntax.ts';
import type { OwnNames } from '../custom-domains/custom-domain.ts';
import { customDomainRoutes } from '../custom-domains/custom-domain-routes.ts';
import type { DnsResolver } from '../custom-domains/domain-proof.ts';
import type { Transact } from '../db/transact.ts';
import { hookRoutes } from '../hooks/hook-routes.ts';
import { jobRoutes } from '../jobs/job-routes.ts';
import type { KeyRings } from '../keys/key-ring.ts';
import { keyRoutes } from '../keys/key-routes.ts';
import type { SigningKeyService } from '../keys/signing-key-service.ts';
import { createVerifyJwt } from '../keys/verify-jwt.ts';
import type { Log } from '../kit/log.ts';
import { alertRoutes } from '../log-alerts/alert-routes.ts';
import { statsRoutes } from '../log-rollups/stats-routes.ts';
import { logStreamOperationRoutes } from '../log-streams/log-stream-operation-routes.ts';
import { logStreamRoutes } from '../log-streams/log-stream-routes.ts';
import type { createStreamTrial } from '../log-streams/try-stream.ts';
import type { RecordEvent } from '../logs/event.ts';
import { liveRoutes } from '../logs/live/live-routes.ts';
import { createLiveTails } from '../logs/live/live-tails.ts';
import { logRoutes } from '../logs/reading/log-routes.ts';
import { forLivingActors } from '../management/living-actors.ts';
import { unauthorized } from '../management/management-errors.ts';
import type { RateLimit } from '../management/rate-bucket-store.ts';
import { type CheckHolder, registerManagement } from '../management/register-management.ts';
import { createManagementTokenVerifier } from '../management/verify-management-token.ts';
import { type CheckPresenter, dpopChallenge } from '../oauth/possession/check-presenter.ts';
import { readConfirmation } from '../oauth/possession/possession.ts';
import { deviceCredentialRoutes } from '../oauth/refresh/device-credential-routes.ts';
import { refreshTokenRoutes } from '../oauth/refresh/refresh-token-routes.ts';
import { tokenExchangeProfileRoutes } from '../oauth/token-exchange/token-exchange-profile-routes.ts';
import { grantIdOf } from '../oauth/tokens/access-token.ts';
import type { AccessTokenFinder } from '../oauth/tokens/find-access-tokens.ts';
import { createLinkTokenReader } from '../oauth/tokens/read-link-token.ts';
import type { createRevokeAccess } from '../oauth/tokens/revoke-access.ts';
import { promptRoutes } from '../prompts/prompt-routes.ts';
import { ticketRoutes } from '../recovery/ticket-routes.ts';
import { verificationJobRoutes } from '../recovery/verification/verification-job-routes.ts';
import { createUserVerification } from '../recovery/verification/verify-user.ts';
import { resourceServerRoutes } from '../resource-servers/resource-server-routes.ts';
import { roleRoutes } from '../roles/role-routes.ts';
import { userRoleRoutes } from '../roles/user-role-routes.ts';
import { ruleRoutes } from '../rules/rule-routes.ts';
import { rulesConfigRoutes } from '../rules/rules-config-routes.ts';
import { sessionRoutes } from '../sessions/session-routes.ts';
import type { Stores } from '../stores.ts';
import { ALL_TENANTS, type TenantDirectory } from '../tenants/tenant-directory.ts';
import { tenantSettingsRoutes } from '../tenants/tenant-settings-routes.ts';
import { identityRoutes } from '../users/identity-routes.ts';
import { userRoutes } from '../users/user-routes.ts';
import { createActionsApi } from './app-actions.ts';
import type { Authentication } from './app-authentication.ts';
import type { Recovery } from './app-recovery.ts';
import type { Triggers } from './app-triggers.ts';

interface Parts extends Authentication {
  readonly stores: Stores;
  readonly transact: Transact<Stores>;
  readonly directory: TenantDirectory;
  readonly keyRings: KeyRings;
  readonly signingKeys: SigningKeyService;
  readonly checkPresenter: CheckPresenter;
  readonly resolver: DnsResolver;
  readonly ownNames: OwnNames;
  readonly recovery: Recovery;
  readonly triggers: Triggers;
  readonly accessTokens: Pick<AccessTokenFinder, 'isAlive'>;
  readonly revokeAccess: ReturnType<typeof createRevokeAccess>;
  readonly findModule: FindModule;
  readonly checkSyntax: CheckSyntax;
  readonly runAction: RunAction;
  readonly recordAlone: RecordEvent;
  readonly trySend: ReturnType<typeof createStreamTrial>;
  readonly afterCommit: (tenantId: string) => void;
  readonly log: Log;
  readonly rateLimit: RateLimit | undefined;
  readonly now: () => Date;
}

/** The Management API: one line a domain. */
export function createManagementApi(http: FastifyInstance, parts: Parts): void {
  const { stores, transact, directory, keyRings, recovery, revokeAccess, recordAlone, afterCommit, log, now } = parts;
  const { isManagementAudience } = directory;
  const audiences = { isManagementAudience, managementAudience: (origin: string) => `${origin}/api/v2/` };
  const verifyToken = createManagementTokenVerifier({
    keys: keyRings,
    isTenantOrigin: directory.ownsOrigin,
    isManagementAudience,
    now,
  });
  const verifyAccessToken = forLivingActors(verifyToken, {
    findClient: parts.clients.find,
    findUser: stores.users.find,
    isLoginAlive: async (tenantId, tokenId) => {
      const grantId = grantIdOf(tokenId);
      return grantId !== undefined && (await parts.accessTokens.isAlive(tenantId, grantId));
    },
  });
  const checkHolder: CheckHolder = async (request, reply, { scheme, token, actor }) => {
    const client = await parts.clients.find(request.tenant.tenantId, actor.clientId);
    const isPublicClient = client === undefined || isPublic(client);
    const confirmation = readConfirmation(actor.cnf);
    const fault = await parts.checkPresenter(request, reply, { scheme, token, confirmation, isPublicClient });
    if (fault) throw unauthorized('invalid', {}, undefined, dpopChallenge(fault));
  };

  http.register(
    async (app) => {
      const management = registerManagement({
        app,
        log,
        stores,
        transact,
        recordAlone,
        verifyAccessToken,
        checkHolder,
        rateLimit: parts.rateLimit,
        rateBuckets: stores.rateBuckets,
        afterCommit,
        now,
      });
      tenantSettingsRoutes(management);
      clientRoutes(management, {
        signingCertificates: async (tenantId) => [toSigningCertificate(await keyRings.certificate(tenantId))],
        now,
      });
      resourceServerRoutes(management, audiences);
      clientGrantRoutes(management, audiences);
      tokenExchangeProfileRoutes(management, { now });
      connectionRoutes(management, { revokeAccess, changeElsewhere: parts.changeElsewhere, now });
      customDomainRoutes(management, {
        resolver: parts.resolver,
        ownNames: parts.ownNames,
        canonicalOrigin: directory.canonicalOrigin,
        forgetOrigins: () => afterCommit(ALL_TENANTS),
        now,
      });
      userRoutes(management, {
        hashNewPassword: parts.hashNewPassword,
        prepareUser: parts.prepareUser,
        changeElsewhere: parts.changeElsewhere,
        revokeAccess,
        registrations: parts.triggers.registrations,
        afterPasswordChange: parts.triggers.afterPasswordChange,
        prepareVerification: createUserVerification(recovery.prepareVerification),
      });
      identityRoutes(management, {
        revokeAccess,
        isLoginAlive: async ({ tokenGrants }, tenantId, tokenId) => {
          const grantId = grantIdOf(tokenId);
          return grantId === undefined || tokenGrants.isAlive(tenantId, grantId);
        },
        readLinkToken: createLinkTokenReader({
          verifyJwt: createVerifyJwt(keyRings, now),
          isIssuer: directory.isIssuer,
          findClient: parts.clients.find,
        }),
      });
      sessionRoutes(management, { revokeAccess, now });
      refreshTokenRoutes(management, { now });
      deviceCredentialRoutes(management, { now });
      userRoleRoutes(management, { isManagementAudience });
      roleRoutes(management, { isManagementAudience });
      consentRoutes(management, { ...audiences, now });
      keyRoutes(management, parts.signingKeys);
      logRoutes(management);
      const liveTails = createLiveTails({ logs: stores.logs, log });
      app.addHook('onClose', async () => liveTails.stop());
      liveRoutes(management, liveTails);
      logStreamRoutes(management);
      logStreamOperationRoutes(management, { trySend: parts.trySend, now });
      statsRoutes(management, { now });
      alertRoutes(management, { now });
      brandingRoutes(management);
      promptRoutes(management);
      ticketRoutes(management, recovery);
      jobRoutes(management);
      ruleRoutes(management);
      rulesConfigRoutes(management);
      hookRoutes(management);
      createActionsApi(management, parts);
      verificationJobRoutes(management, { ...recovery, now });
    },
    { prefix: '/api/v2' },
  );
}

function toSigningCertificate({ pem, pkcs7, subject }: { pem: string; pkcs7: string; subject: string }) {
  return { cert: pem, pkcs7, subject };
}
