import { createKeyRings } from '../src/keys/key-ring.ts';
import { makeSigningKey } from '../src/keys/make-signing-key.ts';
import { createSigningKeyService } from '../src/keys/signing-key-service.ts';
import { createTokenSigner } from '../src/keys/token-signer.ts';
import { createVerifyJwt } from '../src/keys/verify-jwt.ts';
import { randomAlphanumeric } from '../src/kit/ids.ts';
import { createTenantCache } from '../src/tenants/tenant-cache.ts';
import { createTestStores } from './test-stores.ts';

export type TestKeys = Awaited<ReturnType<typeof createTestKeys>>;

/** The keys' own parts, wired as app.ts wires them, and tenants that have nothing but signing keys. */
export async function createTestKeys() {
  const now = () => new Date();
  const { database, stores, transact, drop } = await createTestStores();
  const cache = createTenantCache({ isCurrent: () => true });
  const service = createSigningKeyService({ now });
  const rings = createKeyRings({ signingKeys: stores.signingKeys, cache });

  async function createTenant(): Promise<string> {
    const tenantId = `t-${randomAlphanumeric(8).toLowerCase()}`;
    const keys = await service.makeFirstKeys(`${tenantId}.localhost`);
    await stores.tenants.insert({ tenantId, environment: 'development', isDefault: false, settings: {} });
    await transact((inside) => service.createFirstKeys(inside, tenantId, keys));
    return tenantId;
  }

  async function rotate(tenantId: string) {
    const key = await makeSigningKey(`${tenantId}.localhost`, now());
    const next = await transact((inside) => service.rotate(inside, tenantId, key));
    cache.forget(tenantId);
    return next;
  }

  async function revoke(tenantId: string, kid: string) {
    const revoked = await transact((inside) => service.revoke(inside, tenantId, kid));
    cache.forget(tenantId);
    return revoked;
  }

  return {
    db: database,
    transact,
    store: stores.signingKeys,
    service,
    rings,
    signer: createTokenSigner(rings),
    verify: createVerifyJwt(rings, now),
    createTenant,
    rotate,
    revoke,
    drop,
  };
}
