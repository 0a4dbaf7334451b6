import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestClient, eventsOf, eventTypesOf, type TestClient } from '../../../test/protocol.ts';
import { startWorld, type World } from '../../../test/world.ts';

let world: World;
let client: TestClient;
beforeAll(async () => {
  world = await startWorld();
  client = await createTestClient(world, {
    allowed_logout_urls: [
      'https://*.wild.example.com/out',
      'https://app.example.com/out',
      'https://app.example.com/other',
    ],
  });
  await world.api().patch('/tenants/settings', { allowed_logout_urls: ['https://tenant.example.com/'] });
});
afterAll(() => world.stop());

const path = (parameters: Record<string, string>) => `/v2/logout?${new URLSearchParams(parameters)}`;
const isLoggedIn = async (visitor: ReturnType<World['visitor']>) =>
  (await visitor.authorize({ prompt: 'none' })).answer?.get('code') !== null;

describe('GET /v2/logout', () => {
  it('ends the session, clears both cookies and goes where the client allows, once recorded', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    const stolen = visitor.cookies.get('__Host-gw-dev') ?? '';
    const returnTo = 'https://app.example.com/out?from=app#top';
    const [event, ...others] = await eventsOf(world, async () => {
      const response = await visitor.get(path({ client_id: client.client_id, returnTo }));
      expect(response.statusCode).toBe(302);
      expect(response.headers.location).toBe(returnTo);
      expect(response.cookies.map(({ name, value, expires }) => [name, value, expires?.getTime()])).toEqual([
        ['__Host-gw-dev', '', 0],
        ['__Host-gw-dev-lax', '', 0],
      ]);
    });
    expect(others).toEqual([]);
    expect(event).toMatchObject({ type: 'slo', client_id: client.client_id });
    visitor.cookies.set('__Host-gw-dev', stolen);
    expect(await isLoggedIn(visitor)).toBe(false);
  });

  it.each(['federated', 'federated=', 'federated=true', 'federated=false'])(
    'with %s is the same logout, told in the same event',
    async (federated) => {
      const visitor = world.visitor();
      await visitor.logIn();
      const records = await eventsOf(world, async () => {
        const response = await visitor.get(`${path({ client_id: client.client_id })}&${federated}`);
        expect([response.statusCode, response.headers.location]).toEqual([302, 'https://app.example.com/out']);
      });
      expect(records.map(({ type }) => type)).toEqual(['slo']);
      expect(await isLoggedIn(visitor)).toBe(false);
    },
  );

  it.each([
    ['the wildcard', { returnTo: 'https://a.wild.example.com/out' }, 'https://a.wild.example.com/out'],
    ['the first allowed URL', {}, 'https://app.example.com/out'],
  ])('goes to %s of the client', async (_what, parameters: Record<string, string>, location) => {
    const response = await world.visitor().get(path({ client_id: client.client_id, ...parameters }));
    expect(response.headers.location).toBe(location);
  });

  it('without a client takes the list of the tenant, and stays where nothing is named', async () => {
    const visitor = world.visitor();
    const there = await visitor.get(path({ returnTo: 'https://tenant.example.com/' }));
    expect(there.headers.location).toBe('https://tenant.example.com/');
    const text = await visitor.get('/v2/logout');
    expect([text.statusCode, text.body]).toEqual([200, 'OK']);
    const page = await visitor.get('/v2/logout', { accept: 'text/html' });
    expect(page.headers['content-type']).toContain('text/html');
  });

  it.each<[string, Record<string, string>]>([
    ['an address of nobody', { returnTo: 'https://evil.example.com/' }],
    ['an address with user info', { returnTo: 'https://app.example.com@evil.com/out' }],
    ['an address that begins like an allowed one', { returnTo: 'https://app.example.com/out/../evil' }],
    ['another case of the path', { returnTo: 'https://app.example.com/Out' }],
    ["the tenant's address, where the client has its own list", { returnTo: 'https://tenant.example.com/' }],
    ['//', { returnTo: '//evil.example.com' }],
    ['a backslash', { returnTo: 'https:\\\\app.example.com/out' }],
    ['javascript:', { returnTo: 'javascript:alert(1)' }],
    ['what no header can carry', { returnTo: 'https://app.example.com/out?from=\u{1f600}' }],
    ['an unknown client', { client_id: 'unknown', returnTo: 'https://app.example.com/out' }],
  ])('refuses %s on a page and keeps the session', async (_what, parameters) => {
    const visitor = world.visitor();
    await visitor.logIn();
    const types = await eventTypesOf(world, async () => {
      const response = await visitor.get(path({ client_id: client.client_id, ...parameters }));
      expect(response.statusCode).toBe(400);
      expect(response.headers).not.toHaveProperty('location');
      expect(response.headers).not.toHaveProperty('set-cookie');
    });
    expect(types).toEqual(['flo']);
    expect(await isLoggedIn(visitor)).toBe(true);
  });

  it("without a client knows no client's address", async () => {
    const response = await world.visitor().get(path({ returnTo: 'https://app.example.com/out' }));
    expect(response.statusCode).toBe(400);
    expect(response.body).toContain('is not defined as a valid URL in');
  });

  it('of a browser without a session is no event', async () => {
    expect(await eventTypesOf(world, () => world.visitor().get('/v2/logout'))).toEqual([]);
  });

  it('honours http://localhost:* in development tenants alone', async () => {
    const returnTo = 'http://localhost:8123/bye';
    const query = path({ client_id: world.spa_client.client_id, returnTo });
    expect((await world.visitor().get(query)).headers.location).toBe(returnTo);
    const production = await world.createTenant('production', { environment: 'production' });
    await world.database.pool.query(
      `update clients set body = jsonb_set(body, '{allowed_logout_urls}', '["http://localhost:*"]') where client_id = $1`,
      [production.spa_client.client_id],
    );
    const there = path({ client_id: production.spa_client.client_id, returnTo });
    expect((await world.visitor(production).get(there)).statusCode).toBe(400);
  });
});
