import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestClient, eventsOf, eventTypesOf, type TestClient } from '../../test/protocol.ts';
import { startWorld, type World } from '../../test/world.ts';

const ORIGINS = {
  allowed: 'https://allowed.example.com',
  web: 'https://web.example.com',
  callback: 'https://callback.example.com',
  wildcard: 'https://a.wild.example.com',
};

let world: World;
let client: TestClient;
beforeAll(async () => {
  world = await startWorld({ environment: 'production' });
  client = await createTestClient(world, {
    grant_types: ['client_credentials'],
    callbacks: [`${ORIGINS.callback}/callback`],
    allowed_origins: [ORIGINS.allowed, 'https://*.wild.example.com'],
    web_origins: [ORIGINS.web],
  });
});
afterAll(() => world.stop());

const preflight = (path: string, origin: string) =>
  world.request({
    method: 'OPTIONS',
    path,
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'auth0-client' },
  });
const ask = (origin: string) =>
  world.request({
    path: '/oauth/token',
    form: { grant_type: 'client_credentials', ...client, audience: 'urn:none' },
    headers: { origin },
  });

describe('a call from a page of another origin', () => {
  it.each(Object.values(ORIGINS))('is allowed from %s, which the client registered', async (origin) => {
    const allowed = await preflight('/oauth/token', origin);
    expect(allowed.statusCode).toBe(204);
    expect(allowed.headers).toMatchObject({ 'access-control-allow-origin': origin, vary: 'Origin' });
    expect(allowed.headers['access-control-allow-methods']).toContain('POST');
    for (const name of ['Authorization', 'Content-Type', 'Auth0-Client', 'DPoP'])
      expect(allowed.headers['access-control-allow-headers']).toContain(name);
    const types = await eventTypesOf(world, async () => {
      const response = await ask(origin);
      expect(response.headers).toMatchObject({ 'access-control-allow-origin': origin });
      expect(response.headers['access-control-expose-headers']).toContain('WWW-Authenticate');
    });
    expect(types).toEqual(['feccft']);
  });

  it.each([
    'https://evil.example.com',
    'https://evilwild.example.com',
    'https://a.b.wild.example.com',
    'https://allowed.example.com.evil.com',
    'https://allowed.example.com:444',
    'http://allowed.example.com',
    'http://localhost:5555',
    'null',
  ])('is not allowed from %s, and that is an event', async (origin) => {
    const refused = await preflight('/oauth/token', origin);
    expect(refused.headers).not.toHaveProperty('access-control-allow-origin');
    const [event, ...others] = await eventsOf(world, async () => {
      expect((await ask(origin)).headers).not.toHaveProperty('access-control-allow-origin');
    });
    expect(event).toMatchObject({ type: 'fco', client_id: client.client_id });
    expect(others.map(({ type }) => type)).toEqual(['feccft']);
  });

  it('needs the origin at the client that it names, not at any', async () => {
    const other = await createTestClient(world, { grant_types: ['client_credentials'] });
    const response = await world.request({
      path: '/oauth/token',
      json: { grant_type: 'client_credentials', ...other },
      headers: { origin: ORIGINS.allowed },
    });
    expect(response.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('is open to all at /userinfo, discovery and keys, without credentials', async () => {
    for (const path of ['/userinfo', '/.well-known/openid-configuration', '/.well-known/jwks.json']) {
      const origin = 'https://anybody.example.com';
      const allowed = await preflight(path, origin);
      expect(allowed.headers['access-control-allow-origin']).toBe('*');
      expect(allowed.headers).not.toHaveProperty('access-control-allow-credentials');
      const response = await world.request({ path, headers: { origin } });
      expect(response.headers['access-control-allow-origin']).toBe('*');
    }
  });

  it('is closed to all at the pages of the login', async () => {
    for (const path of ['/authorize', '/u/login', '/v2/logout']) {
      const response = await world.request({ path, headers: { origin: ORIGINS.allowed } });
      expect(response.headers).not.toHaveProperty('access-control-allow-origin');
    }
  });
});
