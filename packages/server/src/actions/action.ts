import { defineErrors } from '../kit/errors.ts';
import type { Secret } from './secrets.ts';
import type { TriggerRef } from './triggers.ts';

/** What an author writes: of the draft, and of each version. */
export interface ActionSource {
  readonly code: string;
  readonly runtime: string;
  /** One, as long as no trigger is compatible with another. */
  readonly triggers: readonly TriggerRef[];
  readonly dependencies: readonly Dependency[];
  readonly modules: readonly ModuleUse[];
}

/** A module of the module store: `lodash`, `4.17.21`. */
export interface Dependency {
  readonly name: string;
  readonly version: string;
}

/** A version of one of the tenant's own modules; a module keeps its name. */
export interface ModuleUse {
  readonly moduleId: string;
  readonly moduleName: string;
  readonly versionId: string;
  readonly versionNumber: number;
}

/** A function of the tenant at one point of the platform: its draft, and which version runs. */
export interface Action {
  readonly id: string;
  readonly name: string;
  readonly source: ActionSource;
  readonly secrets: readonly Secret[];
  /** Whether the draft differs from the version that is deployed. */
  readonly isChanged: boolean;
  readonly deployedVersionId: string | undefined;
  /** Why the code of the draft can't be compiled. */
  readonly codeFault: CodeFault | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** It counts for the code with this digest alone. */
export interface CodeFault {
  readonly codeHash: string;
  readonly message: string;
}

/** What was deployed once; it never changes. */
export interface ActionVersion {
  readonly id: string;
  readonly actionId: string;
  readonly number: number;
  readonly source: ActionSource;
  readonly secrets: readonly Secret[];
  readonly createdAt: Date;
}

export const LONGEST_NAME = 255;
export const LONGEST_CODE = 100_000;
export const MOST_ACTIONS = 100;
export const MOST_ACTIONS_OF_TRIGGER = 20;
export const MOST_VERSIONS = 50;
export const MOST_DEPENDENCIES = 10;
export const MOST_MODULES = 20;

export const actionErrors = defineErrors({
  notFound: { status: 404, message: 'That action does not exist.' },
  noVersion: { status: 404, message: 'That action version does not exist.' },
  noExecution: { status: 404, message: 'That execution does not exist.' },
  nameTaken: { status: 409, code: 'action_conflict', message: 'An action with the same name already exists.' },
  tooMany: { status: 403, code: 'too_many_entities', message: 'The limit of {limit} {things} was reached.' },
  notBuilt: { status: 400, code: 'action_build_failed', message: 'The action could not be built. {problems}' },
  isBound: { status: 409, message: 'Unable to delete an action bound to a trigger.' },
  isNamed: { status: 409, message: 'Unable to delete an action that a token exchange profile uses.' },
  notDeployed: {
    status: 400,
    message: 'Trying to create a binding for an action that has not been deployed yet: {name}',
  },
});
