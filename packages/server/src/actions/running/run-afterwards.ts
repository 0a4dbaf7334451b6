import type { HookTrigger } from '../../hooks/hook.ts';
import type { HookRunner } from '../../hooks/run-hook.ts';
import type { Json } from '../../kit/json-values.ts';
import type { Log } from '../../kit/log.ts';
import type { AuditEvent, RecordEvent } from '../../logs/event.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { DeployedActions, RunnableAction } from '../deployed-actions.ts';
import type { Background, NotBegun } from './background.ts';
import type { RunTrigger } from './run-trigger.ts';

/** Something is committed, and the tenant's code hears of it. */
export interface Afterwards {
  readonly tenant: Tenant;
  readonly triggerId: HookTrigger;
  /** `event` of the actions. */
  readonly event: Json;
  /** What the hook is given before its callback. */
  readonly given: readonly unknown[];
  /** The type of the event of a hook that failed. */
  readonly hookFailed: AuditEvent['type'];
  readonly about: Omit<AuditEvent, 'type'>;
}

interface Parts {
  readonly deployed: Pick<DeployedActions, 'atTrigger'>;
  readonly runTrigger: RunTrigger;
  readonly hooks: HookRunner;
  readonly background: Pick<Background, 'begin'>;
  readonly recordAlone: RecordEvent;
  readonly log: Log;
}

export type RunAfterwards = (afterwards: Afterwards) => Promise<void>;

const WHY: Readonly<Record<NotBegun | 'internal', string>> = {
  busy: 'too much is running',
  stopping: 'the server is stopping',
  internal: 'an internal error',
};

/**
 * The hook and the actions of a trigger that nobody waits for: both have one place in the background, or neither. It never
 * throws, since what it comes after is committed: whatever goes wrong stands in the log.
 */
export function createRunAfterwards({
  deployed,
  runTrigger,
  hooks,
  background,
  recordAlone,
  log,
}: Parts): RunAfterwards {
  return async function runAfterwards(what) {
    try {
      await begin(what);
    } catch (error) {
      await unexpected(what, error);
    }
  };

  async function begin(what: Afterwards): Promise<void> {
    const { tenant, triggerId } = what;
    const actions = await deployed.atTrigger(tenant.tenantId, triggerId);
    const hasHook = await hooks.isUsed(tenant.tenantId, triggerId);
    if (actions.length === 0 && !hasHook) return;
    const reason = background.begin(tenant.tenantId, triggerId, () => run(what, hasHook, actions));
    if (reason) await notRun(what, reason);
  }

  /** Beside each other: they have containers of their own, and the end of one says nothing about the other. */
  async function run(what: Afterwards, hasHook: boolean, actions: readonly RunnableAction[]): Promise<void> {
    const { tenant, triggerId, event, about } = what;
    const ended = await Promise.allSettled([
      hasHook && runHook(what),
      actions.length > 0 && runTrigger({ tenant, triggerId, actions, input: { event }, about }),
    ]);
    for (const one of ended) if (one.status === 'rejected') await unexpected(what, one.reason);
  }

  async function runHook({ tenant, triggerId, given, hookFailed, about }: Afterwards): Promise<void> {
    const outcome = await hooks.run(tenant, triggerId, given, about);
    if (!outcome || outcome.ok) return;
    const { hook, failure } = outcome;
    await recordAlone(tenant.tenantId, {
      ...about,
      type: hookFailed,
      description: failure.logged?.message ?? failure.kind,
      details: { hook: { id: hook.id, name: hook.name, failure: failure.kind, error: failure.logged } },
    });
  }

  /** Also told to the operator, who alone hears of it where the database is away. */
  async function unexpected(what: Afterwards, error: unknown): Promise<void> {
    const { tenant, triggerId } = what;
    log.error('a trigger after a change failed', { error, tenant: tenant.tenantId, trigger: triggerId });
    await notRun(what, 'internal').catch((cause: unknown) =>
      log.error('the failure of a trigger could not be recorded', { error: cause }),
    );
  }

  function notRun({ tenant, triggerId, about }: Afterwards, reason: keyof typeof WHY): Promise<void> {
    return recordAlone(tenant.tenantId, {
      ...about,
      type: 'actionExecutionFailed',
      description: `${triggerId} was not run: ${WHY[reason]}`,
      details: { trigger_id: triggerId, failure: reason },
    });
  }
}
