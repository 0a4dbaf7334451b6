import { unauthorized } from './management-errors.ts';
import type { VerifyAccessToken } from './verify-management-token.ts';

interface Parts {
  readonly findClient: (tenantId: string, clientId: string) => Promise<{ readonly name: string } | undefined>;
  readonly findUser: (tenantId: string, userId: string) => Promise<{ readonly blocked: boolean } | undefined>;
  /** False where the login that the token with this `jti` came of was revoked, or where it names none. */
  readonly isLoginAlive: (tenantId: string, tokenId: string | undefined) => Promise<boolean>;
}

/**
 * A token ends with who may use it: it would go on for a day. A machine's with its application, a user's as at /userinfo with
 * the right to log in and with the login that it came of, so that a new password takes it from whoever stole it, and a user who
 * is made again under the id of a deleted one gets none of its tokens.
 */
export function forLivingActors(verify: VerifyAccessToken, parts: Parts): VerifyAccessToken {
  return async (tenant, token) => {
    const { tenantId } = tenant;
    const verified = await verify(tenant, token);
    const client = await parts.findClient(tenantId, verified.clientId);
    if (!client) throw unauthorized('invalid');
    const actor = { ...verified, clientName: client.name };
    if (actor.userId === undefined) return actor;
    const user = await parts.findUser(tenantId, actor.userId);
    if (!user || user.blocked) throw unauthorized('invalid');
    if (!(await parts.isLoginAlive(tenantId, actor.jti))) throw unauthorized('invalid');
    return actor;
  };
}
