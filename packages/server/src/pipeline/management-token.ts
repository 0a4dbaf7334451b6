import type { Client } from '../clients/client.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { TenantCache } from '../tenants/tenant-cache.ts';

interface Parts {
  readonly cache: Pick<TenantCache, 'get'>;
  readonly findGlobalClient: (tenantId: string) => Promise<Client | undefined>;
  readonly canonicalOrigin: (tenant: Tenant) => string;
  readonly sign: (tenantId: string, claims: object) => Promise<string>;
  readonly now: () => Date;
}

/** What rules may do with users, and nothing else. */
const SCOPE = 'read:users update:users';
/** A run waits for its turn as long as it may last. */
const LIFETIME_SECONDS = 40;

/** The token of `auth0` in rules: an ordinary one for the Management API, of the tenant's "All Applications", for one run. */
export function createManagementTokenMint({ cache, findGlobalClient, canonicalOrigin, sign, now }: Parts) {
  return async function mintToken(tenant: Tenant): Promise<string> {
    const { tenantId } = tenant;
    const clientId = await cache.get(
      tenantId,
      'global client',
      async () => (await findGlobalClient(tenantId))?.clientId,
    );
    if (clientId === undefined) throw new Error(`The tenant ${tenantId} has no global client.`);
    const origin = canonicalOrigin(tenant);
    const issuedAt = Math.floor(now().getTime() / 1000);
    return sign(tenantId, {
      iss: `${origin}/`,
      sub: `${clientId}@clients`,
      aud: `${origin}/api/v2/`,
      iat: issuedAt,
      exp: issuedAt + LIFETIME_SECONDS,
      scope: SCOPE,
      gty: 'client-credentials',
      azp: clientId,
    });
  };
}
