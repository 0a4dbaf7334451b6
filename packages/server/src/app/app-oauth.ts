import type { FastifyInstance } from 'fastify';
import type { Transact } from '../db/transact.ts';
import { createTenantCookie } from '../http/cookies.ts';
import { certificateRoutes } from '../keys/certificate-routes.ts';
import type { KeyRings } from '../keys/key-ring.ts';
import type { TenantSecrets } from '../keys/tenant-secrets.ts';
import { createTokenSigner } from '../keys/token-signer.ts';
import { createVerifyJwt } from '../keys/verify-jwt.ts';
import type { Log } from '../kit/log.ts';
import { accountRoutes } from '../login/account-routes.ts';
import { createBeginLogin } from '../login/begin-login.ts';
import { consentPageRoutes } from '../login/consent-routes.ts';
import { continueRoutes } from '../login/continue-routes.ts';
import { devicePurpose } from '../login/device-purpose.ts';
import { createFinishLogin } from '../login/finish-login.ts';
import { createGoOn } from '../login/go-on.ts';
import { createLoginContexts } from '../login/login-context.ts';
import { authorizePurpose } from '../login/login-purposes.ts';
import { loginRoutes } from '../login/login-routes.ts';
import { resumeRoutes } from '../login/resume-routes.ts';
import type { SendPage } from '../login/send-page.ts';
import { signupRoutes } from '../login/signup-routes.ts';
import { staticRoutes } from '../login/static-routes.ts';
import { createSuspendLogin } from '../login/suspend-login.ts';
import type { RecordEvent } from '../logs/event.ts';
import { createAccessResolver } from '../oauth/access/resolve-access.ts';
import { createSubjectAdoption } from '../oauth/authorize/adopt-subject.ts';
import { createAuthorizationAnswer } from '../oauth/authorize/answer-authorization.ts';
import type { GiveCode } from '../oauth/authorize/answer-together.ts';
import { createAskPipeline } from '../oauth/authorize/ask-pipeline.ts';
import { createAuthorizationChecks } from '../oauth/authorize/authorize.ts';
import { authorizeRoutes } from '../oauth/authorize/authorize-routes.ts';
import { createConsentQuestion } from '../oauth/authorize/consent-question.ts';
import { createSessionFinder } from '../oauth/authorize/find-session.ts';
import { createFrontChannelTokens } from '../oauth/authorize/front-channel-tokens.ts';
import { createAnswerIssuer } from '../oauth/authorize/issue-answer.ts';
import { createProceed } from '../oauth/authorize/proceed.ts';
import { createRequestObjectReader } from '../oauth/authorize/request-object.ts';
import { createRequestResolver } from '../oauth/authorize/resolve-request.ts';
import { createResponder } from '../oauth/authorize/respond.ts';
import { createClientAuthentication } from '../oauth/client-authentication/authenticate-client.ts';
import { createAssertionVerifier } from '../oauth/client-authentication/private-key-jwt.ts';
import { addCors } from '../oauth/cors.ts';
import { createDeviceAnswer } from '../oauth/device/answer-device.ts';
import { discoveryRoutes } from '../oauth/discovery/discovery-routes.ts';
import { createPublishedKeys } from '../oauth/discovery/published-keys.ts';
import type { LogoutSender } from '../oauth/logout/logout-sender.ts';
import { parEndpoint } from '../oauth/par/par-endpoint.ts';
import type { AcceptProof } from '../oauth/possession/accept-proof.ts';
import type { CheckPresenter } from '../oauth/possession/check-presenter.ts';
import { createPossessionProver } from '../oauth/possession/prove-possession.ts';
import type { Rotate } from '../oauth/refresh/rotate-together.ts';
import type { AccessTokenFinder } from '../oauth/tokens/find-access-tokens.ts';
import { createIdTokenReader } from '../oauth/tokens/read-id-token.ts';
import { createSignToken } from '../oauth/tokens/sign-token.ts';
import { createUserTokens } from '../oauth/tokens/user-tokens.ts';
import type { CallOut } from '../outgoing/http-client.ts';
import type { RunPipeline } from '../pipeline/run-pipeline.ts';
import type { Stores } from '../stores.ts';
import type { TenantCache } from '../tenants/tenant-cache.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';
import type { RevokeAccess } from '../users/change-user.ts';
import type { Authentication } from './app-authentication.ts';
import { createDeviceFlow } from './app-device.ts';
import { createEmbeddedLogin } from './app-embedded-login.ts';
import { createLogouts } from './app-logout.ts';
import { type Recovery, recoveryRoutes } from './app-recovery.ts';
import { createTokenEndpoints } from './app-tokens.ts';
import type { Triggers } from './app-triggers.ts';

interface Parts extends Authentication {
  readonly stores: Stores;
  readonly transact: Transact<Stores>;
  readonly directory: TenantDirectory;
  readonly cache: TenantCache;
  readonly keyRings: KeyRings;
  readonly secrets: TenantSecrets;
  readonly rotate: Rotate;
  readonly giveCode: GiveCode;
  readonly recordAlone: RecordEvent;
  readonly sendPage: SendPage;
  readonly recovery: Recovery;
  readonly triggers: Triggers;
  readonly revokeAccess: RevokeAccess<Stores>;
  readonly accessTokens: AccessTokenFinder;
  readonly runPipeline: RunPipeline;
  readonly hasLoginCode: (tenantId: string) => Promise<boolean>;
  /** Whether CLIENT_CERTIFICATE_HEADER is set. */
  readonly takesCertificates: boolean;
  readonly acceptProof: AcceptProof;
  readonly checkPresenter: CheckPresenter;
  readonly callOut: CallOut;
  readonly log: Log;
  readonly now: () => Date;
}

/** OAuth, OpenID Connect and the login pages: a login from /authorize to its tokens. */
export function createOAuth(http: FastifyInstance, parts: Parts): { readonly logouts: LogoutSender } {
  const { stores, transact, cache, keyRings, secrets, recordAlone, sendPage, now, authenticate } = parts;
  const { findConnection, findConnectionByName, connectionsOfClient } = parts.connections;
  const findClient = parts.clients.find;
  const findUser = (tenantId: string, userId: string) => stores.users.find(tenantId, userId);

  const sessionCookie = createTenantCookie();
  const browserCookie = createTenantCookie('-login');
  const signer = createTokenSigner(keyRings);
  const signToken = createSignToken({ signWithTenantKey: signer.sign });
  const prepareTokens = createUserTokens({ signToken });
  const verifyJwt = createVerifyJwt(keyRings, now);
  const access = createAccessResolver({
    findResourceServer: parts.resourceServers.find,
    findClientGrant: parts.clientGrants.find,
    permissionsOf: (tenantId, userId, resourceServerId) =>
      stores.permissions.permissionsAt(tenantId, userId, resourceServerId),
  });
  const verifyAssertion = createAssertionVerifier({ useAssertion: stores.assertions.use, now });
  const authenticateClient = createClientAuthentication({ findClient, verifyAssertion, now });
  const provePossession = createPossessionProver({ acceptProof: parts.acceptProof });

  const checks = createAuthorizationChecks({
    findClient,
    findConnectionByName,
    readIdToken: createIdTokenReader({ verifyJwt }),
    access,
  });
  const readRequestObject = createRequestObjectReader({ takeJti: stores.assertions.use, now });
  const responder = createResponder({ sendPage });
  const findSession = createSessionFinder({ sessionCookie, sessions: stores.sessions, findUser, findConnection, now });
  const answerAuthorization = createAuthorizationAnswer({
    issueAnswer: createAnswerIssuer({
      transact,
      giveCode: parts.giveCode,
      prepareTokens: createFrontChannelTokens({ access, signToken }),
      now,
    }),
    responder,
  });
  const consentQuestion = createConsentQuestion({ access, consents: stores.consents });
  const proceed = createProceed({
    askPipeline: createAskPipeline({
      runPipeline: parts.runPipeline,
      adoptSubject: createSubjectAdoption({ transact, sessionCookie }),
    }),
    consentQuestion,
    sessionCookie,
    now,
  });
  const beginLogin = createBeginLogin({ browserCookie, transactions: stores.loginTransactions, now });
  const suspendLogin = createSuspendLogin({ browserCookie, transact, now });
  const goOn = createGoOn({ proceed, suspendLogin, transactions: stores.loginTransactions, now });
  const device = devicePurpose({
    deviceCodes: stores.deviceCodes,
    findClient,
    access,
    answerDevice: createDeviceAnswer({ transact, now }),
    now,
  });
  const contexts = createLoginContexts({
    browserCookie,
    transactions: stores.loginTransactions,
    continuations: stores.continuations,
    purposes: { authorize: authorizePurpose({ checks, responder, answerAuthorization }), device },
    connectionsOfClient,
    now,
  });
  const finishLogin = createFinishLogin<Stores>({ transact, sessionCookie, now });

  addCors(http, { findClient, cache, stores, recordAlone });
  discoveryRoutes(http, {
    takesCertificates: parts.takesCertificates,
    jwks: createPublishedKeys({
      jwks: keyRings.jwks,
      cache,
      signsBesidesRs256: async (tenantId) =>
        (await stores.clients.signsBesidesRs256(tenantId)) || stores.resourceServers.signsBesidesRs256(tenantId),
    }),
  });
  certificateRoutes(http, keyRings);
  staticRoutes(http);
  const { redeemLoginTicket } = createEmbeddedLogin(http, { ...parts, sessionCookie });
  authorizeRoutes(http, {
    redeemLoginTicket,
    resolveRequest: createRequestResolver({
      findClient,
      pushedRequests: stores.pushedRequests,
      readRequestObject,
      now,
    }),
    checks,
    findSession,
    proceed,
    answerAuthorization,
    responder,
    beginLogin,
    suspendLogin,
    recordAlone,
    now,
  });
  loginRoutes(http, { contexts, transact, authenticate, finishLogin, recordAlone, sendPage });
  accountRoutes(http, {
    contexts,
    transact,
    findSession,
    transactions: stores.loginTransactions,
    recordAlone,
    sendPage,
    now,
  });
  consentPageRoutes(http, { contexts, findSession, consentQuestion, transact, recordAlone, sendPage, now });
  signupRoutes(http, {
    contexts,
    transact,
    prepareSignUp: parts.recovery.prepareSignUp,
    finishLogin,
    recordAlone,
    sendPage,
  });
  recoveryRoutes(http, { ...parts, contexts, browserCookie });
  resumeRoutes(http, { contexts, transact, findSession, goOn, recordAlone });
  continueRoutes(http, {
    contexts,
    transact,
    findSession,
    goOn,
    continuations: stores.continuations,
    recordAlone,
    now,
  });
  createDeviceFlow(http, {
    stores,
    secrets,
    findClient,
    authenticateClient,
    access,
    purpose: device,
    browserCookie,
    findSession,
    proceed,
    beginLogin,
    suspendLogin,
    transact,
    recordAlone,
    sendPage,
    now,
  });
  const logouts = createLogouts(http, { ...parts, sessionCookie, signToken, verifyJwt });
  parEndpoint(http, {
    authenticateClient,
    provePossession,
    checks,
    readRequestObject,
    pushedRequests: stores.pushedRequests,
    recordAlone,
    now,
  });
  createTokenEndpoints(http, {
    ...parts,
    access,
    signToken,
    prepareTokens,
    verifyJwt,
    authenticateClient,
    provePossession,
  });
  return { logouts };
}
