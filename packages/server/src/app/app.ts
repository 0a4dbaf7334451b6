import { Resolver } from 'node:dns/promises';
import { availableParallelism } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { createClientDirectory } from '../clients/client-directory.ts';
import { createApiTunnels } from '../containers/api-tunnel.ts';
import { createModuleFinder } from '../containers/find-module.ts';
import { checkModuleStore, MODULE_STORE } from '../containers/module-folders.ts';
import { type ChangeListener, listenForChanges } from '../db/change-listener.ts';
import { createDatabase } from '../db/database.ts';
import { createHousekeeper } from '../db/housekeeper.ts';
import { transactionsOn } from '../db/transact.ts';
import { createRequestReader } from '../http/requester.ts';
import { createHttpServer } from '../http/server.ts';
import { openSealer } from '../keys/installation-secret.ts';
import { createKeyRings } from '../keys/key-ring.ts';
import { createSigningKeyService } from '../keys/signing-key-service.ts';
import { createTenantSecrets } from '../keys/tenant-secrets.ts';
import { STREAMS_CHANNEL } from '../log-streams/delivery/state/delivery-state.ts';
import { createPageRenderer } from '../login/pages/page-renderer.ts';
import { createErrorPage, createSendPage } from '../login/send-page.ts';
import { createTenantLooks } from '../login/tenant-looks.ts';
import { createPartitionKeeper } from '../logs/partitions/partition-keeper.ts';
import { createLogReader } from '../logs/reading/log-reader.ts';
import { createEventWriter } from '../logs/recording/event-writer.ts';
import { nameClient } from '../logs/recording/name-client.ts';
import { observeAlone, observeCommitted } from '../logs/recording/observe-events.ts';
import { keptSince } from '../logs/retention/retention.ts';
import { createGiveCode } from '../oauth/authorize/answer-together.ts';
import { createProofAcceptance } from '../oauth/possession/accept-proof.ts';
import { createPresenterCheck } from '../oauth/possession/check-presenter.ts';
import { createDpopNonces } from '../oauth/possession/dpop-nonces.ts';
import { createRotate } from '../oauth/refresh/rotate-together.ts';
import { createAccessTokenFinder } from '../oauth/tokens/find-access-tokens.ts';
import { createRevokeAccess } from '../oauth/tokens/revoke-access.ts';
import { createOutgoing } from '../outgoing/http-client.ts';
import { createPasswordHasher } from '../passwords/password-hasher.ts';
import { healthRoutes } from '../status/health-routes.ts';
import { createMetrics } from '../status/metrics.ts';
import { metricsRoutes } from '../status/metrics-routes.ts';
import { securityTextRoutes } from '../status/security-text-routes.ts';
import { type Stores, storesOn, storesOnPool } from '../stores.ts';
import { createTenantCreation } from '../tenants/create-tenant.ts';
import { createTenantCache } from '../tenants/tenant-cache.ts';
import { ALL_TENANTS, createTenantDirectory } from '../tenants/tenant-directory.ts';
import { createAdminReset } from '../users/reset-admin.ts';
import { createAuthentication } from './app-authentication.ts';
import { createLogWatch } from './app-log.ts';
import { createLogStreams } from './app-log-streams.ts';
import { createManagementApi } from './app-management.ts';
import { createOAuth } from './app-oauth.ts';
import { createLoginPipeline } from './app-pipeline.ts';
import { createRecovery } from './app-recovery.ts';
import { createTenantCode } from './app-tenant-code.ts';
import { createTriggers } from './app-triggers.ts';
import type { World } from './app-world.ts';

export type App = Awaited<ReturnType<typeof createApp>>;

/** The composition root: every `new` and every wire is here and in the app-*.ts files that it calls. */
export async function createApp(world: World) {
  const { pool, poolOptions, log, now } = world;
  const db = createDatabase(pool);
  const sealer = await openSealer(world.secret, db);
  const partitions = createPartitionKeeper({
    pool,
    now,
    onError: (error) => log.error('log partitions could not be made', { error }),
    onStray: (day) =>
      log.warn(`The log's partition of ${day} was not made in time: its events are in the default partition.`),
  });
  const eventWriter = createEventWriter({ pool });

  let listener: ChangeListener | undefined;
  let isAway = false;
  const cache = createTenantCache({ isCurrent: () => listener?.isListening() ?? false });
  const logs = createLogReader({
    pool,
    keptSince: async (tenantId) => {
      const { days } = await cache.get(tenantId, 'log retention', () => stores.logRetention.find(tenantId));
      return keptSince(days, now());
    },
  });
  const storesIn = (database: typeof db): Stores => storesOn(database, { sealer, logs });
  const stores: Stores = storesOnPool(db, { sealer, logs });
  // Our own changes are forgotten at once; those of other processes when the database tells.
  const forget = (tenantId: string) => (tenantId === ALL_TENANTS ? cache.forgetAll() : cache.forget(tenantId));

  const directory = createTenantDirectory({
    cache,
    tenants: stores.tenants,
    baseDomain: world.config.baseDomain,
    defaultOrigin: world.config.origin,
    listening: world.listening,
    isBehindProxy: world.config.trustedProxies.length > 0,
  });
  const keyRings = createKeyRings({ signingKeys: stores.signingKeys, cache });
  const signingKeys = createSigningKeyService({ now });
  const secrets = createTenantSecrets({ db, sealer, cache });
  const hasher = createPasswordHasher({ workers: Math.ceil(availableParallelism() / world.processes) });
  const metrics = createMetrics({ pool, hasher, eventWriter });
  const transact = observeCommitted(transactionsOn(db, storesIn), metrics.countEvent);
  const clients = createClientDirectory({ cache, clients: stores.clients });
  const recordAlone = nameClient(
    observeAlone(eventWriter.recordAlone, metrics.countEvent),
    async (tenantId, clientId) => (await clients.find(tenantId, clientId))?.name,
  );
  const renderer = createPageRenderer();
  const looks = createTenantLooks({ cache, renderer, branding: stores.branding, prompts: stores.prompts });
  const sendPage = createSendPage({ renderer, looks });
  const housekeeper = createHousekeeper({ pool, now, log });
  const outgoing = createOutgoing({ allowed: world.config.outgoingAllow });

  const moduleStore = checkModuleStore() === undefined ? MODULE_STORE : undefined;
  const { containers, consoles } = createTenantCode({ ...world, moduleStore, stores, cache, transact, recordAlone });

  const http: FastifyInstance = createHttpServer({
    log,
    reader: createRequestReader(world.config.trustedProxies, world.config.clientCertificateHeader),
    directory,
    renderErrorPage: createErrorPage(sendPage),
    observeRequest: metrics.observeRequest,
  });
  const tunnelTo = createApiTunnels({ inject: (request) => http.inject(request) });
  const revokeAccess = createRevokeAccess(now);
  const authentication = createAuthentication({
    cache,
    stores,
    directory,
    hasher,
    transact,
    recordAlone,
    containers,
    revokeAccess,
    tunnelTo,
  });
  metricsRoutes(http, { metrics, token: world.config.metricsToken, snapshotsOfOthers: world.snapshotsOfOthers });
  healthRoutes(http, { pool, isStarted: world.isStarted });
  securityTextRoutes(http, { now });
  const acceptProof = createProofAcceptance({
    nonces: createDpopNonces({ secretFor: (tenantId) => secrets.secretFor(tenantId, 'dpop-nonce'), now }),
    takeProof: stores.dpopProofs.use,
    now,
  });
  const checkPresenter = createPresenterCheck({ acceptProof });
  const triggers = createTriggers({
    stores,
    transact,
    cache,
    directory,
    containers,
    tunnelTo,
    backgroundLimits: world.backgroundLimits,
    recordAlone,
    log,
    now,
  });
  const recovery = createRecovery({ ...authentication, stores, transact, directory, looks, triggers, now });
  const accessTokens = createAccessTokenFinder(db);
  const loginPipeline = createLoginPipeline(http, {
    stores,
    cache,
    directory,
    keyRings,
    containers,
    triggers,
    countRuleRun: metrics.countRuleRun,
    recordAlone,
    now,
  });
  const { logouts } = createOAuth(http, {
    ...authentication,
    ...loginPipeline,
    triggers,
    recovery,
    revokeAccess,
    stores,
    transact,
    directory,
    cache,
    keyRings,
    secrets,
    recordAlone,
    rotate: createRotate(db, metrics.countEvent),
    giveCode: createGiveCode(db, metrics.countEvent),
    sendPage,
    accessTokens,
    takesCertificates: world.config.clientCertificateHeader !== undefined,
    acceptProof,
    checkPresenter,
    callOut: outgoing.callOut,
    log,
    now,
  });
  const logStreams = createLogStreams({
    ...world,
    stores,
    transact,
    findTenant: directory.find,
    callOut: outgoing.callOut,
    connectOut: outgoing.connectOut,
  });
  createManagementApi(http, {
    ...authentication,
    triggers,
    recovery,
    revokeAccess,
    accessTokens,
    stores,
    transact,
    directory,
    keyRings,
    signingKeys,
    checkPresenter,
    rateLimit: world.managementRateLimit,
    resolver: world.resolver ?? new Resolver({ timeout: 2_000, tries: 2 }),
    ownNames: { baseDomain: world.config.baseDomain, defaultOrigin: world.config.origin },
    findModule: world.findModule ?? createModuleFinder({ curated: moduleStore, added: world.addedModules }),
    checkSyntax: containers.checkSyntax,
    runAction: world.runAction ?? triggers.tryAction,
    recordAlone,
    trySend: logStreams.trySend,
    afterCommit: forget,
    log,
    now,
  });
  const logWatch = createLogWatch({
    pool,
    stores,
    transact,
    directory,
    callOut: outgoing.callOut,
    cursors: stores.streamDeliveries.cursors,
    log,
    now,
  });
  const tenants = createTenantCreation({ transact, signingKeys, hasher, forget, baseDomain: world.config.baseDomain });

  const resetAdmin = createAdminReset<Stores>({ stores, transact, hasher, revokeAccess });

  return {
    http,
    directory,
    tenants,
    resetAdmin,
    stores,
    transact,
    forget,
    metrics,
    logouts,
    streams: logStreams.worker,
    logWatch,
    containers,
    /** The way of tenant code to its tenant's own API. */
    tunnelTo,
    async start(): Promise<void> {
      await partitions.start();
      listener = await listenForChanges({
        poolOptions,
        channels: {
          configuration_changed(tenantId) {
            forget(tenantId);
            logStreams.worker.wake();
          },
          [STREAMS_CHANNEL]: logStreams.worker.hear,
        },
        onReconnect: () => {
          cache.forgetAll();
          if (isAway) log.info('The database answers again.');
          isAway = false;
        },
        onLost: () => {
          isAway = true;
          log.warn('The connection to the database is lost: requests get 503 until it is back.');
        },
      });
      if (world.worksByItself ?? true) for (const one of [housekeeper, logouts, logStreams.worker]) one.start();
      if (world.watchesLog ?? true) logWatch.start();
      await http.ready();
    },
    async stop(): Promise<void> {
      housekeeper.stop();
      await http.close();
      await Promise.all([logouts.stop(), logStreams.worker.stop(), logWatch.stop()]);
      await triggers.background.stop();
      await containers.stop();
      await triggers.background.finish();
      await consoles.stop();
      await eventWriter.stop();
      await Promise.all([hasher.stop(), partitions.stop(), listener?.stop(), outgoing.stop()]);
    },
  };
}
