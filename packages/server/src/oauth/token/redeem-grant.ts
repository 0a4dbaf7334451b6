import type { Transact } from '../../db/transact.ts';
import type { RecordEvent } from '../../logs/event.ts';
import type { LogType } from '../../logs/log-types.ts';
import { executionDetails } from '../../pipeline/execution-details.ts';
import type { User } from '../../users/user.ts';
import { replaceScopes, tokenScopesOf } from '../access/replace-scopes.ts';
import type { AccessResolver } from '../access/resolve-access.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { describeRefreshToken, newRefreshToken } from '../refresh/refresh-token.ts';
import type { RefreshTokenStore } from '../refresh/refresh-token-store.ts';
import { grantExpiry } from '../tokens/grant-expiry.ts';
import type { TokenGrant, TokenGrantStore } from '../tokens/token-grant-store.ts';
import type { PrepareUserTokens, TokenResponse } from '../tokens/user-tokens.ts';
import { type Exchange, exchangeEvent } from './token-grant.ts';

export interface RedemptionStores {
  readonly tokenGrants: Pick<TokenGrantStore, 'settle' | 'insertAccessToken'>;
  readonly refreshTokens: Pick<RefreshTokenStore, 'insert'>;
  readonly record: RecordEvent;
}

interface Parts<Stores extends RedemptionStores> {
  readonly transact: Transact<Stores>;
  readonly access: Pick<AccessResolver, 'grantedTarget' | 'forUser'>;
  readonly prepareTokens: PrepareUserTokens;
}

export interface Redemption<Stores> {
  readonly grant: TokenGrant;
  readonly user: User;
  readonly nonce?: string | undefined;
  readonly now: Date;
  /** The event of the success. */
  readonly type: LogType;
  /** The code as it was presented, where the event tells it. */
  readonly code?: string;
  /** Ends the code, with the stores of the transaction; of those who come at once, one gets true. */
  readonly end: (stores: Stores) => Promise<boolean>;
}

/**
 * What a code and a device code become, once each is found good: tokens of the grant that was made when its user agreed.
 * Undefined where somebody else was faster.
 */
export function createGrantRedemption<Stores extends RedemptionStores>({
  transact,
  access,
  prepareTokens,
}: Parts<Stores>) {
  return async function redeemGrant(
    exchange: Exchange,
    { grant, user, nonce, now, type, code, end }: Redemption<Stores>,
  ): Promise<TokenResponse | undefined> {
    const { tenant, origin, client, possession } = exchange;
    const { tenantId } = tenant;
    const target = await access.grantedTarget(tenant, grant.audience, (audience) =>
      oauthErrors.serviceNotFound({ audience }),
    );
    const { additions } = grant;
    const allowed = await access.forUser(tenant, client, user.userId, target, grant.scope);
    const granted = replaceScopes(allowed, additions?.scopes);
    const refreshToken = granted.offline ? newRefreshToken() : undefined;
    const tokens = prepareTokens({
      tenant,
      origin,
      client,
      user,
      access: granted,
      grantId: grant.grantId,
      now,
      possession,
      additions,
      ...(grant.sessionId && { sessionId: grant.sessionId }),
      ...(nonce !== undefined && { nonce }),
      authTime: grant.authTime,
      ...(refreshToken && { refreshToken }),
    });
    const details = {
      ...(code !== undefined && { code }),
      ...(grant.sessionId && { session_id: grant.sessionId }),
      ...executionDetails(additions?.executions),
    };
    const [response, won] = await Promise.all([
      tokens.sign(),
      transact(async (stores) => {
        if (!(await end(stores))) return false;
        const { tokenGrants, refreshTokens, record } = stores;
        if (refreshToken) {
          const wishes = additions?.refreshToken;
          const stored = describeRefreshToken(client, refreshToken, grant.grantId, now, possession, wishes);
          await refreshTokens.insert(tenantId, stored, exchange.requester, wishes?.metadata);
          await tokenGrants.settle(tenantId, grant.grantId, {
            scope: granted.scopes.join(' '),
            expiresAt: grantExpiry(now, stored),
          });
        }
        if (tokens.opaque) await tokenGrants.insertAccessToken(tenantId, tokens.opaque);
        await record(tenantId, {
          ...exchangeEvent(exchange),
          type,
          userId: user.userId,
          userName: user.email ?? user.username ?? user.userId,
          ...(granted.audience && { audience: granted.audience }),
          scope: tokenScopesOf(granted).join(' '),
          ...(Object.keys(details).length > 0 && { details }),
        });
        return true;
      }),
    ]);
    return won ? response : undefined;
  };
}
