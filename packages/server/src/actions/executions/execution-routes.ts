import { isObject, type Json } from '../../kit/json-values.ts';
import type { Management } from '../../management/call.ts';
import { actionErrors } from '../action.ts';
import { existing } from '../action-routes.ts';
import type { ActionStore } from '../action-store.ts';
import { buildAction, type FindModule, faultOf, refuseFailed } from '../build-action.ts';
import { toRunnable } from '../deployed-actions.ts';
import type { ActionModuleStore } from '../modules/action-module-store.ts';
import type { ModuleVersionStore } from '../modules/module-version-store.ts';
import type { RunAction } from '../run-action.ts';
import type { ActionExecution } from './execution.ts';
import type { ExecutionStore } from './execution-store.ts';

interface Stores {
  readonly actions: ActionStore;
  readonly actionModules: ActionModuleStore;
  readonly actionModuleVersions: ModuleVersionStore;
  readonly actionExecutions: ExecutionStore;
}

interface Parts {
  readonly findModule: FindModule;
  readonly runAction: RunAction;
  readonly now: () => Date;
}

/** Trying a draft, and what was run. */
export function executionRoutes<Inside extends Stores>(
  management: Management<Inside>,
  { findModule, runAction, now }: Parts,
): void {
  management.route('POST /actions/actions/{id}/test', async (call) => {
    const { tenantId } = call.tenant;
    const action = await existing(call.stores, tenantId, call.params.id);
    refuseFailed(await buildAction(action.source.dependencies, faultOf(action), findModule));
    const [trigger] = action.source.triggers;
    const payload = await runAction({
      tenant: call.tenant,
      triggerId: trigger?.id ?? '',
      action: await toRunnable(call.stores, tenantId, action, action),
      event: isObject(call.body.payload) ? call.body.payload : {},
    });
    return call.commit(async () => ({ payload }));
  });

  management.route('GET /actions/executions/{id}', async (call) => {
    const { tenantId } = call.tenant;
    const execution = await call.stores.actionExecutions.find(tenantId, call.params.id ?? '', now());
    if (!execution) throw actionErrors.noExecution();
    return toWire(execution);
  });
}

function toWire({ id, triggerId, status, results, createdAt, updatedAt }: ActionExecution): Json {
  return {
    id,
    trigger_id: triggerId,
    status,
    results: results.map(({ actionName, startedAt, endedAt, error }) => ({
      action_name: actionName,
      ...(error && { error: { id: error.id, msg: error.message } }),
      started_at: startedAt,
      ended_at: endedAt,
    })),
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}
