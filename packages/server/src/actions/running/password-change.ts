import type { Connection } from '../../connections/connection.ts';
import type { AuditEvent } from '../../logs/event.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { type User, userNameOf } from '../../users/user.ts';
import { connectionPart, picked, type RequestPart, requestPart, tenantPart, userPart } from './event-parts.ts';
import { hookContext, hookUser } from './hook-user.ts';
import type { RunAfterwards } from './run-afterwards.ts';

/** A user has a new password, and the change is committed. */
export interface PasswordChange {
  readonly tenant: Tenant;
  readonly connection: Connection;
  readonly user: User;
  readonly request: RequestPart;
  readonly about: Omit<AuditEvent, 'type'>;
}

export type AfterPasswordChange = (change: PasswordChange) => Promise<void>;

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
export function createPasswordChangeTrigger({ runAfterwards }: { runAfterwards: RunAfterwards }): AfterPasswordChange {
  return function afterPasswordChange({ tenant, connection, user, request, about }) {
    const { body: _body, ...asked } = request;
    return runAfterwards({
      tenant,
      triggerId: 'post-change-password',
      event: {
        connection: connectionPart(connection),
        request: requestPart(asked),
        tenant: tenantPart(tenant),
        transaction: {},
        user: picked(userPart(user), TOLD),
      },
      given: [hookUser(tenant, user), hookContext({ tenant, connection, request })],
      hookFailed: 'postChangePasswordHookFailed',
      about: {
        strategy: connection.strategy,
        strategyType: 'database',
        userId: user.userId,
        userName: userNameOf(user),
        // Where another of the user's accounts got it, its own name.
        ...about,
      },
    });
  };
}
