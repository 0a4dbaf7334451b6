/** A point of the platform at which actions run. */
export interface TriggerRef {
  readonly id: string;
  readonly version: string;
}

interface Trigger extends TriggerRef {
  readonly isCurrent: boolean;
  /** `entity-bound`: a profile or a stream names the action, and there is no list of bindings. */
  readonly binding: 'trigger-bound' | 'entity-bound';
}

/** Code runs in one runtime whatever it asks for; the names are those that actions were written for. */
export const RUNTIMES = ['node22', 'node18-actions', 'node18', 'node16', 'node12'] as const;
export const DEFAULT_RUNTIME = 'node22';

const TRIGGERS: readonly Trigger[] = [
  ...versionsOf('post-login', ['v3', 'v2', 'v1']),
  ...versionsOf('credentials-exchange', ['v2', 'v1']),
  ...versionsOf('pre-user-registration', ['v2', 'v1']),
  ...versionsOf('post-user-registration', ['v2', 'v1']),
  ...versionsOf('post-change-password', ['v2', 'v1']),
  ...versionsOf('send-phone-message', ['v2', 'v1']),
  ...versionsOf('password-reset-post-challenge', ['v1']),
  ...versionsOf('custom-email-provider', ['v1']),
  ...versionsOf('custom-phone-provider', ['v1']),
  ...versionsOf('custom-token-exchange', ['v1'], 'entity-bound'),
  ...versionsOf('event-stream', ['v1'], 'entity-bound'),
];

export const TRIGGER_IDS: readonly string[] = [...new Set(TRIGGERS.map(({ id }) => id))];

export function isTriggerBound(triggerId: string): boolean {
  return TRIGGERS.some(({ id, binding }) => id === triggerId && binding === 'trigger-bound');
}

/** The trigger of this version, or its current one; undefined where there is none. */
export function findTrigger(triggerId: string, version: string | undefined): TriggerRef | undefined {
  const found = TRIGGERS.find(
    (trigger) => trigger.id === triggerId && (version === undefined ? trigger.isCurrent : trigger.version === version),
  );
  return found && { id: found.id, version: found.version };
}

/** `PostLogin` of `onExecutePostLogin` and `onContinuePostLogin`: the functions that an action exports. */
export function handlerOf(triggerId: string): string {
  if (triggerId === 'password-reset-post-challenge') return 'PostChallenge';
  return triggerId.replace(/(?:^|-)([a-z])/g, (_whole, letter: string) => letter.toUpperCase());
}

export function triggersToWire() {
  return TRIGGERS.map(({ id, version, isCurrent, binding }) => ({
    id,
    version,
    status: isCurrent ? 'CURRENT' : 'DEPRECATED',
    runtimes: [...RUNTIMES],
    default_runtime: DEFAULT_RUNTIME,
    binding_policy: binding,
    compatible_triggers: [],
  }));
}

/** The newest first: it is the current one. */
function versionsOf(id: string, versions: readonly string[], binding: Trigger['binding'] = 'trigger-bound'): Trigger[] {
  return versions.map((version, index) => ({ id, version, isCurrent: index === 0, binding }));
}
