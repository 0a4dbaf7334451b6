import type { PublishedKey } from '../../keys/signing-key.ts';

interface Parts {
  readonly jwks: (tenantId: string) => Promise<{ keys: readonly PublishedKey[] }>;
  /** The configuration cache (tenants/tenant-cache.ts). */
  readonly cache: { get<Value>(tenantId: string, name: string, load: () => Promise<Value>): Promise<Value> };
  /** Whether a client or an API of the tenant has tokens that are signed with PS256 or RS512. */
  readonly signsBesidesRs256: (tenantId: string) => Promise<boolean>;
}

/**
 * The body of /.well-known/jwks.json. `alg` ties a key to one algorithm, and verifiers hold to it (RFC 7517 section 4.4):
 * it is told as long as RS256 is the only one that the tenant's tokens use.
 */
export function createPublishedKeys({ jwks, cache, signsBesidesRs256 }: Parts) {
  return async function publishedKeys(tenantId: string): Promise<{ keys: readonly Partial<PublishedKey>[] }> {
    const [{ keys }, isTied] = await Promise.all([
      jwks(tenantId),
      cache.get(tenantId, 'keys-tied-to-rs256', async () => !(await signsBesidesRs256(tenantId))),
    ]);
    return { keys: isTied ? keys : keys.map(({ alg: _alg, ...key }) => key) };
  };
}
