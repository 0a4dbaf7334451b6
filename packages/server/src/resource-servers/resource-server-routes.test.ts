import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ManagementClient, startWorld, type World } from '../../test/world.ts';

let world: World;
let manage: ManagementClient;
let stranger: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
  stranger = world.apiAt(await world.createTenant('acme', { environment: 'production' }));
});
afterAll(() => world.stop());

const pathOf = (identifier: string) => `/resource-servers/${encodeURIComponent(identifier)}`;

describe('/resource-servers', () => {
  it('take an API by its id or by its encoded identifier', async () => {
    const identifier = 'https://orders.example.com/v1';
    const made = await manage.post('/resource-servers', { identifier, signing_alg: 'HS256' });
    expect(made.statusCode).toBe(201);
    expect(made.json()).toMatchObject({ identifier, token_lifetime: 86_400, scopes: [] });
    const api = made.json();
    expect((await manage.get(pathOf(identifier))).json()).toEqual(api);
    expect(await world.events()).toContainEqual(
      expect.objectContaining({
        type: 'mgmt_api_read',
        details: expect.objectContaining({ accessedSecrets: ['signing_secret'] }),
      }),
    );
    expect((await manage.get(`/resource-servers/${api.id}`)).json()).toEqual(api);
    const query = `include_totals=true&identifiers=${encodeURIComponent(identifier)}`;
    expect((await manage.get(`/resource-servers?${query}`)).json()).toMatchObject({
      total: 1,
      resource_servers: [{ identifier }],
    });
    expect((await stranger.get(`/resource-servers/${api.id}`)).statusCode).toBe(404);
    expect((await manage.patch(`/resource-servers/${api.id}`, { identifier: 'x' })).statusCode).toBe(400);
    expect((await manage.delete(`/resource-servers/${api.id}`)).statusCode).toBe(204);
  });

  it('show the Management API under the origin that was asked, and keep it', async () => {
    const audience = world.managementAudience;
    const found = (await manage.get(pathOf(audience))).json();
    expect(found).toMatchObject({ identifier: audience, name: 'Auth0 Management API', is_system: true });
    expect(found.scopes).toContainEqual({ value: 'read:users', description: 'Read users' });
    expect((await manage.delete(pathOf(audience))).statusCode).toBe(400);
    expect((await manage.post('/resource-servers', { identifier: audience })).statusCode).toBe(409);
    expect((await manage.get(pathOf('urn:gatewright:management'))).statusCode).toBe(404);
  });
});
