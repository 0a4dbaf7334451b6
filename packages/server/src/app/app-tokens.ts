import type { FastifyInstance } from 'fastify';
import type { Transact } from '../db/transact.ts';
import type { TenantSecrets } from '../keys/tenant-secrets.ts';
import type { VerifyJwt } from '../keys/verify-jwt.ts';
import type { RecordEvent } from '../logs/event.ts';
import type { AccessResolver } from '../oauth/access/resolve-access.ts';
import type { AuthenticateClient } from '../oauth/client-authentication/authenticate-client.ts';
import { createJwtDescriber } from '../oauth/introspection/describe-jwt.ts';
import { createTokenDescriber } from '../oauth/introspection/describe-token.ts';
import { introspectionRoutes } from '../oauth/introspection/introspection-routes.ts';
import { legacyRoutes } from '../oauth/legacy/legacy-routes.ts';
import { tokeninfoRoutes } from '../oauth/legacy/tokeninfo-routes.ts';
import type { CheckPresenter } from '../oauth/possession/check-presenter.ts';
import type { ProvePossession } from '../oauth/possession/prove-possession.ts';
import { createGrantAdoption } from '../oauth/refresh/adopt-grant.ts';
import type { Rotate } from '../oauth/refresh/rotate-together.ts';
import { revocationRoutes } from '../oauth/revocation/revocation-routes.ts';
import { authorizationCodeGrant } from '../oauth/token/authorization-code.ts';
import { createBackchannelLogin } from '../oauth/token/backchannel-login.ts';
import { clientCredentialsGrant } from '../oauth/token/client-credentials.ts';
import { deviceCodeGrant } from '../oauth/token/device-code.ts';
import { passwordGrant } from '../oauth/token/password.ts';
import { refreshTokenGrant } from '../oauth/token/refresh-token.ts';
import { createRunForExchange } from '../oauth/token/run-for-exchange.ts';
import { tokenEndpoint } from '../oauth/token/token-endpoint.ts';
import { tokenExchangeGrant } from '../oauth/token/token-exchange.ts';
import { createExchangeForUser } from '../oauth/token-exchange/exchange-for-user.ts';
import { createUserPlanner } from '../oauth/token-exchange/plan-user.ts';
import { createExchangeActionRunner } from '../oauth/token-exchange/run-exchange-action.ts';
import { MOST_PROFILES } from '../oauth/token-exchange/token-exchange-profile.ts';
import type { AccessTokenFinder } from '../oauth/tokens/find-access-tokens.ts';
import type { SignToken } from '../oauth/tokens/sign-token.ts';
import type { PrepareUserTokens } from '../oauth/tokens/user-tokens.ts';
import { userinfoRoutes } from '../oauth/userinfo/userinfo-routes.ts';
import type { RunPipeline } from '../pipeline/run-pipeline.ts';
import type { Stores } from '../stores.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { TenantCache } from '../tenants/tenant-cache.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';
import type { Authentication } from './app-authentication.ts';
import type { Triggers } from './app-triggers.ts';

interface Parts extends Authentication {
  readonly stores: Stores;
  readonly transact: Transact<Stores>;
  readonly directory: TenantDirectory;
  readonly cache: TenantCache;
  readonly secrets: TenantSecrets;
  readonly accessTokens: AccessTokenFinder;
  readonly runPipeline: RunPipeline;
  readonly hasLoginCode: (tenantId: string) => Promise<boolean>;
  readonly checkPresenter: CheckPresenter;
  readonly access: AccessResolver;
  readonly signToken: SignToken;
  readonly prepareTokens: PrepareUserTokens;
  readonly verifyJwt: VerifyJwt;
  readonly authenticateClient: AuthenticateClient;
  readonly provePossession: ProvePossession;
  readonly rotate: Rotate;
  readonly recordAlone: RecordEvent;
  readonly triggers: Triggers;
  readonly now: () => Date;
}

/** Where tokens come from and where they are looked at: /oauth/token with its grants, revocation, introspection, /userinfo. */
export function createTokenEndpoints(http: FastifyInstance, parts: Parts): void {
  const { stores, transact, directory, cache, secrets, access, signToken, prepareTokens, verifyJwt } = parts;
  const { authenticate, authenticateClient, provePossession, recordAlone, now } = parts;
  const { findConnection, findConnectionByName, findConnectionByRealm } = parts.connections;
  const findClient = parts.clients.find;
  const findUser = (tenantId: string, userId: string) => stores.users.find(tenantId, userId);
  // A tenant has few: one entry, whatever types are asked for.
  const findProfile = async ({ tenantId }: Tenant, subjectTokenType: string) => {
    const profiles = await cache.get(tenantId, 'token-exchange-profiles', () =>
      stores.tokenExchangeProfiles.after(tenantId, undefined, MOST_PROFILES),
    );
    return profiles.find(({ profile }) => profile.subjectTokenType === subjectTokenType)?.profile;
  };
  const runForExchange = createRunForExchange({ runPipeline: parts.runPipeline, findUser });
  const logIn = createBackchannelLogin({ transact, access, runForExchange, prepareTokens, now });
  tokenEndpoint(http, {
    authenticateClient,
    provePossession,
    recordAlone,
    grants: [
      authorizationCodeGrant({ transact, stores, access, findUser, prepareTokens, now }),
      deviceCodeGrant({ transact, access, findUser, prepareTokens, now }),
      clientCredentialsGrant({
        access,
        exchangeCredentials: parts.triggers.exchangeCredentials,
        signToken,
        recordAlone,
        now,
      }),
      passwordGrant({
        access,
        authenticate,
        findConnectionByName,
        findConnectionByRealm,
        logIn,
        recordAlone,
        now,
      }),
      tokenExchangeGrant({
        access,
        findProfile,
        runExchangeAction: createExchangeActionRunner({
          deployed: parts.triggers.deployed,
          runTrigger: parts.triggers.runTrigger,
          planUser: createUserPlanner({
            findUser,
            findOwners: stores.identities.owners,
            findConnection,
            findConnectionByName,
            now,
          }),
          exchangeForUser: createExchangeForUser({ logIn, access, transact, hasLoginCode: parts.hasLoginCode }),
        }),
      }),
      refreshTokenGrant({
        transact,
        rotate: parts.rotate,
        stores,
        access,
        findUser,
        findConnection,
        successorKey: (tenantId) => secrets.secretFor(tenantId, 'refresh-token-succession'),
        runForExchange,
        adoptGrant: createGrantAdoption({ transact }),
        prepareTokens,
        now,
      }),
    ],
  });
  revocationRoutes(http, { authenticateClient, refreshTokens: stores.refreshTokens, transact, now });
  const describeToken = createTokenDescriber({
    describeJwt: createJwtDescriber({
      verifyJwt,
      isIssuer: directory.isIssuer,
      findResourceServer: parts.resourceServers.find,
      findClientGrant: parts.clientGrants.find,
      findClient,
      findUser,
      isGrantAlive: parts.accessTokens.isAlive,
      now,
    }),
    refreshTokens: stores.refreshTokens,
    findAccessToken: parts.accessTokens.findAccessToken,
    findUser,
    findConnection,
    now,
  });
  legacyRoutes(http, { findClient, recordAlone, now });
  tokeninfoRoutes(http, {
    findClient,
    findUser,
    verifyJwt,
    isIssuer: directory.isIssuer,
  });
  introspectionRoutes(http, { authenticateClient, describeToken });
  userinfoRoutes(http, {
    verifyJwt,
    isIssuer: directory.isIssuer,
    findAccessToken: parts.accessTokens.findAccessToken,
    findLivingGrant: parts.accessTokens.findLivingGrant,
    findClient,
    checkPresenter: parts.checkPresenter,
    findUser,
    now,
  });
}
