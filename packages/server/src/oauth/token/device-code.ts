import type { Transact } from '../../db/transact.ts';
import { digest } from '../../kit/digest.ts';
import type { DeclaredError } from '../../kit/errors.ts';
import type { RecordEvent } from '../../logs/event.ts';
import type { User } from '../../users/user.ts';
import type { AccessResolver } from '../access/resolve-access.ts';
import { DEVICE_GRANT, deviceErrors, POLL_SECONDS } from '../device/device-code.ts';
import type { DeviceCodeStore } from '../device/device-code-store.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { describeRefreshToken, newRefreshToken } from '../refresh/refresh-token.ts';
import type { RefreshTokenStore } from '../refresh/refresh-token-store.ts';
import { grantExpiry } from '../tokens/grant-expiry.ts';
import type { TokenGrant, TokenGrantStore } from '../tokens/token-grant-store.ts';
import type { PrepareUserTokens } from '../tokens/user-tokens.ts';
import { asRecorded, type Exchange, exchangeEvent, type Grant } from './token-grant.ts';

interface Stores {
  readonly deviceCodes: DeviceCodeStore;
  readonly tokenGrants: TokenGrantStore;
  readonly refreshTokens: RefreshTokenStore;
  readonly record: RecordEvent;
}

interface Parts {
  readonly transact: Transact<Stores>;
  readonly access: AccessResolver;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly prepareTokens: PrepareUserTokens;
  readonly now: () => Date;
}

type Polled = { readonly grant: TokenGrant } | { readonly refused: DeclaredError };

/** device_code: RFC 8628 sections 3.4 and 3.5, authentication-api section 3.5. */
export function deviceCodeGrant({ transact, access, findUser, prepareTokens, now }: Parts): Grant {
  async function exchange(exchange: Exchange) {
    const { tenant, origin, client, possession } = exchange;
    const hash = digest(exchange.parameters.require('device_code'));
    const time = now();
    const polled = await poll(exchange, hash, time);
    if ('refused' in polled) throw polled.refused;
    const { grant } = polled;
    const user = await findUser(tenant.tenantId, grant.userId);
    if (!user) throw deviceErrors.invalid();
    if (user.blocked) throw oauthErrors.userBlocked();
    const target = await access.grantedTarget(tenant, grant.audience, (audience) =>
      oauthErrors.serviceNotFound({ audience }),
    );
    const granted = await access.forUser(tenant, client, user.userId, target, grant.scope);
    const refreshToken = granted.offline ? newRefreshToken() : undefined;
    const tokens = prepareTokens({
      tenant,
      origin,
      client,
      user,
      access: granted,
      grantId: grant.grantId,
      now: time,
      possession,
      ...(grant.sessionId && { sessionId: grant.sessionId }),
      authTime: grant.authTime,
      ...(refreshToken && { refreshToken }),
    });
    const [response, won] = await Promise.all([
      tokens.sign(),
      transact(async ({ deviceCodes, tokenGrants, refreshTokens, record }) => {
        if (!(await deviceCodes.redeem(tenant.tenantId, hash))) return false;
        if (refreshToken) {
          const stored = describeRefreshToken(client, refreshToken, grant.grantId, time, possession);
          await refreshTokens.insert(tenant.tenantId, stored, exchange.requester);
          await tokenGrants.settle(tenant.tenantId, grant.grantId, {
            scope: granted.scopes.join(' '),
            expiresAt: grantExpiry(time, stored),
          });
        }
        if (tokens.opaque) await tokenGrants.insertAccessToken(tenant.tenantId, tokens.opaque);
        await record(tenant.tenantId, {
          ...exchangeEvent(exchange),
          type: 'deviceCodeExchanged',
          userId: user.userId,
          userName: user.email ?? user.username ?? user.userId,
          ...(granted.audience && { audience: granted.audience }),
          scope: granted.scopes.join(' '),
          ...(grant.sessionId && { details: { session_id: grant.sessionId } }),
        });
        return true;
      }),
    ]);
    if (!won) throw deviceErrors.invalid();
    return response;
  }

  /** What a poll learns is written before it is told: the refusal is thrown when the transaction has committed. */
  function poll({ tenant: { tenantId }, client }: Exchange, hash: string, time: Date): Promise<Polled> {
    return transact(async ({ deviceCodes }) => {
      const code = await deviceCodes.lock(tenantId, hash);
      if (!code || code.clientId !== client.clientId) return { refused: deviceErrors.invalid() };
      if (code.status === 'denied') return { refused: deviceErrors.denied() };
      if (code.expiresAt <= time) {
        const isNews = await deviceCodes.tellExpiry(tenantId, hash);
        return { refused: isNews ? deviceErrors.expired() : deviceErrors.invalid() };
      }
      if (code.grant) return code.grant.isRevoked ? { refused: deviceErrors.invalid() } : { grant: code.grant };
      const { interval, polledAt } = code;
      if (polledAt && time.getTime() - polledAt.getTime() < interval * 1000) {
        await deviceCodes.slowDown(tenantId, hash, interval + POLL_SECONDS);
        const headers = { 'retry-after': String(interval + POLL_SECONDS) };
        return { refused: asRecorded(deviceErrors.slowDown({ interval }, { headers })) };
      }
      await deviceCodes.notePoll(tenantId, hash, time);
      // To wait is no failure: a device polls two hundred times while its user looks for the phone.
      return { refused: asRecorded(deviceErrors.pending()) };
    });
  }

  return { grantTypes: [DEVICE_GRANT], failed: 'deviceCodeExchangeFailed', exchange };
}
