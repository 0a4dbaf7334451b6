import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/test-database.ts';
import { createDatabase } from '../db/database.ts';
import { createTenantCache } from './tenant-cache.ts';
import { createTenantDirectory } from './tenant-directory.ts';
import { createTenantStore, type TenantStore } from './tenant-store.ts';

let database: TestDatabase;
let tenants: TenantStore;
beforeAll(async () => {
  database = await createTestDatabase();
  tenants = createTenantStore(createDatabase(database.pool));
  await tenants.insert({ tenantId: 'dev', environment: 'development', isDefault: true, settings: {} });
  await tenants.insert({ tenantId: 'acme', environment: 'development', isDefault: false, settings: {} });
  await tenants.registerOrigin('acme', 'https://login.acme.test', true);
});
afterAll(() => database.drop());

function directoryWith({
  baseDomain = 'localhost',
  defaultOrigin,
}: {
  baseDomain?: string;
  defaultOrigin?: string;
} = {}) {
  const cache = createTenantCache({ isCurrent: () => true });
  return createTenantDirectory({
    cache,
    tenants,
    baseDomain,
    defaultOrigin,
    listening: () => ({ http: 3000, https: 3443 }),
  });
}

describe('the tenant of an origin', () => {
  it.each([
    ['https://localhost:3443', 'dev'],
    ['http://localhost:3000', 'dev'],
    ['http://127.0.0.1:3000', 'dev'],
    ['https://[::1]:3443', 'dev'],
    ['https://acme.localhost:3443', 'acme'],
    ['http://acme.localhost:3000', 'acme'],
    ['https://login.acme.test', 'acme'],
    ['http://localhost:3443', undefined],
    ['http://localhost', undefined],
    ['http://login.acme.test', undefined],
    ['https://login.acme.test:3443', undefined],
    ['https://a.acme.localhost:3443', undefined],
    ['https://nobody.localhost:3443', undefined],
    ['https://acme.localhost', undefined],
  ])('%s is %s', async (origin, tenantId) => {
    expect((await directoryWith().resolve(origin))?.tenantId).toBe(tenantId);
  });

  it('with a public base domain is found over https alone, at our port and behind a proxy', async () => {
    const directory = directoryWith({ baseDomain: 'id.example.com', defaultOrigin: 'https://login.example.com' });
    const found = async (origin: string) => (await directory.resolve(origin))?.tenantId;
    expect(await found('https://acme.id.example.com')).toBe('acme');
    expect(await found('https://acme.id.example.com:3443')).toBe('acme');
    expect(await found('http://acme.id.example.com:3000')).toBeUndefined();
    expect(await found('https://login.example.com')).toBe('dev');
    expect(await found('https://localhost:3443')).toBeUndefined();
    expect(await found('https://dev.id.example.com')).toBeUndefined();
  });
});
