import { createContainers } from '../containers/containers.ts';
import { LIMITS } from '../containers/limits.ts';
import { createContainerReporter } from '../containers/report-events.ts';
import { placingFaults } from '../containers/syntax/place-fault.ts';
import type { Transact } from '../db/transact.ts';
import { createConsoleWriter } from '../executions/console-writer.ts';
import { observeExecutions } from '../executions/observe-executions.ts';
import { createApiCallWatch } from '../executions/watch-api-calls.ts';
import type { RecordEvent } from '../logs/event.ts';
import { createTargetConnector } from '../outgoing/connect-target.ts';
import type { Stores } from '../stores.ts';
import type { TenantCache } from '../tenants/tenant-cache.ts';
import type { World } from './app-world.ts';

interface Parts
  extends Pick<World, 'log' | 'now' | 'config' | 'listening' | 'processes' | 'addedModules' | 'containerLimits'> {
  /** The folder of the curated modules; none where they are not installed. */
  readonly moduleStore: string | undefined;
  readonly stores: Stores;
  readonly cache: TenantCache;
  readonly transact: Transact<Stores>;
  readonly recordAlone: RecordEvent;
}

/** Where tenants' code runs, and what is kept of what it prints and calls. */
export function createTenantCode(parts: Parts) {
  const { stores, cache, log, now } = parts;
  const consoles = createConsoleWriter({ insert: stores.consoles.insert, now, log });
  const containers = placingFaults(
    createContainers({
      log,
      onEvent: createContainerReporter({ recordAlone: parts.recordAlone, log }),
      moduleStore: parts.moduleStore,
      addedModules: parts.addedModules,
      limits: { ...LIMITS, containers: Math.ceil(LIMITS.containers / parts.processes), ...parts.containerLimits },
      egressOf: async (tenantId) => {
        const set = await cache.get(tenantId, 'egress', () => stores.egress.find(tenantId));
        return { hosts: [], intranet: [], ...set, mode: set?.mode ?? parts.config.egress };
      },
      connectIntranet: createTargetConnector({ ownPorts: () => Object.values(parts.listening()) }),
    }),
  );
  const watchApiCalls = createApiCallWatch({ transact: parts.transact, now });
  return { containers: observeExecutions(containers, { consoles, watchApiCalls, log }), consoles };
}
