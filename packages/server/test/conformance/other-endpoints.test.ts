import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestClient, passwordGrant, redeem, type TestClient } from '../protocol.ts';
import { CALLBACK } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

let world: World;
let web: TestClient;
let device: string;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  await world.api().patch('/tenants/settings', { pushed_authorization_requests_supported: true });
  web = await createTestClient(world, { app_type: 'regular_web', callbacks: [CALLBACK] });
  device = (await createTestClient(world, { app_type: 'native', grant_types: [DEVICE] })).client_id;
  token = (await passwordGrant(world, { scope: 'openid' })).json().access_token;
});
afterAll(() => world.stop());

const ENDPOINTS: readonly [string, () => Record<string, string>, number][] = [
  ['/oauth/device/code', () => ({ client_id: device, scope: 'openid' }), 200],
  ['/oauth/par', () => ({ ...web, response_type: 'code', redirect_uri: CALLBACK, scope: 'openid' }), 201],
  ['/oauth/introspect', () => ({ ...world.password_client, token }), 200],
];

describe.each(ENDPOINTS)('%s', (path, form, status) => {
  it('takes POST and no other method', async () => {
    expect((await world.request({ path, form: form() })).statusCode).toBe(status);
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH'] as const)
      expect([method, (await world.request({ method, path })).statusCode]).toEqual([method, 404]);
  });

  it('ignores parameters that it does not know, and those without a value', async () => {
    const more = { unknown: 'x', audience: '', token_type_hint: '', state: '' };
    expect((await world.request({ path, form: { ...form(), ...more } })).statusCode).toBe(status);
  });

  it('refuses a parameter that comes twice', async () => {
    const body = `${new URLSearchParams(form())}&client_id=${web.client_id}`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const response = await world.request({ path, body, headers });
    expect([response.statusCode, response.json().error]).toEqual([400, 'invalid_request']);
  });

  it('reads no credential from the address', async () => {
    const response = await world.request({ method: 'POST', path: `${path}?${new URLSearchParams(form())}` });
    expect(response.statusCode).toBeOneOf([400, 401, 403]);
  });
});

describe('introspection', () => {
  it('refuses whoever can not prove who they are with 401, and says of no token that it is an error', async () => {
    const ask = (changes: Record<string, string>) =>
      world.request({ path: '/oauth/introspect', form: { ...world.password_client, token, ...changes } });
    expect((await ask({ client_secret: 'wrong' })).statusCode).toBe(401);
    const unknown = await ask({ token: 'nobody knows it' });
    expect([unknown.statusCode, unknown.json()]).toEqual([200, { active: false }]);
    expect(unknown.headers['content-type']).toBe('application/json; charset=utf-8');
  });
});

describe('the answers to a device', () => {
  it('may not be kept by any cache', async () => {
    const codes = await world.request({ path: '/oauth/device/code', form: { client_id: device } });
    expect(codes.headers['cache-control']).toContain('no-store');
    const form = { grant_type: DEVICE, client_id: device, device_code: codes.json().device_code };
    expect((await world.token(form)).headers['cache-control']).toContain('no-store');
  });
});

describe('the address of a back-channel logout', () => {
  it('may have a query and no fragment, and is absolute', async () => {
    const register = (url: string) =>
      world.api().post('/clients', { name: 'Told', oidc_logout: { backchannel_logout_urls: [url] } });
    expect((await register('https://a.example/logout?from=us')).statusCode).toBe(201);
    for (const url of ['https://a.example/logout#here', '/logout', '//a.example/logout'])
      expect([url, (await register(url)).statusCode]).toEqual([url, 400]);
  });
});

describe('a logout that is asked for', () => {
  it('by GET or by POST ends the session, with an ID token whose time is over as well', async () => {
    for (const method of ['GET', 'POST'] as const) {
      const visitor = world.visitor();
      const { id_token: id_token_hint } = (await redeem(world, await visitor.logIn())).json();
      const hint = { id_token_hint };
      world.advance(11 * 3_600_000);
      const response =
        method === 'GET'
          ? await visitor.get(`/oidc/logout?${new URLSearchParams(hint)}`)
          : await visitor.post('/oidc/logout', hint);
      expect([method, response.statusCode]).toEqual([method, 200]);
      expect((await visitor.authorize({ prompt: 'none' })).answer?.get('error')).toBe('login_required');
    }
  });
});
