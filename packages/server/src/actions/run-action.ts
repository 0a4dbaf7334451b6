import type { Json } from '../kit/json-values.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { RunnableAction } from './deployed-actions.ts';

export interface ActionRun {
  readonly tenant: Tenant;
  readonly triggerId: string;
  readonly action: RunnableAction;
  readonly event: Json;
}

/** Runs an action by itself, outside of any flow, and tells what it did: also that it failed. */
export type RunAction = (run: ActionRun) => Promise<Json>;
