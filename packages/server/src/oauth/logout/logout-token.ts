import type { Client } from '../../clients/client.ts';
import { randomAlphanumeric } from '../../kit/ids.ts';
import type { LogoutDelivery } from '../../sessions/logout-delivery-store.ts';
import type { SignToken } from '../tokens/sign-token.ts';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const LIFETIME_SECONDS = 120;

/** OpenID Connect Back-Channel Logout 1.0 section 2.4. It carries no nonce, so that nobody can take it for an ID token. */
export function signLogoutToken(
  signToken: SignToken,
  tenantId: string,
  client: Client,
  delivery: LogoutDelivery,
  now: Date,
): Promise<string> {
  const issuedAt = Math.floor(now.getTime() / 1000);
  const claims = {
    iss: delivery.issuer,
    sub: delivery.userId,
    aud: client.clientId,
    iat: issuedAt,
    exp: issuedAt + LIFETIME_SECONDS,
    // A new one for each attempt: who keeps those that it has seen would refuse the second.
    jti: randomAlphanumeric(24),
    events: { [EVENT]: {} },
    sid: delivery.sessionId,
    trace_id: delivery.deliveryId,
    ...(delivery.sessionMetadata && { session_metadata: delivery.sessionMetadata }),
  };
  return signToken.forClient(tenantId, client, claims, 'logout+jwt');
}
