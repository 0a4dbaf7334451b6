import type { Transact } from '../../db/transact.ts';
import { digest } from '../../kit/digest.ts';
import type { DeclaredError } from '../../kit/errors.ts';
import { describedAs } from '../../logs/explain-error.ts';
import type { User } from '../../users/user.ts';
import type { AccessResolver } from '../access/resolve-access.ts';
import { DEVICE_GRANT, deviceErrors, POLL_SECONDS } from '../device/device-code.ts';
import type { DeviceCodeStore } from '../device/device-code-store.ts';
import { oauthErrors } from '../oauth-errors.ts';
import type { TokenGrant } from '../tokens/token-grant-store.ts';
import type { PrepareUserTokens } from '../tokens/user-tokens.ts';
import { createGrantRedemption, type RedemptionStores } from './redeem-grant.ts';
import { asRecorded, type Exchange, type Grant } from './token-grant.ts';

interface Stores extends RedemptionStores {
  readonly deviceCodes: DeviceCodeStore;
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
  const redeemGrant = createGrantRedemption({ transact, access, prepareTokens });

  async function exchange(exchange: Exchange) {
    const { tenant } = exchange;
    const hash = digest(exchange.parameters.require('device_code'));
    const time = now();
    const polled = await poll(exchange, hash, time);
    if ('refused' in polled) throw polled.refused;
    const { grant } = polled;
    const user = await findUser(tenant.tenantId, grant.userId);
    if (!user) throw deviceErrors.invalid();
    if (user.blocked) throw oauthErrors.userBlocked();
    const response = await redeemGrant(exchange, {
      grant,
      user,
      now: time,
      type: 'deviceCodeExchanged',
      end: ({ deviceCodes }) => deviceCodes.redeem(tenant.tenantId, hash),
    });
    if (!response) throw deviceErrors.invalid();
    return response;
  }

  /** What a poll learns is written before it is told: the refusal is thrown when the transaction has committed. */
  function poll({ tenant: { tenantId }, client }: Exchange, hash: string, time: Date): Promise<Polled> {
    return transact(async ({ deviceCodes }) => {
      const code = await deviceCodes.lock(tenantId, hash);
      if (!code || code.clientId !== client.clientId) return { refused: deviceErrors.invalid() };
      if (code.status === 'denied') return { refused: deniedFor(code.refusal) };
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

/**
 * `access_denied` whatever the reason: RFC 8628 section 3.5 gives devices no other code to stop at. The words may be those of
 * tenant code: the log has them with the event of the refusal, where secrets in them are known.
 */
function deniedFor(refusal: string | undefined): DeclaredError {
  return refusal === undefined
    ? deviceErrors.denied()
    : describedAs(deviceErrors.refused({ reason: refusal }), 'The login of its user was refused.');
}
