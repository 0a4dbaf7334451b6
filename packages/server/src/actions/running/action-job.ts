import type { Job, Part } from '../../containers/job.ts';
import { digest } from '../../kit/digest.ts';
import type { Json } from '../../kit/json-values.ts';
import type { Dependency } from '../action.ts';
import type { RunnableAction } from '../deployed-actions.ts';
import { handlerOf } from '../triggers.ts';

/** What the actions of a trigger are run with, besides their code. */
export interface ActionInput {
  /** `event` without secrets: each action gets a copy with its own. */
  readonly event: Json;
  /** Host of the tenant: who issues session tokens. */
  readonly domain?: string;
  readonly canRedirect?: boolean;
  readonly executedRules?: readonly string[];
  /** Index of the action that the trigger was left at: it goes on with the other one of its functions. */
  readonly from?: number;
}

/** All actions of a trigger are one job of one container: what they may take together is its limit. */
export function actionJob(
  tenantId: string,
  triggerId: string,
  actions: readonly RunnableAction[],
  input: ActionInput,
): Omit<Job, 'tunnel'> {
  return {
    tenantId,
    pool: 'actions',
    kind: 'action',
    program: programOf(actions),
    input: {
      ...input,
      trigger: triggerId,
      handler: handlerOf(triggerId),
      actions: actions.map(({ secrets }) => ({ secrets })),
      librarySecrets: Object.fromEntries(
        actions.flatMap((action) => action.modules.map((module) => [libraryId(action, module.name), module.secrets])),
      ),
    },
  };
}

const programs = new WeakMap<readonly RunnableAction[], Job['program']>();

/** Once for each list that the cache holds. */
function programOf(actions: readonly RunnableAction[]): Job['program'] {
  const known = programs.get(actions);
  if (known) return known;
  const parts = actions.map(partOf);
  // Code that reads a secret while it is loaded is loaded anew with another one; the secrets themselves are not in the program.
  const secrets = actions.map((action) => [
    action.versionId,
    action.secrets,
    action.modules.map((module) => module.secrets),
  ]);
  const program = { hash: digest(JSON.stringify([parts, secrets])), parts };
  programs.set(actions, program);
  return program;
}

function partOf(action: RunnableAction): Part {
  const { id, name, code, dependencies, modules } = action;
  return {
    id,
    name,
    code,
    modules: versionsOf(dependencies),
    libraries: modules.map((module) => ({
      id: libraryId(action, module.name),
      name: module.name,
      code: module.code,
      modules: versionsOf(module.dependencies),
    })),
  };
}

function libraryId(action: RunnableAction, name: string): string {
  return `${action.id}/${action.versionId ?? 'draft'}/${name}`;
}

function versionsOf(dependencies: readonly Dependency[]): Readonly<Record<string, string>> {
  return Object.fromEntries(dependencies.map(({ name, version }) => [name, version]));
}
