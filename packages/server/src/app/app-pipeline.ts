import type { FastifyInstance } from 'fastify';
import { createApiTunnels } from '../containers/api-tunnel.ts';
import type { Containers } from '../containers/job.ts';
import type { KeyRings } from '../keys/key-ring.ts';
import { createTokenSigner } from '../keys/token-signer.ts';
import type { RecordEvent } from '../logs/event.ts';
import { createManagementTokenMint } from '../pipeline/management-token.ts';
import { createPipeline, type RunPipeline } from '../pipeline/run-pipeline.ts';
import { createRulesPrograms } from '../rules/rules-program.ts';
import { createRulesStage } from '../rules/rules-stage.ts';
import type { Stores } from '../stores.ts';
import type { TenantCache } from '../tenants/tenant-cache.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';
import type { Triggers } from './app-triggers.ts';

interface Parts {
  readonly stores: Stores;
  readonly cache: TenantCache;
  readonly directory: TenantDirectory;
  readonly keyRings: KeyRings;
  readonly containers: Containers;
  readonly triggers: Triggers;
  readonly countRuleRun: (outcome: 'success' | 'failure') => void;
  readonly recordAlone: RecordEvent;
  readonly now: () => Date;
}

export interface LoginPipeline {
  readonly runPipeline: RunPipeline;
  /** Whether any of it runs for logins of this tenant: from memory. */
  readonly hasLoginCode: (tenantId: string) => Promise<boolean>;
}

/** Tenant code between the user and the tokens. */
export function createLoginPipeline(http: FastifyInstance, parts: Parts): LoginPipeline {
  const { stores, cache, directory, keyRings, containers, recordAlone, now } = parts;
  const { canonicalOrigin } = directory;
  const tunnelTo = createApiTunnels({ inject: (request) => http.inject(request) });
  const signer = createTokenSigner(keyRings);
  const rules = createRulesStage({
    programs: createRulesPrograms({ cache, rules: stores.rules, rulesConfigs: stores.rulesConfigs }),
    containers,
    apiOf(tenant, origin) {
      const canonical = canonicalOrigin(tenant);
      return { domain: new URL(canonical).host, tunnel: tunnelTo(tenant.tenantId, [canonical, origin]) };
    },
    mintToken: createManagementTokenMint({
      cache,
      findGlobalClient: stores.clients.findGlobal,
      canonicalOrigin,
      sign: (tenantId, claims) => signer.sign(tenantId, claims, { typ: 'JWT', algorithm: 'RS256' }),
      now,
    }),
    countRun: parts.countRuleRun,
    recordAlone,
  });
  const stages = [rules, parts.triggers.postLogin];
  return {
    runPipeline: createPipeline({
      stages,
      historyOf: stores.sessions.history,
      refreshTokenPastOf: (tenantId, tokenId) => stores.refreshTokenLists.find(tenantId, tokenId, now()),
      roleNamesOf: stores.roleMembers.roleNamesOf,
      findUser: stores.users.find,
      recordAlone,
    }),
    hasLoginCode: async (tenantId) => (await Promise.all(stages.map((stage) => stage.isUsed(tenantId)))).includes(true),
  };
}
