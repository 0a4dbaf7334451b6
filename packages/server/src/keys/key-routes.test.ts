import { X509Certificate } from 'node:crypto';
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../kit/log.ts';
import type { AuditEvent, RecordEvent } from '../logs/event.ts';
import { registerManagement } from '../management/register-management.ts';
import { createManagementTokenVerifier } from '../management/verify-management-token.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { keyRoutes } from './key-routes.ts';
import { createKeysFixture } from './keys-fixture.ts';

const ORIGIN = 'https://id.acme.example';
const ALL = 'read:signing_keys create:signing_keys update:signing_keys';
const ROTATE = 'POST /keys/signing/rotate';
let keys: Awaited<ReturnType<typeof createKeysFixture>>;
let app: FastifyInstance;
let tenant: Tenant;
let events: AuditEvent[];

beforeAll(async () => {
  keys = await createKeysFixture();
  app = await createApp();
});
afterAll(async () => {
  await app.close();
  await keys.drop();
});
beforeEach(async () => {
  events = [];
  const tenantId = await keys.createTenant();
  tenant = { tenantId, environment: 'development', isDefault: false, settings: {}, origins: [ORIGIN] };
});

describe('GET /api/v2/keys/signing', () => {
  it('lists the current and the next key', async () => {
    const { status, body } = await call('GET /keys/signing', 'read:signing_keys');
    expect(status).toBe(200);
    expect(body).toMatchObject([
      { current: true, next: false, previous: false, revoked: false, current_since: expect.any(String) },
      { current: false, next: true, previous: false, revoked: false },
    ]);
    expect(JSON.stringify(body)).not.toMatch(/PRIVATE KEY|private/);
  });

  it('refuses a token without read:signing_keys', async () => {
    expect(await call('GET /keys/signing', 'read:clients')).toMatchObject({
      status: 403,
      body: { errorCode: 'insufficient_scope' },
    });
  });
});

describe('GET /api/v2/keys/signing/{kid}', () => {
  it('answers one key, and 404 for one of another tenant', async () => {
    const [current] = await keys.store.list(tenant.tenantId);
    const [foreign] = await keys.store.list(await keys.createTenant());
    const { status, body } = await call(`GET /keys/signing/${current?.kid}`, 'read:signing_keys');
    expect([status, Object.keys(body)]).toEqual([
      200,
      ['kid', 'cert', 'pkcs7', 'current', 'next', 'previous', 'current_since', 'fingerprint', 'thumbprint', 'revoked'],
    ]);
    expect(await call(`GET /keys/signing/${foreign?.kid}`, 'read:signing_keys')).toMatchObject({ status: 404 });
    expect(await call('GET /keys/signing/..%2f..%2fetc', 'read:signing_keys')).toMatchObject({ status: 404 });
  });
});

describe('POST /api/v2/keys/signing/rotate', () => {
  it('answers the next key, for the host of the canonical origin, and records the change', async () => {
    const { status, body } = await call(ROTATE, ALL);
    expect(status).toBe(201);
    expect(body).toMatchObject({ next: true, current: false });
    expect(new X509Certificate(String(body.cert)).subject).toBe('CN=id.acme.example');
    expect(events).toMatchObject([{ type: 'managementChanged', description: 'Rotate the Application Signing Key' }]);
    expect(JSON.stringify(events)).not.toContain('PRIVATE KEY');
  });

  it('needs create:signing_keys or update:signing_keys', async () => {
    expect(await call(ROTATE, 'read:signing_keys')).toMatchObject({ status: 403 });
    expect(await keys.store.list(tenant.tenantId)).toHaveLength(2);
  });

  it('keeps tokens of the previous key valid', async () => {
    const token = await accessToken('read:signing_keys');
    await call(ROTATE, ALL);
    expect(await call('GET /keys/signing', 'read:signing_keys', token)).toMatchObject({ status: 200 });
  });
});

describe('PUT /api/v2/keys/signing/{kid}/revoke', () => {
  it('ends the tokens of a previous key at once', async () => {
    const [current] = await keys.store.list(tenant.tenantId);
    const token = await accessToken('read:signing_keys');
    await call(ROTATE, ALL);
    const { status, body } = await call(`PUT /keys/signing/${current?.kid}/revoke`, ALL);
    expect([status, body]).toMatchObject([200, { kid: current?.kid, revoked: true, revoked_at: expect.any(String) }]);
    expect(await call('GET /keys/signing', 'read:signing_keys', token)).toMatchObject({ status: 401 });
  });

  it('refuses the current key, and changes nothing', async () => {
    const [current] = await keys.store.list(tenant.tenantId);
    expect(await call(`PUT /keys/signing/${current?.kid}/revoke`, ALL)).toMatchObject({
      status: 404,
      body: { statusCode: 404, error: 'Not Found', message: expect.stringContaining('current signing key') },
    });
    expect(events).toEqual([]);
    expect((await keys.store.find(tenant.tenantId, current?.kid ?? ''))?.revokedAt).toBeUndefined();
  });
});

async function call(operation: string, scope: string, given?: string) {
  const [method, path] = operation.split(' ');
  const response = await app.inject({
    method: method === 'GET' || method === 'PUT' ? method : 'POST',
    url: `/api/v2${path}`,
    headers: { authorization: `Bearer ${given ?? (await accessToken(scope))}` },
  });
  const body: Record<string, unknown> = response.json();
  return { status: response.statusCode, body };
}

function accessToken(scope: string): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const claims = { iss: `${ORIGIN}/`, sub: 'm2m@clients', azp: 'm2m', aud: `${ORIGIN}/api/v2/`, exp, scope };
  return keys.signer.sign(tenant.tenantId, claims, { typ: 'JWT' });
}

/** The Management API with the routes of this folder alone. */
async function createApp(): Promise<FastifyInstance> {
  const server = fastify();
  const requester = { ip: '127.0.0.1', clientIp: '127.0.0.1', userAgent: 'test', hostname: 'id.acme.example' };
  server.decorateRequest('tenant').decorateRequest('origin', ORIGIN).decorateRequest('requester');
  server.addHook('onRequest', async (request) => void Object.assign(request, { tenant, requester }));
  const record: RecordEvent = async (_tenantId, event) => void events.push(event);
  await server.register(
    async (scoped) => {
      const management = registerManagement({
        app: scoped,
        log: createLog('json', () => {}),
        stores: { signingKeys: keys.store, record },
        transact: (work) => keys.transact((stores) => work({ ...stores, record })),
        recordAlone: record,
        verifyAccessToken: createManagementTokenVerifier({
          keys: keys.rings,
          isTenantOrigin: (_tenant, origin) => origin === ORIGIN,
          isManagementAudience: (_tenant, audience) => audience === `${ORIGIN}/api/v2/`,
          now: () => new Date(),
        }),
        afterCommit: keys.cache.forget,
        now: () => new Date(),
      });
      keyRoutes(management, keys.service);
    },
    { prefix: '/api/v2' },
  );
  return server;
}
