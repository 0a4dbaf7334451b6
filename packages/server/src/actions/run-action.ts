import type { Json } from '../kit/json-values.ts';
import { actionErrors } from './action.ts';
import type { RunnableAction } from './deployed-actions.ts';

export interface ActionRun {
  readonly tenantId: string;
  readonly triggerId: string;
  readonly action: RunnableAction;
  readonly event: Json;
}

/** Runs an action by itself, outside of any flow, and tells what it did: also that it failed. */
export type RunAction = (run: ActionRun) => Promise<Json>;

/** Where there is nothing to run code in. */
export const runNoAction: RunAction = async () => {
  throw actionErrors.cannotRun();
};
