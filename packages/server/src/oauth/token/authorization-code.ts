import type { Transact } from '../../db/transact.ts';
import { digest } from '../../kit/digest.ts';
import type { RecordEvent } from '../../logs/event.ts';
import type { User } from '../../users/user.ts';
import type { AccessResolver } from '../access/resolve-access.ts';
import type { AuthorizationCode, AuthorizationCodeStore } from '../authorize/authorization-code-store.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { describeRefreshToken, newRefreshToken } from '../refresh/refresh-token.ts';
import type { RefreshTokenStore } from '../refresh/refresh-token-store.ts';
import { grantExpiry } from '../tokens/grant-expiry.ts';
import type { TokenGrantStore } from '../tokens/token-grant-store.ts';
import type { PrepareUserTokens } from '../tokens/user-tokens.ts';
import { checkCodeKey } from './check-code-key.ts';
import { checkCodeVerifier } from './check-code-verifier.ts';
import { checkRedemptionUri } from './check-redemption-uri.ts';
import { asRecorded, type Exchange, exchangeEvent, type Grant } from './token-grant.ts';

interface Stores {
  readonly codes: AuthorizationCodeStore;
  readonly tokenGrants: TokenGrantStore;
  readonly refreshTokens: RefreshTokenStore;
  readonly record: RecordEvent;
}

interface Parts {
  readonly transact: Transact<Stores>;
  readonly stores: Pick<Stores, 'codes'>;
  readonly access: AccessResolver;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly prepareTokens: PrepareUserTokens;
  readonly now: () => Date;
}

/** authorization_code: RFC 6749 section 4.1.3, RFC 7636 section 4.6, authentication-api section 3.1. */
export function authorizationCodeGrant({ transact, stores, access, findUser, prepareTokens, now }: Parts): Grant {
  async function exchange(exchange: Exchange) {
    const { tenant, origin, client, parameters } = exchange;
    const presented = parameters.require('code');
    const time = now();
    const code = await stores.codes.find(tenant.tenantId, digest(presented));
    if (!code || code.clientId !== client.clientId) throw oauthErrors.invalidCode();
    if (code.isRedeemed) return refuseReplay(exchange, presented, code, time);
    if (code.expiresAt <= time || code.grant.isRevoked) throw oauthErrors.invalidCode();
    checkRedemptionUri(code.redirectUri, parameters.get('redirect_uri'), client);
    checkCodeVerifier(code.codeChallenge, parameters.get('code_verifier'));
    checkCodeKey(code.dpopJkt, exchange.possession);
    const user = await findUser(tenant.tenantId, code.grant.userId);
    if (!user) throw oauthErrors.invalidCode();
    if (user.blocked) throw oauthErrors.userBlocked();

    const target = await access.grantedTarget(tenant, code.grant.audience, (audience) =>
      oauthErrors.serviceNotFound({ audience }),
    );
    const granted = await access.forUser(tenant, client, user.userId, target, code.grant.scope);
    const refreshToken = granted.offline ? newRefreshToken() : undefined;
    const tokens = prepareTokens({
      tenant,
      origin,
      client,
      user,
      access: granted,
      grantId: code.grantId,
      now: time,
      possession: exchange.possession,
      ...(code.grant.sessionId && { sessionId: code.grant.sessionId }),
      ...(code.nonce !== undefined && { nonce: code.nonce }),
      authTime: code.grant.authTime,
      ...(refreshToken && { refreshToken }),
    });
    const [response, won] = await Promise.all([
      tokens.sign(),
      transact(async ({ codes, tokenGrants, refreshTokens, record }) => {
        if (!(await codes.redeem(tenant.tenantId, code.codeHash, time))) return false;
        if (refreshToken) {
          const stored = describeRefreshToken(client, refreshToken, code.grantId, time, exchange.possession);
          await refreshTokens.insert(tenant.tenantId, stored, exchange.requester);
          await tokenGrants.settle(tenant.tenantId, code.grantId, {
            scope: granted.scopes.join(' '),
            expiresAt: grantExpiry(time, stored),
          });
        }
        if (tokens.opaque) await tokenGrants.insertAccessToken(tenant.tenantId, tokens.opaque);
        await record(tenant.tenantId, {
          ...exchangeEvent(exchange),
          type: 'codeExchanged',
          userId: user.userId,
          userName: user.email ?? user.username ?? user.userId,
          ...(granted.audience && { audience: granted.audience }),
          scope: granted.scopes.join(' '),
          details: { code: presented, ...(code.grant.sessionId && { session_id: code.grant.sessionId }) },
        });
        return true;
      }),
    ]);
    return won ? response : refuseReplay(exchange, presented, code, time);
  }

  /** A code that comes twice was stolen once: all that it issued ends (RFC 6749 section 4.1.2). */
  async function refuseReplay(
    exchange: Exchange,
    presented: string,
    code: AuthorizationCode,
    time: Date,
  ): Promise<never> {
    const error = asRecorded(oauthErrors.invalidCode());
    await transact(async ({ tokenGrants, record }) => {
      await tokenGrants.revoke(exchange.tenant.tenantId, code.grantId, time);
      await record(exchange.tenant.tenantId, {
        ...exchangeEvent(exchange),
        type: 'codeExchangeFailed',
        userId: code.grant.userId,
        description: error.message,
        details: { code: presented, error: { message: 'The code was redeemed before; what it issued is revoked.' } },
      });
    });
    throw error;
  }

  return { grantTypes: ['authorization_code'], failed: 'codeExchangeFailed', exchange };
}
