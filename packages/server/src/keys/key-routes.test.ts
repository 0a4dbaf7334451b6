import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answer } from '../../test/protocol.ts';
import { type ManagementClient, startWorld, type World, type WorldTenant } from '../../test/world.ts';

let world: World;
let tenant: WorldTenant;
let reader: ManagementClient;
let writer: ManagementClient;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

let count = 0;
beforeEach(async () => {
  count += 1;
  tenant = await world.createTenant(`acme-${count}`);
  reader = world.apiAt(tenant, 'read:signing_keys');
  writer = world.apiAt(tenant, 'create:signing_keys', 'update:signing_keys');
});

const rotate = () => writer.post('/keys/signing/rotate');
const currentKid = async (api = reader): Promise<string> => (await api.get('/keys/signing')).json()[0].kid;
const withToken = async (token: string) =>
  (await world.request({ path: '/api/v2/keys/signing', headers: { authorization: `Bearer ${token}` }, tenant }))
    .statusCode;

/** What was changed since the tenant was made. */
async function changes() {
  const changed = (await world.events(tenant)).filter(({ type }) => type === 'sapi');
  return changed.filter(({ description }) => description !== 'Create a tenant');
}

describe('GET /api/v2/keys/signing', () => {
  it('lists the current and the next key', async () => {
    const listed = await reader.get('/keys/signing');
    expect(listed.statusCode).toBe(200);
    expect(listed.json()).toMatchObject([
      { current: true, next: false, previous: false, revoked: false, current_since: expect.any(String) },
      { current: false, next: true, previous: false, revoked: false },
    ]);
    expect(listed.body).not.toMatch(/PRIVATE KEY|private/);
  });

  it('refuses a token without read:signing_keys', async () => {
    expect(await answer(world.apiAt(tenant, 'read:clients').get('/keys/signing'))).toMatchObject({
      status: 403,
      body: { errorCode: 'insufficient_scope' },
    });
  });
});

describe('GET /api/v2/keys/signing/{kid}', () => {
  it('answers one key, and 404 for one of another tenant', async () => {
    const own = await reader.get(`/keys/signing/${await currentKid()}`);
    expect([own.statusCode, Object.keys(own.json())]).toEqual([
      200,
      ['kid', 'cert', 'pkcs7', 'current', 'next', 'previous', 'current_since', 'fingerprint', 'thumbprint', 'revoked'],
    ]);
    const foreign = await currentKid(world.api('read:signing_keys'));
    expect((await reader.get(`/keys/signing/${foreign}`)).statusCode).toBe(404);
    expect((await reader.get('/keys/signing/..%2f..%2fetc')).statusCode).toBe(404);
  });
});

describe('POST /api/v2/keys/signing/rotate', () => {
  it('answers the next key, for the host of the canonical origin, and records the change', async () => {
    const rotated = await rotate();
    expect(rotated.statusCode).toBe(201);
    expect(rotated.json()).toMatchObject({ next: true, current: false });
    expect(new X509Certificate(rotated.json().cert).subject).toBe(`CN=${new URL(tenant.origin).hostname}`);
    const events = await changes();
    expect(events).toMatchObject([{ description: 'Rotate the Application Signing Key' }]);
    expect(JSON.stringify(events)).not.toContain('PRIVATE KEY');
  });

  it('needs create:signing_keys or update:signing_keys', async () => {
    expect((await reader.post('/keys/signing/rotate')).statusCode).toBe(403);
    expect((await reader.get('/keys/signing')).json()).toHaveLength(2);
    for (const scope of ['create:signing_keys', 'update:signing_keys']) {
      expect((await world.apiAt(tenant, scope).post('/keys/signing/rotate')).statusCode).toBe(201);
    }
  });

  it('keeps tokens of the previous key valid', async () => {
    const token = await world.managementToken(['read:signing_keys'], tenant);
    await rotate();
    expect(await withToken(token)).toBe(200);
  });
});

describe('PUT /api/v2/keys/signing/{kid}/revoke', () => {
  it('ends the tokens of a previous key at once', async () => {
    const kid = await currentKid();
    const token = await world.managementToken(['read:signing_keys'], tenant);
    await rotate();
    const later = world.apiAt(tenant, 'update:signing_keys');
    expect(await answer(later.put(`/keys/signing/${kid}/revoke`))).toMatchObject({
      status: 200,
      body: { kid, revoked: true, revoked_at: expect.any(String) },
    });
    expect(await withToken(token)).toBe(401);
  });

  it('refuses the current key, and changes nothing', async () => {
    const kid = await currentKid();
    expect(await answer(writer.put(`/keys/signing/${kid}/revoke`))).toMatchObject({
      status: 404,
      body: { statusCode: 404, error: 'Not Found', message: expect.stringContaining('current signing key') },
    });
    expect(await changes()).toEqual([]);
    expect((await reader.get(`/keys/signing/${kid}`)).json()).toMatchObject({ current: true, revoked: false });
  });
});
