import { unauthorized } from './management-errors.ts';
import type { VerifyAccessToken } from './verify-management-token.ts';

type FindUser = (tenantId: string, userId: string) => Promise<{ readonly blocked: boolean } | undefined>;

/** A user's token ends with the right to log in, as at /userinfo: it would go on for a day. A client's names no user. */
export function forLivingUsers(verify: VerifyAccessToken, findUser: FindUser): VerifyAccessToken {
  return async (tenant, token) => {
    const actor = await verify(tenant, token);
    if (actor.userId === undefined) return actor;
    const user = await findUser(tenant.tenantId, actor.userId);
    if (!user || user.blocked) throw unauthorized('invalid');
    return actor;
  };
}
