import { defineErrors } from '../kit/errors.ts';

export const HOOK_TRIGGERS = [
  'credentials-exchange',
  'pre-user-registration',
  'post-user-registration',
  'post-change-password',
  'send-phone-message',
] as const;
export type HookTrigger = (typeof HOOK_TRIGGERS)[number];

/** A node function of the tenant at one point of the platform: what there was before actions. */
export interface Hook {
  readonly id: string;
  readonly name: string;
  readonly triggerId: HookTrigger;
  readonly script: string;
  /** Name of a module → its version. */
  readonly dependencies: Readonly<Record<string, string>>;
  /** One of a trigger's hooks at most. */
  readonly isEnabled: boolean;
}

export type HookSecrets = Readonly<Record<string, string>>;

export const MOST_HOOKS = 100;
export const LONGEST_SCRIPT = 100_000;
export const MOST_DEPENDENCIES = 20;
export const MOST_SECRETS = 30;
export const LONGEST_SECRET_NAME = 128;
export const LONGEST_SECRET = 4_096;

export const hookErrors = defineErrors({
  notFound: { status: 404, code: 'HookDoesNotExist', message: 'Error: Hook does not exist' },
  tooMany: { status: 403, code: 'too_many_entities', message: 'The limit of {limit} {things} was reached.' },
  secretTaken: { status: 409, code: 'hook_secret_conflict', message: 'The hook has a secret {name} already.' },
  noSecret: { status: 404, code: 'inexistent_hook_secret', message: 'The hook has no secret {name}.' },
});
