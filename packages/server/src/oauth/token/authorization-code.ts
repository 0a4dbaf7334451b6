import type { Transact } from '../../db/transact.ts';
import { digest } from '../../kit/digest.ts';
import { type User, userNameOf } from '../../users/user.ts';
import type { AccessResolver } from '../access/resolve-access.ts';
import type { AuthorizationCode, AuthorizationCodeStore } from '../authorize/authorization-code-store.ts';
import { oauthErrors } from '../oauth-errors.ts';
import type { TokenGrantStore } from '../tokens/token-grant-store.ts';
import type { PrepareUserTokens } from '../tokens/user-tokens.ts';
import { checkCodeKey } from './check-code-key.ts';
import { checkCodeVerifier } from './check-code-verifier.ts';
import { checkRedemptionUri } from './check-redemption-uri.ts';
import { createGrantRedemption, type RedemptionStores } from './redeem-grant.ts';
import { asRecorded, type Exchange, exchangeEvent, type Grant } from './token-grant.ts';

interface Stores extends RedemptionStores {
  readonly codes: AuthorizationCodeStore;
  readonly tokenGrants: TokenGrantStore;
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
  const redeemGrant = createGrantRedemption({ transact, access, prepareTokens });

  async function exchange(exchange: Exchange) {
    const { tenant, client, parameters } = exchange;
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
    const response = await redeemGrant(exchange, {
      grant: code.grant,
      user,
      nonce: code.nonce,
      now: time,
      type: 'codeExchanged',
      code: presented,
      end: ({ codes }) => codes.redeem(tenant.tenantId, code.codeHash, time),
    });
    return response ?? refuseReplay(exchange, presented, code, time);
  }

  /** A code that comes twice was stolen once: all that it issued ends (RFC 6749 section 4.1.2). */
  async function refuseReplay(
    exchange: Exchange,
    presented: string,
    code: AuthorizationCode,
    time: Date,
  ): Promise<never> {
    const error = asRecorded(oauthErrors.invalidCode());
    const user = await findUser(exchange.tenant.tenantId, code.grant.userId);
    await transact(async ({ tokenGrants, record }) => {
      await tokenGrants.revoke(exchange.tenant.tenantId, code.grantId, time);
      await record(exchange.tenant.tenantId, {
        ...exchangeEvent(exchange),
        type: 'codeExchangeFailed',
        userId: code.grant.userId,
        ...(user && { userName: userNameOf(user) }),
        description: error.message,
        details: { code: presented, error: { message: 'The code was redeemed before; what it issued is revoked.' } },
      });
    });
    throw error;
  }

  return { grantTypes: ['authorization_code'], failed: 'codeExchangeFailed', exchange };
}
