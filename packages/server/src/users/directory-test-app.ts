import fastify from 'fastify';
import { createTestDatabase } from '../../test/test-database.ts';
import { createConnectionClientStore } from '../connections/connection-client-store.ts';
import { connectionRoutes } from '../connections/connection-routes.ts';
import { createConnection } from '../connections/connection-service.ts';
import { createConnectionStore } from '../connections/connection-store.ts';
import { createDatabase, type Database } from '../db/database.ts';
import { transactionsOn } from '../db/transact.ts';
import { createLog } from '../kit/log.ts';
import type { AuditEvent, RecordEvent } from '../logs/event.ts';
import type { Actor } from '../management/call.ts';
import { registerManagement } from '../management/register-management.ts';
import { createPasswordHasher } from '../passwords/password-hasher.ts';
import { createMemberStore } from '../roles/member-store.ts';
import { createPermissionStore } from '../roles/permission-store.ts';
import { roleRoutes } from '../roles/role-routes.ts';
import { createRoleStore } from '../roles/role-store.ts';
import { userRoleRoutes } from '../roles/user-role-routes.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { createTenantStore } from '../tenants/tenant-store.ts';
import { createNewPasswords } from './new-password.ts';
import { createPasswordStore } from './password-store.ts';
import { createUserListStore } from './user-list-store.ts';
import { userRoutes } from './user-routes.ts';
import { createUserStore } from './user-store.ts';

export const ORIGIN = 'https://acme.example';

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
  readonly body: any;
}

export type DirectoryApp = Awaited<ReturnType<typeof startDirectoryApp>>;

/** Users, roles and connections behind the Management API's machinery, on PostgreSQL, with two tenants. */
export async function startDirectoryApp() {
  const database = await createTestDatabase();
  const db = createDatabase(database.pool);
  const hasher = createPasswordHasher({ workers: 1 });
  const revoked: string[] = [];
  const tenants = new Map<string, Tenant>();
  for (const tenantId of ['acme', 'other']) {
    const tenant = { tenantId, environment: 'development', isDefault: false, settings: {} } as const;
    await createTenantStore(db).insert(tenant);
    tenants.set(tenantId, { ...tenant, origins: [ORIGIN.replace('acme', tenantId)] });
  }

  const app = fastify({ routerOptions: { maxParamLength: 1024 } });
  app.decorateRequest('tenant');
  app.decorateRequest('origin', '');
  app.decorateRequest('requester');
  app.addHook('onRequest', async (request) => {
    const tenant = tenants.get(String(request.headers['x-tenant']));
    if (!tenant) throw new Error('A test names its tenant.');
    Object.assign(request, { tenant, origin: tenant.origins[0] ?? '' });
    request.requester = { ip: '203.0.113.7', clientIp: '203.0.113.7', userAgent: 'test', hostname: 'acme.example' };
  });
  const events: AuditEvent[] = [];
  const storesOn = (on: Database) => ({ ...directoryStores(on), record: recordInto(events) });
  await app.register(
    async (scoped) => {
      const management = registerManagement({
        app: scoped,
        log: createLog('json', () => {}),
        stores: storesOn(db),
        transact: transactionsOn(db, storesOn),
        recordAlone: recordInto(events),
        verifyAccessToken: async (_tenant, token) => decodeActor(token),
        now: () => new Date(),
        rateLimit: { burst: 100_000, perSecond: 100_000 },
      });
      const isManagementAudience = (tenant: Tenant, audience: string) =>
        tenant.origins.some((origin) => audience === `${origin}/api/v2/`);
      connectionRoutes(management);
      roleRoutes(management, { isManagementAudience });
      userRoleRoutes(management, { isManagementAudience });
      userRoutes(management, {
        hashNewPassword: createNewPasswords({ passwords: createPasswordStore(db), hasher }),
        revokeAccess: async (_stores, _tenantId, userId) => void revoked.push(userId),
      });
    },
    { prefix: '/api/v2' },
  );

  function as(tenantId: string, actor: Partial<Actor> & { scopes: ReadonlySet<string> }) {
    const send = async (
      method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
      path: string,
      payload?: unknown,
    ): Promise<Answer> => {
      const response = await app.inject({
        method,
        url: `/api/v2${path}`,
        headers: {
          authorization: `Bearer ${encodeActor({ clientId: 'client', ...actor })}`,
          'x-tenant': tenantId,
          ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(payload === undefined ? {} : { payload: JSON.stringify(payload) }),
      });
      return { status: response.statusCode, body: response.body === '' ? undefined : JSON.parse(response.body) };
    };
    return {
      get: (path: string) => send('GET', path),
      post: (path: string, body: unknown) => send('POST', path, body),
      patch: (path: string, body: unknown) => send('PATCH', path, body),
      delete: (path: string, body?: unknown) => send('DELETE', path, body),
    };
  }

  return {
    db,
    database,
    hasher,
    revoked,
    events,
    stores: directoryStores(db),
    api: (...scopes: string[]) => as('acme', { scopes: new Set(scopes) }),
    apiOfOther: (...scopes: string[]) => as('other', { scopes: new Set(scopes) }),
    apiOfUser: (userId: string, ...scopes: string[]) => as('acme', { userId, scopes: new Set(scopes) }),
    connection: (name: string, options: Record<string, unknown> = {}, isSystem = false, tenantId = 'acme') =>
      db
        .transaction()
        .execute((transaction) =>
          createConnection(directoryStores(transaction), tenantId, { name, strategy: 'auth0', options, isSystem }),
        ),
    async stop() {
      await app.close();
      await hasher.stop();
      await database.drop();
    },
  };
}

function directoryStores(db: Database) {
  return {
    connections: createConnectionStore(db),
    connectionClients: createConnectionClientStore(db),
    users: createUserStore(db),
    userLists: createUserListStore(db),
    passwords: createPasswordStore(db),
    roles: createRoleStore(db),
    roleMembers: createMemberStore(db),
    permissions: createPermissionStore(db),
  };
}

function recordInto(events: AuditEvent[]): RecordEvent {
  return async (_tenantId, event) => void events.push(event);
}

/** Tokens have tests of their own; here one says openly who calls. */
function encodeActor(actor: Actor): string {
  return Buffer.from(JSON.stringify({ ...actor, scopes: [...actor.scopes] })).toString('base64url');
}

function decodeActor(token: string): Actor {
  const actor = JSON.parse(Buffer.from(token, 'base64url').toString());
  return { ...actor, scopes: new Set(actor.scopes) };
}
