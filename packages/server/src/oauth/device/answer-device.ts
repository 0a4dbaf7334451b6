import type { ConsentStore } from '../../consents/consent-store.ts';
import type { Transact } from '../../db/transact.ts';
import { randomAlphanumeric } from '../../kit/ids.ts';
import type { LoginTransactionStore } from '../../login/login-transaction-store.ts';
import type { RecordEvent } from '../../logs/event.ts';
import { touched } from '../../sessions/session.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import type { Answer } from '../authorize/proceed.ts';
import { grantExpiry } from '../tokens/grant-expiry.ts';
import type { TokenGrantStore } from '../tokens/token-grant-store.ts';
import { activationErrors, type DeviceCode } from './device-code.ts';
import type { DeviceCodeStore } from './device-code-store.ts';

interface Stores {
  readonly deviceCodes: Pick<DeviceCodeStore, 'authorize'>;
  readonly consents: Pick<ConsentStore, 'hold'>;
  readonly tokenGrants: Pick<TokenGrantStore, 'insert'>;
  readonly sessions: Pick<SessionStore, 'touch'>;
  readonly loginTransactions: Pick<LoginTransactionStore, 'remove'>;
  readonly record: RecordEvent;
}

/** The answer to a device: it is let in, and gets its tokens at its next poll. */
export function createDeviceAnswer({ transact, now }: { transact: Transact<Stores>; now: () => Date }) {
  return function answerTo(device: DeviceCode): Answer {
    return async ({ tenant, origin, requester }, reply, { session, scope, additions, event, state, consentId }) => {
      const { tenantId } = tenant;
      const time = now();
      const grantId = randomAlphanumeric(24);
      const isIn = await transact(
        async ({ deviceCodes, consents, tokenGrants, sessions, loginTransactions, record }) => {
          const use = { clientId: device.clientId, origin, ip: requester.ip, userAgent: requester.userAgent };
          const touch = touched(tenant, session, time, additions.session);
          if (!(await sessions.touch(tenantId, session.sessionId, touch, use))) return false;
          if (state !== undefined && !(await loginTransactions.remove(tenantId, state))) return false;
          if (consentId !== undefined && !(await consents.hold(tenantId, consentId))) return false;
          await tokenGrants.insert(tenantId, {
            grantId,
            clientId: device.clientId,
            userId: session.userId,
            connectionId: session.connectionId,
            sessionId: session.sessionId,
            grantType: 'device_code',
            audience: device.audience,
            scope,
            authTime: session.authenticatedAt,
            additions,
            expiresAt: grantExpiry(time, undefined),
          });
          // Thrown, so that nothing stays of the grant of a device that has been let in or turned away meanwhile.
          if (!(await deviceCodes.authorize(tenantId, device.deviceCodeHash, grantId, time)))
            throw activationErrors.over();
          if (event) await record(tenantId, event);
          return true;
        },
      );
      if (isIn) reply.header('cache-control', 'no-store').redirect('/activate/success', 303);
      return isIn;
    };
  };
}

export type AnswerDevice = ReturnType<typeof createDeviceAnswer>;
