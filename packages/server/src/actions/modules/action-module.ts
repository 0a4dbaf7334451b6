import { defineErrors } from '../../kit/errors.ts';
import type { Dependency } from '../action.ts';
import type { Secret } from '../secrets.ts';

export interface ModuleSource {
  readonly code: string;
  readonly dependencies: readonly Dependency[];
}

/** Code that several actions of a tenant share: its draft. Actions use its versions. */
export interface ActionModule {
  readonly id: string;
  readonly name: string;
  readonly source: ModuleSource;
  readonly secrets: readonly Secret[];
  /** Whether the draft differs from the newest version. */
  readonly isChanged: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ActionModuleVersion {
  readonly id: string;
  readonly moduleId: string;
  readonly number: number;
  readonly source: ModuleSource;
  readonly secrets: readonly Secret[];
  readonly createdAt: Date;
}

export const MOST_MODULES_OF_TENANT = 100;
export const MOST_VERSIONS_OF_MODULE = 100;

export const moduleErrors = defineErrors({
  notFound: { status: 404, message: 'That module does not exist.' },
  noVersion: { status: 404, message: 'That module version does not exist.' },
  nameTaken: { status: 409, code: 'module_conflict', message: 'A module with the same name already exists.' },
  tooMany: { status: 403, code: 'too_many_entities', message: 'The limit of {limit} {things} was reached.' },
  isUsed: { status: 412, code: 'module_in_use', message: 'The module can not be deleted: actions use it.' },
  notBuilt: { status: 412, code: 'module_build_failed', message: 'The module could not be published. {problems}' },
});
