import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

/** What Chromium sends when somebody types an address. */
const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8' };
const JSON_404 = { statusCode: 404, error: 'Not Found', message: 'Not Found' };

describe('A path that is not there', () => {
  it.each(['/', '/?x=/api/v2', '/u/lgoin', '/apis', '/login'])('is a page for a browser: %s', async (path) => {
    const response = await world.request({ path, headers: BROWSER });
    expect(response.statusCode).toBe(404);
    expect(response.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(response.headers['content-security-policy']).toContain("default-src 'none'");
    expect(response.body).toContain(String(response.headers['x-auth0-requestid']));
    expect(response.cookies).toEqual([]);
  });

  it.each([
    ['a client that says nothing', {}],
    ['a client that takes anything', { accept: '*/*' }],
    ['a client that wants JSON', { accept: 'application/json' }],
  ])('is JSON for %s', async (_who, headers) => {
    const response = await world.request({ path: '/', headers });
    expect(response.statusCode).toBe(404);
    expect(response.json()).toEqual(JSON_404);
  });

  it.each([
    '/api/v2',
    '/api/v2/nothing?x=1',
    '/oauth/nothing',
    '/oauth/token',
    '/userinfo/nothing',
    '/.well-known/nothing',
  ])('of the APIs is JSON for a browser as well: %s', async (path) => {
    const response = await world.request({ path, headers: BROWSER });
    expect(response.statusCode).toBe(404);
    expect(response.json()).toEqual(JSON_404);
  });

  it('is JSON where something is sent', async () => {
    const response = await world.request({ method: 'POST', path: '/', headers: BROWSER, form: { a: 'b' } });
    expect(response.statusCode).toBe(404);
    expect(response.json()).toEqual(JSON_404);
  });
});

it('A browser at a host where no tenant answers gets the page, without a tenant’s look', async () => {
  const response = await world.request({ path: '/', headers: { ...BROWSER, host: 'nobody.example.net' } });
  expect(response.statusCode).toBe(404);
  expect(response.headers['content-type']).toBe('text/html; charset=utf-8');
});
