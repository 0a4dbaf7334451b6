import fastify, { type InjectOptions } from 'fastify';
import { createTestDatabase } from '../../test/test-database.ts';
import { clientGrantRoutes } from '../client-grants/client-grant-routes.ts';
import { createClientGrantStore } from '../client-grants/client-grant-store.ts';
import { createConnectionStore } from '../connections/connection-store.ts';
import { createDatabase, type Database } from '../db/database.ts';
import { transactionsOn } from '../db/transact.ts';
import { createLog } from '../kit/log.ts';
import { createSealer } from '../kit/seal.ts';
import type { AuditEvent, RecordEvent } from '../logs/event.ts';
import { registerManagement } from '../management/register-management.ts';
import { resourceServerRoutes } from '../resource-servers/resource-server-routes.ts';
import { createResourceServerStore } from '../resource-servers/resource-server-store.ts';
import type { Environment, Tenant } from '../tenants/tenant.ts';
import { tenantSettingsRoutes } from '../tenants/tenant-settings-routes.ts';
import { createTenantStore } from '../tenants/tenant-store.ts';
import { clientRoutes } from './client-routes.ts';
import { createClientStore } from './client-store.ts';
import { createCredentialStore } from './credential-store.ts';

const sealer = createSealer(new Uint8Array(32));
const managementAudience = (origin: string) => `${origin}/api/v2/`;
const originOf = (tenantId: string) => `https://${tenantId}.example`;
const isManagementAudience = (tenant: Tenant, audience: string) =>
  audience === managementAudience(originOf(tenant.tenantId));

/**
 * The Management API of clients, APIs, grants and settings on a real database, without the rest of the server: two
 * tenants, `dev` (development) and `acme` (production), and callers who hold the scopes that a test names.
 */
export async function createManagementFixture() {
  const database = await createTestDatabase();
  const db = createDatabase(database.pool);
  const events: AuditEvent[] = [];
  const record: RecordEvent = async (_tenantId, event) => void events.push(event);
  const storesOn = (on: Database) => ({
    tenants: createTenantStore(on),
    clients: createClientStore(on, sealer),
    credentials: createCredentialStore(on),
    resourceServers: createResourceServerStore(on, sealer),
    clientGrants: createClientGrantStore(on),
    connections: createConnectionStore(on),
    record,
  });
  const stores = storesOn(db);
  const tenants = new Map<string, Tenant>();
  for (const [tenantId, environment] of [
    ['dev', 'development'],
    ['acme', 'production'],
  ] satisfies [string, Environment][]) {
    await stores.tenants.insert({ tenantId, environment, isDefault: false, settings: {} });
    const origins = [originOf(tenantId)];
    tenants.set(tenantId, { tenantId, environment, isDefault: false, settings: {}, origins });
  }

  const app = fastify({ routerOptions: { maxParamLength: 1_024 }, bodyLimit: 1_048_576 });
  app.decorateRequest('tenant');
  app.decorateRequest('origin', '');
  app.decorateRequest('requester');
  app.addHook('onRequest', async (request) => {
    const tenant = tenants.get(String(request.headers['x-tenant'] ?? 'dev'));
    if (!tenant) throw new Error('The test names an unknown tenant.');
    request.tenant = tenant;
    request.origin = originOf(tenant.tenantId);
    request.requester = { ip: '203.0.113.7', clientIp: '203.0.113.7', userAgent: 'test', hostname: 'dev.example' };
  });
  await app.register(
    async (scoped) => {
      const management = registerManagement({
        app: scoped,
        log: createLog('json', (line) => process.stderr.write(line)),
        stores,
        transact: transactionsOn(db, storesOn),
        recordAlone: record,
        // The bearer token of these tests is the list of its scopes.
        verifyAccessToken: async (_tenant, token) => ({ clientId: 'caller', scopes: new Set(token.split(',')) }),
        now: () => new Date(),
        rateLimit: { burst: 10_000, perSecond: 10_000 },
      });
      clientRoutes(management, {
        signingCertificates: async () => [{ cert: 'PEM', pkcs7: 'PKCS7', subject: '/CN=dev.example' }],
        now: () => new Date(),
      });
      resourceServerRoutes(management, { managementAudience, isManagementAudience });
      clientGrantRoutes(management, { managementAudience, isManagementAudience });
      tenantSettingsRoutes(management);
    },
    { prefix: '/api/v2' },
  );
  await app.ready();

  /** Calls the API with these scopes (commas between them); `body` is sent as JSON. */
  async function call(
    scopes: string,
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    tenant = 'dev',
  ) {
    const options: InjectOptions = {
      method,
      url: `/api/v2${path}`,
      headers: { authorization: `Bearer ${scopes}`, 'x-tenant': tenant },
    };
    const response = await app.inject(body === undefined ? options : { ...options, payload: body });
    return { status: response.statusCode, body: response.body === '' ? undefined : response.json() };
  }

  return { call, events, stores, db, tenants, close: () => app.close().then(() => database.drop()) };
}
