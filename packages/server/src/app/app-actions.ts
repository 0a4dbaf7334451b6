import { actionRoutes } from '../actions/action-routes.ts';
import { createActionsToWire } from '../actions/action-wire.ts';
import { bindingRoutes } from '../actions/bindings/binding-routes.ts';
import type { FindModule } from '../actions/build-action.ts';
import { createDeployAction } from '../actions/deploy-action.ts';
import { executionRoutes } from '../actions/executions/execution-routes.ts';
import { moduleRoutes } from '../actions/modules/module-routes.ts';
import { moduleVersionRoutes } from '../actions/modules/module-version-routes.ts';
import { createPublishModule } from '../actions/modules/publish-module.ts';
import type { RunAction } from '../actions/run-action.ts';
import { versionRoutes } from '../actions/versions/version-routes.ts';
import type { CheckSyntax } from '../containers/syntax/check-syntax.ts';
import type { Management } from '../management/call.ts';
import type { Stores } from '../stores.ts';

interface Parts {
  readonly findModule: FindModule;
  readonly checkSyntax: CheckSyntax;
  readonly runAction: RunAction;
  readonly now: () => Date;
}

/** /actions of the Management API. */
export function createActionsApi(
  management: Management<Stores>,
  { findModule, checkSyntax, runAction, now }: Parts,
): void {
  const actionsToWire = createActionsToWire({ findModule });
  const deploy = createDeployAction({ findModule, checkSyntax, now });
  const publish = createPublishModule({ findModule, now });
  actionRoutes(management, { actionsToWire, deploy, checkSyntax, now });
  versionRoutes(management, { deploy });
  bindingRoutes(management, { actionsToWire, now });
  executionRoutes(management, { findModule, runAction, now });
  moduleRoutes(management, { publish, checkSyntax, now });
  moduleVersionRoutes(management, { publish, checkSyntax, now });
}
