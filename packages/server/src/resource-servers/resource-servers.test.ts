import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestStores, type TestStores } from '../../test/test-stores.ts';
import type { Json } from '../kit/json-values.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { createTenantCache } from '../tenants/tenant-cache.ts';
import {
  createResourceServer,
  deleteResourceServer,
  ensureManagementApi,
  updateResourceServer,
} from './manage-resource-servers.ts';
import { managementScopes } from './management-scopes.ts';
import { carriesPermissions, MANAGEMENT_IDENTIFIER } from './resource-server.ts';
import { createResourceServerDirectory } from './resource-server-directory.ts';

let db: TestStores;
beforeAll(async () => {
  db = await createTestStores();
});
afterAll(() => db.drop());

const create = (body: Json) => createResourceServer(db.stores, 'dev', body);
const patch = (name: string, body: Json) => db.transact((inside) => updateResourceServer(inside, 'dev', name, body));

describe('a new API', () => {
  it('has the defaults that Auth0 gives, and is found by id and by identifier', async () => {
    const api = await create({
      identifier: 'https://orders.example.com',
      name: 'Orders',
      scopes: [{ value: 'read:orders' }],
    });
    expect(api).toMatchObject({
      signingAlg: 'RS256',
      signingSecret: undefined,
      tokenLifetime: 86_400,
      tokenLifetimeForWeb: 7_200,
      allowOfflineAccess: false,
      tokenDialect: 'access_token',
      enforcePolicies: false,
      isSystem: false,
      scopes: [{ value: 'read:orders' }],
    });
    expect(api.id).toMatch(/^[0-9a-f]{24}$/);
    expect(await db.stores.resourceServers.find('dev', api.id)).toEqual(api);
    expect(await db.stores.resourceServers.find('dev', 'https://orders.example.com')).toEqual(api);
    expect(await db.stores.resourceServers.find('acme', api.id)).toBeUndefined();
  });

  it('has a secret where it signs with HS256', async () => {
    expect((await create({ identifier: 'hs', signing_alg: 'HS256' })).signingSecret).toMatch(/^[A-Za-z0-9]{32}$/);
    const own = 'sixteen characters';
    expect((await create({ identifier: 'hs-own', signing_alg: 'HS256', signing_secret: own })).signingSecret).toBe(own);
  });

  it('gives web tokens no longer life than its own', async () => {
    expect((await create({ identifier: 'short', token_lifetime: 600 })).tokenLifetimeForWeb).toBe(600);
    const own = await create({ identifier: 'own', token_lifetime: 9_000, token_lifetime_for_web: 8_000 });
    expect(own.tokenLifetimeForWeb).toBe(8_000);
    expect((await patch('own', { token_lifetime: 500 })).tokenLifetimeForWeb).toBe(500);
    await expect(patch('own', { token_lifetime_for_web: 501 })).rejects.toMatchObject({ status: 400 });
  });

  it('carries permissions with RBAC in an authz dialect only', async () => {
    const rbac = await create({ identifier: 'rbac', enforce_policies: true, token_dialect: 'access_token_authz' });
    expect(carriesPermissions(rbac)).toBe(true);
    expect(carriesPermissions({ ...rbac, enforcePolicies: false })).toBe(false);
    expect(carriesPermissions({ ...rbac, tokenDialect: 'rfc9068_profile' })).toBe(false);
  });

  it('is refused where its identifier is taken, also when two ask at once, or belongs to the Management API', async () => {
    const twins = await Promise.allSettled([create({ identifier: 'twin' }), create({ identifier: 'twin' })]);
    expect(twins.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const taken = { status: 409, message: 'A resource server with the same identifier already exists' };
    await expect(create({ identifier: 'twin' })).rejects.toMatchObject(taken);
    await expect(create({ identifier: MANAGEMENT_IDENTIFIER })).rejects.toMatchObject(taken);
    const reserved = createResourceServer(db.stores, 'dev', { identifier: 'https://dev/api/v2/' }, () => true);
    await expect(reserved).rejects.toMatchObject(taken);
    await expect(createResourceServer(db.stores, 'acme', { identifier: 'twin' })).resolves.toBeDefined();
  });

  it.each<[string, Json]>([
    ['a scope twice', { scopes: [{ value: 'a' }, { value: 'a' }] }],
    ['a blank in a scope', { scopes: [{ value: 'a b' }] }],
    ['1,001 scopes', { scopes: Array.from({ length: 1_001 }, (_, n) => ({ value: `s${n}` })) }],
    ['a blank in its identifier', { identifier: 'a b' }],
  ])('is refused with %s', async (_what, body) => {
    await expect(create({ identifier: 'bad', ...body })).rejects.toMatchObject({ status: 400, code: 'invalid_body' });
  });
});

describe('changing an API', () => {
  it('replaces scopes as a whole and keeps the rest', async () => {
    const api = await create({ identifier: 'change', name: 'Old', scopes: [{ value: 'a' }, { value: 'b' }] });
    const changed = await patch('change', { scopes: [{ value: 'c', description: 'C' }], allow_offline_access: true });
    expect(changed).toMatchObject({
      id: api.id,
      name: 'Old',
      scopes: [{ value: 'c', description: 'C' }],
      allowOfflineAccess: true,
    });
    expect(await patch(api.id, { name: 'New' })).toMatchObject({ name: 'New', scopes: [{ value: 'c' }] });
  });

  it('gives it a secret when it turns to HS256, and keeps that', async () => {
    await create({ identifier: 'turn' });
    const turned = await patch('turn', { signing_alg: 'HS256' });
    expect(turned.signingSecret).toMatch(/^[A-Za-z0-9]{32}$/);
    expect((await patch('turn', { name: 'Same' })).signingSecret).toBe(turned.signingSecret);
  });

  it('answers 404 for one that is not there', async () => {
    await expect(patch('nowhere', { name: 'x' })).rejects.toMatchObject({
      status: 404,
      code: 'inexistent_resource_server',
    });
  });
});

describe('the Management API of a tenant', () => {
  it('is one system API with the scopes of this version, and can be neither renamed nor deleted', async () => {
    const [one, two] = [await ensureManagementApi(db.stores, 'dev'), await ensureManagementApi(db.stores, 'dev')];
    expect(one).toMatchObject({ id: two.id, isSystem: true, name: 'Auth0 Management API', scopes: managementScopes });
    await expect(patch(one.id, { name: 'Mine', scopes: [] })).rejects.toMatchObject({
      status: 400,
      message: "Payload validation error: 'Additional properties not allowed: name, scopes'",
    });
    expect((await patch(one.id, { token_lifetime: 600 })).tokenLifetime).toBe(600);
    await expect(deleteResourceServer(db.stores, 'dev', one.id)).rejects.toMatchObject({ status: 400 });
  });

  it('is found by each of the tenant origins, never by its stored name', async () => {
    const tenant: Tenant = { tenantId: 'dev', environment: 'development', isDefault: true, settings: {}, origins: [] };
    const directory = createResourceServerDirectory({
      cache: createTenantCache({ isCurrent: () => true }),
      resourceServers: db.stores.resourceServers,
      isManagementAudience: (_tenant, audience) => /^https?:\/\/localhost:\d+\/api\/v2\/$/.test(audience),
    });
    expect((await directory.find(tenant, 'https://localhost:3443/api/v2/'))?.isSystem).toBe(true);
    expect((await directory.find(tenant, 'http://localhost:3000/api/v2/'))?.isSystem).toBe(true);
    expect(await directory.find(tenant, 'https://evil.com/api/v2/')).toBeUndefined();
    expect(await directory.find(tenant, MANAGEMENT_IDENTIFIER)).toBeUndefined();
    expect((await directory.find(tenant, 'change'))?.identifier).toBe('change');
  });
});
