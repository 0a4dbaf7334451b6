import { createActionStore } from './actions/action-store.ts';
import { createBindingStore } from './actions/bindings/binding-store.ts';
import { createExecutionStore } from './actions/executions/execution-store.ts';
import { createActionModuleStore } from './actions/modules/action-module-store.ts';
import { createModuleVersionStore } from './actions/modules/module-version-store.ts';
import { createVersionStore } from './actions/versions/version-store.ts';
import { createBrandingStore } from './branding/branding-store.ts';
import { createClientGrantStore } from './client-grants/client-grant-store.ts';
import { createClientStore } from './clients/client-store.ts';
import { createCredentialStore } from './clients/credential-store.ts';
import { createConnectionClientStore } from './connections/connection-client-store.ts';
import { createConnectionStore } from './connections/connection-store.ts';
import { createConsentStore } from './consents/consent-store.ts';
import { createEgressStore } from './containers/egress-store.ts';
import { createCronJobStore } from './cron/cron-job-store.ts';
import { createCronRunStore } from './cron/cron-run-store.ts';
import { createCustomDomainStore } from './custom-domains/custom-domain-store.ts';
import type { Database } from './db/database.ts';
import { createMailStore } from './email/mail-store.ts';
import { createConsoleStore } from './executions/console-store.ts';
import { createCodeWarningStore } from './executions/warning-store.ts';
import { createHookStore } from './hooks/hook-store.ts';
import { createJobStore } from './jobs/job-store.ts';
import { createSigningKeyStore } from './keys/signing-key-store.ts';
import type { Sealer } from './kit/seal.ts';
import { createAlertSettingsStore } from './log-alerts/alert-settings-store.ts';
import { createAlertStore } from './log-alerts/alert-store.ts';
import { createNoticeStore } from './log-alerts/notice-store.ts';
import { createRollupStore } from './log-rollups/rollup-store.ts';
import { createSignalsStore } from './log-rollups/signals-store.ts';
import { createStatisticsStore } from './log-rollups/statistics-store.ts';
import { createDeadLetterStore } from './log-streams/delivery/state/dead-letter-store.ts';
import { createDeliveryStore } from './log-streams/delivery/state/delivery-store.ts';
import { createReplayStore } from './log-streams/delivery/state/replay-store.ts';
import { createLogStreamStore } from './log-streams/log-stream-store.ts';
import { createContinuationStore } from './login/continuation-store.ts';
import { createLoginTicketStore } from './login/embedded/login-ticket-store.ts';
import { createLoginTransactionStore } from './login/login-transaction-store.ts';
import type { LogReader } from './logs/reading/log-reader.ts';
import { createEventStore } from './logs/recording/event-store.ts';
import { createGapStore } from './logs/retention/gap-store.ts';
import { createRetentionStore } from './logs/retention/retention-store.ts';
import { createRateBucketStore } from './management/rate-bucket-store.ts';
import { createAuthorizationCodeStore } from './oauth/authorize/authorization-code-store.ts';
import { createAssertionStore } from './oauth/client-authentication/assertion-store.ts';
import { createAttemptStore } from './oauth/device/attempt-store.ts';
import { createDeviceCodeStore } from './oauth/device/device-code-store.ts';
import { createPushedRequestStore } from './oauth/par/pushed-request-store.ts';
import { createDpopProofStore } from './oauth/possession/dpop-proof-store.ts';
import { createDeviceCredentialStore } from './oauth/refresh/device-credential-store.ts';
import { createRefreshTokenListStore } from './oauth/refresh/refresh-token-list-store.ts';
import { createRefreshTokenFinder, createRefreshTokenStore } from './oauth/refresh/refresh-token-store.ts';
import { createTokenExchangeProfileStore } from './oauth/token-exchange/token-exchange-profile-store.ts';
import { createTokenGrantStore } from './oauth/tokens/token-grant-store.ts';
import { createPromptStore } from './prompts/prompt-store.ts';
import { createRenderingStore } from './prompts/rendering-store.ts';
import { createTicketStore } from './recovery/ticket-store.ts';
import { createResourceServerStore } from './resource-servers/resource-server-store.ts';
import { createMemberStore, createRoleNamesFinder } from './roles/member-store.ts';
import { createPermissionStore } from './roles/permission-store.ts';
import { createRoleStore } from './roles/role-store.ts';
import { createRuleStore } from './rules/rule-store.ts';
import { createRulesConfigStore } from './rules/rules-config-store.ts';
import { createJoinedAccountStore } from './sessions/joined-account-store.ts';
import { createLogoutDeliveryStore } from './sessions/logout-delivery-store.ts';
import { createSessionListStore } from './sessions/session-list-store.ts';
import {
  createSessionByCookieFinder,
  createSessionHistoryFinder,
  createSessionStore,
} from './sessions/session-store.ts';
import { createTenantStore } from './tenants/tenant-store.ts';
import { createUserFinder } from './users/find-users.ts';
import { createIdentityStore } from './users/identity-store.ts';
import { createIdpTokenStore } from './users/idp-tokens/idp-token-store.ts';
import { createPasswordStore } from './users/password-store.ts';
import { createUserListStore } from './users/user-list-store.ts';
import { createUserStore } from './users/user-store.ts';

export type Stores = ReturnType<typeof storesOn>;

interface StoreParts {
  readonly sealer: Sealer;
  /** Reads events across partitions, on the pool: a transaction has nothing to add to it. */
  readonly logs: LogReader;
}

/** Every store on the pool, where those who read the same kind of thing at once share a statement. */
export function storesOnPool(db: Database, parts: StoreParts): Stores {
  const stores = storesOn(db, parts);
  return {
    ...stores,
    users: { ...stores.users, find: createUserFinder(db) },
    sessions: {
      ...stores.sessions,
      findByCookie: createSessionByCookieFinder(db),
      history: createSessionHistoryFinder(db),
    },
    roleMembers: { ...stores.roleMembers, roleNamesOf: createRoleNamesFinder(db) },
    refreshTokens: { ...stores.refreshTokens, find: createRefreshTokenFinder(db) },
  };
}

/** Every store, bound to the pool or to one transaction. */
export function storesOn(db: Database, { sealer, logs }: StoreParts) {
  return {
    tenants: createTenantStore(db),
    signingKeys: createSigningKeyStore(db, sealer),
    clients: createClientStore(db, sealer),
    credentials: createCredentialStore(db),
    assertions: createAssertionStore(db),
    dpopProofs: createDpopProofStore(db),
    resourceServers: createResourceServerStore(db, sealer),
    clientGrants: createClientGrantStore(db),
    customDomains: createCustomDomainStore(db),
    egress: createEgressStore(db),
    connections: createConnectionStore(db, sealer),
    connectionClients: createConnectionClientStore(db),
    consents: createConsentStore(db),
    users: createUserStore(db),
    userLists: createUserListStore(db),
    passwords: createPasswordStore(db),
    identities: createIdentityStore(db),
    idpTokens: createIdpTokenStore(db, sealer),
    roles: createRoleStore(db),
    roleMembers: createMemberStore(db),
    permissions: createPermissionStore(db),
    branding: createBrandingStore(db),
    prompts: createPromptStore(db),
    screenRenderings: createRenderingStore(db),
    sessions: createSessionStore(db),
    logoutDeliveries: createLogoutDeliveryStore(db),
    sessionLists: createSessionListStore(db),
    joinedAccounts: createJoinedAccountStore(db),
    loginTransactions: createLoginTransactionStore(db),
    continuations: createContinuationStore(db),
    loginTickets: createLoginTicketStore(db),
    codes: createAuthorizationCodeStore(db),
    pushedRequests: createPushedRequestStore(db),
    deviceCodes: createDeviceCodeStore(db),
    attempts: createAttemptStore(db),
    rateBuckets: createRateBucketStore(db),
    tokenGrants: createTokenGrantStore(db),
    refreshTokens: createRefreshTokenStore(db),
    tokenExchangeProfiles: createTokenExchangeProfileStore(db),
    refreshTokenLists: createRefreshTokenListStore(db),
    deviceCredentials: createDeviceCredentialStore(db),
    tickets: createTicketStore(db),
    mails: createMailStore(db, sealer),
    jobs: createJobStore(db),
    cronJobs: createCronJobStore(db, sealer),
    cronRuns: createCronRunStore(db),
    rules: createRuleStore(db),
    rulesConfigs: createRulesConfigStore(db, sealer),
    hooks: createHookStore(db, sealer),
    actions: createActionStore(db, sealer),
    actionVersions: createVersionStore(db, sealer),
    actionBindings: createBindingStore(db, sealer),
    actionModules: createActionModuleStore(db, sealer),
    actionModuleVersions: createModuleVersionStore(db, sealer),
    actionExecutions: createExecutionStore(db),
    consoles: createConsoleStore(db),
    codeWarnings: createCodeWarningStore(db),
    logStreams: createLogStreamStore(db, sealer),
    streamDeliveries: createDeliveryStore(db),
    deadLetters: createDeadLetterStore(db),
    streamReplays: createReplayStore(db),
    logs,
    logRetention: createRetentionStore(db),
    logGaps: createGapStore(db),
    rollups: createRollupStore(db),
    statistics: createStatisticsStore(db),
    signals: createSignalsStore(db),
    alerts: createAlertStore(db),
    alertSettings: createAlertSettingsStore(db, sealer),
    alertNotices: createNoticeStore(db),
    record: createEventStore(db).record,
  };
}
