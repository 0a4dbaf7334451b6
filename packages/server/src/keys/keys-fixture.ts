import { createTestDatabase } from '../../test/test-database.ts';
import { createDatabase, type Database } from '../db/database.ts';
import { transactionsOn } from '../db/transact.ts';
import { randomAlphanumeric } from '../kit/ids.ts';
import { createSealer } from '../kit/seal.ts';
import { createTenantCache } from '../tenants/tenant-cache.ts';
import { createTenantStore } from '../tenants/tenant-store.ts';
import { createKeyRings } from './key-ring.ts';
import { makeSigningKey } from './make-signing-key.ts';
import { createSigningKeyService } from './signing-key-service.ts';
import { createSigningKeyStore } from './signing-key-store.ts';
import { createTokenSigner } from './token-signer.ts';
import { createVerifyJwt } from './verify-jwt.ts';

/** For tests: the keys' own parts, wired as app.ts wires them, on a database of the test file's own. */
export async function createKeysFixture() {
  const now = () => new Date();
  const database = await createTestDatabase();
  const db = createDatabase(database.pool);
  const sealer = createSealer(Buffer.alloc(32, 7));
  const storesOn = (bound: Database) => ({ signingKeys: createSigningKeyStore(bound, sealer) });
  const transact = transactionsOn(db, storesOn);
  const cache = createTenantCache({ isCurrent: () => true });
  const store = storesOn(db).signingKeys;
  const service = createSigningKeyService({ now });
  const rings = createKeyRings({ signingKeys: store, cache });

  async function createTenant(): Promise<string> {
    const tenantId = `t-${randomAlphanumeric(8).toLowerCase()}`;
    const keys = await service.makeFirstKeys(`${tenantId}.localhost`);
    await createTenantStore(db).insert({ tenantId, environment: 'development', isDefault: false, settings: {} });
    await transact((stores) => service.createFirstKeys(stores, tenantId, keys));
    return tenantId;
  }

  async function rotate(tenantId: string) {
    const key = await makeSigningKey(`${tenantId}.localhost`, now());
    const next = await transact((stores) => service.rotate(stores, tenantId, key));
    cache.forget(tenantId);
    return next;
  }

  async function revoke(tenantId: string, kid: string) {
    const revoked = await transact((stores) => service.revoke(stores, tenantId, kid));
    cache.forget(tenantId);
    return revoked;
  }

  return {
    db,
    cache,
    transact,
    store,
    service,
    rings,
    signer: createTokenSigner(rings),
    verify: createVerifyJwt(rings, now),
    createTenant,
    rotate,
    revoke,
    drop: database.drop,
  };
}
