import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../world.ts';
import { expectShape, footprint } from './refusals.ts';

let world: World;
let bearer: Record<string, string>;
beforeAll(async () => {
  world = await startWorld();
  bearer = { authorization: `Bearer ${await world.managementToken()}` };
});
afterAll(() => world.stop());

describe('A path', () => {
  it.each([
    ['/api/v2/users/%zz', 400, 'invalid_uri'],
    ['/api/v2/users/%ff', 400, 'invalid_uri'],
    ['/api/v2/users/a%00b', 400, 'invalid_uri'],
    ['/api/v2/users/auth0%7C%ED%A0%80', 400, 'invalid_uri'],
    [`/api/v2/users/${'a'.repeat(2_000)}`, 414, 'invalid_uri'],
    ['/api/v2/clients?fields=%zz', 400, 'invalid_query_string'],
    ['/api/v2/clients?page=1&page=2', 400, 'invalid_query_string'],
    ['/api/v2/clients?__proto__=1', 400, 'invalid_query_string'],
    ['/api/v2/clients?nonsense=1', 400, 'invalid_query_string'],
    ['/api/v2/clients?page=a%00', 400, 'invalid_query_string'],
    ['/api/v2/logs?q=a%00', 400, 'invalid_query_string'],
    ['/api/v2/clients/', 400, 'invalid_uri'],
    ['/api/v2//clients', 404, undefined],
    ['/API/v2/clients', 404, undefined],
    ['/api/v2/nonsense', 404, undefined],
    ['/oauth/token/', 404, undefined],
    ['/%2e%2e/%2e%2e/etc/passwd', 404, undefined],
    ['/u/static/../../package.json', 404, undefined],
    ['/u/static/%2e%2e%2fpackage.json', 404, undefined],
    [`/${'a'.repeat(20_000)}`, 404, undefined],
    ['/%', 400, 'invalid_uri'],
    ['/\u00e4', 404, undefined],
  ])('that leads nowhere is refused: %s', async (path, status, errorCode) => {
    const before = await footprint(world);
    const response = await world.request({ path, headers: bearer });
    expectShape(response, 'management');
    expect({ status: response.statusCode, errorCode: response.json().errorCode }).toEqual({ status, errorCode });
    expect(await footprint(world)).toEqual(before);
  });

  it.each([
    '/authorize',
    '/authorize?%zz',
    '/authorize?client_id=%ff',
    '/authorize?client_id=a%00b',
    '/authorize?client_id=a&client_id=b',
    `/authorize?client_id=${'a'.repeat(9_000)}`,
    '/u/login',
    '/u/login?state=a%00b',
    `/u/login?state=${'a'.repeat(3_000)}`,
    '/u/signup?state=x&state=y',
    '/v2/logout?returnTo=a%00b',
    '/v2/logout?returnTo=http%3A%2F%2Fevil.example.com&client_id=a%00b',
  ])('of a page is answered with a page: %s', async (path) => {
    const response = await world.request({ path });
    expect(response.statusCode).toBeLessThan(500);
    if (response.statusCode !== 302) expectShape(response, 'page');
    expect(world.log).toEqual([]);
  });

  it('of an unknown host is answered with a page where people come, and no cookie', async () => {
    const response = await world.request({ path: '/authorize', headers: { host: 'evil.example.com' } });
    expectShape(response, 'page');
    expect(response.statusCode).toBe(404);
    expect(response.headers['set-cookie']).toBeUndefined();
  });
});

describe('Headers', () => {
  it.each([
    ['authorization', `Bearer ${'a'.repeat(20_000)}`],
    ['authorization', 'Bearer a.b.c'],
    ['authorization', 'Basic %%%'],
    ['authorization', `Basic ${Buffer.from('a\0b:c\0d').toString('base64')}`],
    ['cookie', `gw-dev-3000=a%00b; __Host-gw-dev=${'a'.repeat(9_000)}`],
    ['cookie', '__Host-gw-dev-login=%zz; ;;==; __proto__=1'],
    ['auth0-client', Buffer.from('{"name":"a\\u0000b","__proto__":{"x":1}}').toString('base64')],
    ['auth0-client', Buffer.from('{"name":"\\ud800"}').toString('base64')],
    ['user-agent', 'a\x7f\u00ff'.repeat(200)],
    ['x-forwarded-for', "1.2.3.4' or 1=1, nonsense"],
    ['origin', 'null'],
    ['content-length', '0'],
  ])('are garbage and do no harm: %s: %.60s', async (name, value) => {
    for (const asked of [
      { path: '/userinfo' },
      { path: '/api/v2/clients' },
      { path: '/authorize?client_id=x' },
      { path: '/oauth/token', form: { grant_type: 'client_credentials', client_id: 'x', client_secret: 'y' } },
      {
        path: '/oauth/token',
        form: { grant_type: 'password', ...world.password_client, username: 'nobody@example.com', password: 'no' },
      },
    ]) {
      const response = await world.request({ ...asked, headers: { [name]: value } });
      expect({ path: asked.path, status: response.statusCode }).toEqual({
        path: asked.path,
        status: expect.toBeOneOf([400, 401, 403, 429]),
      });
    }
    expect(world.log).toEqual([]);
  });

  it('insist on https at a real name only, since browsers keep that for all ports of a name', async () => {
    const local = await world.request({ path: '/.well-known/jwks.json' });
    expect(local.headers['strict-transport-security']).toBeUndefined();
    await world.app.stores.tenants.registerOrigin('dev', 'https://login.example.com', false);
    world.app.forget('*');
    world.app.forget('dev');
    const real = await world.request({
      path: '/.well-known/jwks.json',
      tenant: { origin: 'https://login.example.com' },
    });
    expect(real.headers['strict-transport-security']).toBe('max-age=31536000');
  });
});
