import type { Connection } from '../../connections/connection.ts';
import type { HookRunner } from '../../hooks/run-hook.ts';
import type { AuditEvent, RecordEvent } from '../../logs/event.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { User } from '../../users/user.ts';
import type { DeployedActions } from '../deployed-actions.ts';
import type { Background } from './background.ts';
import { connectionPart, picked, type RequestPart, requestPart, tenantPart, userPart } from './event-parts.ts';
import { hookContext, hookUser } from './hook-user.ts';
import type { RunTrigger } from './run-trigger.ts';

/** A user has a new password, and the change is committed. */
export interface PasswordChange {
  readonly tenant: Tenant;
  readonly connection: Connection;
  readonly user: User;
  readonly request: RequestPart;
  readonly about: Omit<AuditEvent, 'type'>;
}

interface Parts {
  readonly deployed: Pick<DeployedActions, 'atTrigger'>;
  readonly runTrigger: RunTrigger;
  readonly hooks: HookRunner;
  readonly background: Background;
  readonly recordAlone: RecordEvent;
}

export type AfterPasswordChange = (change: PasswordChange) => Promise<void>;

const TRIGGER = 'post-change-password';
const TOLD = [
  'email',
  'email_verified',
  'last_password_reset',
  'phone_number',
  'phone_verified',
  'user_id',
  'username',
];

/** post-change-password: nobody waits for it, and what goes wrong stands in the log. */
export function createPasswordChangeTrigger(parts: Parts): AfterPasswordChange {
  const { deployed, runTrigger, hooks, background, recordAlone } = parts;

  async function runHook({ tenant, connection, user, request, about }: PasswordChange): Promise<void> {
    const outcome = await hooks.run(tenant, TRIGGER, [
      hookUser(tenant, user),
      hookContext({ tenant, connection, request }),
    ]);
    if (!outcome || outcome.ok) return;
    const { hook, failure } = outcome;
    await recordAlone(tenant.tenantId, {
      ...about,
      type: 'postChangePasswordHookFailed',
      description: failure.logged?.message ?? failure.kind,
      details: { hook: { id: hook.id, name: hook.name, failure: failure.kind, error: failure.logged } },
    });
  }

  return async function afterPasswordChange(change) {
    const { tenant, connection, user, request, about } = change;
    const actions = await deployed.atTrigger(tenant.tenantId, TRIGGER);
    const hasHook = await hooks.isUsed(tenant.tenantId, TRIGGER);
    const { body: _body, ...asked } = request;
    const event = {
      connection: connectionPart(connection),
      request: requestPart(asked),
      tenant: tenantPart(tenant),
      transaction: {},
      user: picked(userPart(user), TOLD),
    };
    const isBegun =
      (!hasHook || background.begin(tenant.tenantId, () => runHook(change))) &&
      (actions.length === 0 ||
        background.begin(tenant.tenantId, async () => {
          await runTrigger({ tenant, triggerId: TRIGGER, actions, input: { event }, about });
        }));
    if (!isBegun)
      await recordAlone(tenant.tenantId, {
        ...about,
        type: 'actionExecutionFailed',
        description: `${TRIGGER} was not run: too much is running`,
        details: { trigger_id: TRIGGER, failure: 'busy' },
      });
  };
}
