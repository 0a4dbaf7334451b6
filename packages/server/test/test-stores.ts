import { createDatabase, type Database } from '../src/db/database.ts';
import { transactionsOn } from '../src/db/transact.ts';
import { createSealer } from '../src/kit/seal.ts';
import { createLogReader } from '../src/logs/reading/log-reader.ts';
import { storesOn } from '../src/stores.ts';
import { createTestDatabase } from './test-database.ts';

export const dev = { tenantId: 'dev', environment: 'development' } as const;
export const acme = { tenantId: 'acme', environment: 'production' } as const;

export type TestStores = Awaited<ReturnType<typeof createTestStores>>;

/** Every store on a database of the test file's own, with the empty tenants `dev` and `acme`, and no server around. */
export async function createTestStores() {
  const { pool, drop } = await createTestDatabase();
  const database = createDatabase(pool);
  const parts = { sealer: createSealer(new Uint8Array(32)), logs: createLogReader({ pool }) };
  const storesIn = (bound: Database) => storesOn(bound, parts);
  const stores = storesIn(database);
  for (const tenant of [dev, acme]) await stores.tenants.insert({ ...tenant, isDefault: false, settings: {} });
  return { pool, database, stores, transact: transactionsOn(database, storesIn), drop };
}
