import { createDeployedActions } from '../actions/deployed-actions.ts';
import { type BackgroundLimits, createBackground } from '../actions/running/background.ts';
import { createCredentialsExchange } from '../actions/running/credentials-exchange.ts';
import { createPasswordChangeTrigger } from '../actions/running/password-change.ts';
import { createChangeKeeper } from '../actions/running/post-login/keep-changes.ts';
import { createPostLoginStage } from '../actions/running/post-login/post-login-stage.ts';
import { createRegistrations } from '../actions/running/registration.ts';
import { createRunAfterwards } from '../actions/running/run-afterwards.ts';
import { createTriggerRunner } from '../actions/running/run-trigger.ts';
import { createActionTrial } from '../actions/running/try-action.ts';
import type { ApiTunnels } from '../containers/api-tunnel.ts';
import type { Containers } from '../containers/job.ts';
import type { Transact } from '../db/transact.ts';
import { createHookRunner } from '../hooks/run-hook.ts';
import type { Log } from '../kit/log.ts';
import type { RecordEvent } from '../logs/event.ts';
import type { Stores } from '../stores.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { TenantCache } from '../tenants/tenant-cache.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';

interface Parts {
  readonly stores: Stores;
  readonly transact: Transact<Stores>;
  readonly cache: TenantCache;
  readonly directory: TenantDirectory;
  readonly containers: Containers;
  readonly tunnelTo: ApiTunnels;
  readonly backgroundLimits: Partial<BackgroundLimits> | undefined;
  readonly recordAlone: RecordEvent;
  readonly log: Log;
  readonly now: () => Date;
}

export type Triggers = ReturnType<typeof createTriggers>;

/** Where actions and hooks run; post-login has its place in the pipeline (app-pipeline.ts). */
export function createTriggers(parts: Parts) {
  const { stores, transact, cache, directory, containers, tunnelTo, recordAlone, log, now } = parts;
  const apiOf = (tenant: Tenant) => {
    const canonical = directory.canonicalOrigin(tenant);
    return { domain: new URL(canonical).host, tunnel: tunnelTo(tenant.tenantId, [canonical]) };
  };
  const deployed = createDeployedActions({ cache, stores });
  const runTrigger = createTriggerRunner({ containers, apiOf, transact, keep: stores.actionExecutions.keep, now });
  const hooks = createHookRunner({ containers, cache, hooks: stores.hooks, apiOf, recordAlone });
  const background = createBackground({ log, ...(parts.backgroundLimits && { limits: parts.backgroundLimits }) });
  const runAfterwards = createRunAfterwards({ deployed, runTrigger, hooks, background, recordAlone, log });
  return {
    deployed,
    runTrigger,
    background,
    postLogin: createPostLoginStage({
      deployed,
      runTrigger,
      keepChanges: createChangeKeeper({ transact, now }),
      recordAlone,
    }),
    tryAction: createActionTrial({ containers, apiOf, now }),
    registrations: createRegistrations({ deployed, runTrigger, hooks, runAfterwards }),
    afterPasswordChange: createPasswordChangeTrigger({ runAfterwards }),
    exchangeCredentials: createCredentialsExchange({ deployed, runTrigger, hooks, recordAlone }),
  };
}
