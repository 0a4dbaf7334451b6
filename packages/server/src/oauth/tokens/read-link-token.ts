import type { Client } from '../../clients/client.ts';
import type { VerifyJwt } from '../../keys/verify-jwt.ts';
import type { Tenant } from '../../tenants/tenant.ts';

interface Parts {
  readonly verifyJwt: VerifyJwt;
  readonly isIssuer: (tenant: Tenant, issuer: string) => boolean;
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
}

/** Access tokens are signed with the same key; ID tokens have none of these. */
const OF_ACCESS_TOKENS = ['azp', 'client_id', 'scope', 'gty'];

/**
 * Reads the ID token that proves a login to a second account (attack K1): signed by this tenant's own key, not expired, of
 * its own issuer and for the client that asks.
 */
export function createLinkTokenReader({ verifyJwt, isIssuer, findClient }: Parts) {
  return async function readLinkToken(tenant: Tenant, token: string, clientId: string | undefined) {
    const result = await verifyJwt(tenant.tenantId, token, { typ: 'JWT' });
    if (!result.valid) return undefined;
    const { claims } = result;
    const { iss, aud, sub, iat } = claims;
    if (OF_ACCESS_TOKENS.some((name) => name in claims)) return undefined;
    if (typeof iss !== 'string' || !isIssuer(tenant, iss)) return undefined;
    if (typeof aud !== 'string' || (clientId !== undefined && aud !== clientId)) return undefined;
    const client = await findClient(tenant.tenantId, aud);
    if (!client || client.isGlobal || typeof sub !== 'string' || typeof iat !== 'number') return undefined;
    // To the end of the second that the token tells.
    return { userId: sub, provenAt: new Date((iat + 1) * 1000) };
  };
}
