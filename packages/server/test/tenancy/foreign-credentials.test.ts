import { createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestClient } from '../protocol.ts';
import { CALLBACK } from '../visitor.ts';
import { startWorld, type World, type WorldTenant } from '../world.ts';
import { createForeignRequests, type ForeignRequests, loginOf, renamed } from './foreign-requests.ts';
import { BROWSER_ROUTES, CREDENTIAL_ROUTES } from './protocol-routes.ts';
import { rowsOf } from './tenant-rows.ts';

const PASSWORD_REALM = 'http://auth0.com/oauth/grant-type/password-realm';
/** Both tenants have an API of this identifier. */
const API = 'https://api.example.com/';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

let world: World;
let acme: WorldTenant;
let dev: ForeignRequests;
beforeAll(async () => {
  world = await startWorld();
  acme = await world.createTenant('acme');
  dev = createForeignRequests(world);
});
afterAll(() => world.stop());

describe('a client of another tenant', () => {
  const refused = { error: 'access_denied', error_description: 'Unauthorized' };

  it('is unknown to the token and revocation endpoints, by its secret and by its id alone', async () => {
    const { client_id, client_secret } = acme.password_client;
    const forms = [
      { grant_type: 'client_credentials', client_id, client_secret, audience: API },
      { grant_type: 'client_credentials', ...acme.management, audience: world.managementAudience },
      { grant_type: 'client_credentials', ...acme.management, audience: acme.managementAudience },
      { grant_type: 'password', client_id, client_secret, ...loginOf(world.main) },
      { grant_type: PASSWORD_REALM, client_id, client_secret, realm: acme.connection, ...loginOf(acme) },
      { grant_type: 'refresh_token', client_id: acme.spa_client.client_id, refresh_token: 'x' },
    ];
    for (const form of forms) {
      const response = await dev.askToken(form);
      expect([form.grant_type, response.statusCode, response.json()]).toEqual([form.grant_type, 401, refused]);
    }
    const basic = Buffer.from(`${client_id}:${client_secret}`).toString('base64');
    const form = { grant_type: 'client_credentials', audience: API };
    const headers = { authorization: `Basic ${basic}` };
    expect((await dev.ask({ path: '/oauth/token', form, headers })).statusCode).toBe(401);
    const revocation = { client_id, client_secret, token: 'x' };
    expect((await dev.ask({ path: '/oauth/revoke', form: revocation })).statusCode).toBe(401);
  });

  it('is unknown to /authorize and /v2/logout', async () => {
    const { client_id } = acme.spa_client;
    const parameters = { response_type: 'code', client_id, redirect_uri: CALLBACK, scope: 'openid' };
    const responses = [
      await dev.ask({ path: `/authorize?${new URLSearchParams(parameters)}` }),
      await dev.ask({ path: '/authorize', form: parameters }),
      await dev.ask({ path: `/v2/logout?${new URLSearchParams({ client_id, returnTo: 'http://localhost:5555/' })}` }),
    ];
    for (const response of responses) {
      expect(response.statusCode).toBeOneOf([400, 403]);
      expect(response.headers.location).toBeUndefined();
    }
  });

  it('takes no password, shows no settings, and its login ticket logs nobody in here', async () => {
    const web = 'https://embedded.example.com';
    const body = { app_type: 'spa', callbacks: [CALLBACK], web_origins: [web], cross_origin_authentication: true };
    const { client_id } = await createTestClient(world, body, { tenant: acme });
    const login = { client_id, ...loginOf(acme), realm: acme.connection, credential_type: 'password' };
    const headers = { origin: web };
    for (const path of ['/co/authenticate', '/usernamepassword/login']) {
      expect((await dev.ask({ path, form: login, headers })).statusCode).toBe(403);
      const preflight = await dev.ask({ method: 'OPTIONS', path, headers });
      expect(preflight.headers['access-control-allow-origin']).toBeUndefined();
    }
    expect((await dev.ask({ path: `/client/${client_id}.js` })).statusCode).toBe(404);
    const authenticated = await world.visitor(acme).post('/co/authenticate', login, headers);
    const { login_ticket: wresult } = authenticated.json();
    const cookie = authenticated.cookies.map(({ name, value }) => `${name.replace('acme', 'dev')}=${value}`).join('; ');
    const wctx = JSON.stringify({
      client_id: world.spa_client.client_id,
      redirect_uri: CALLBACK,
      response_type: 'code',
    });
    const back = await dev.ask({ path: '/login/callback', form: { wresult, wctx }, headers: { cookie } });
    const pkce = 'code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
    const end = await dev.ask({ path: `${back.headers.location}&${pkce}`, headers: { cookie } });
    expect(new URL(String(end.headers.location)).searchParams.get('error')).toBe('access_denied');
  });

  it('pushes no request, and brings none that was pushed at home', async () => {
    for (const at of [world.main, acme])
      await world.apiAt(at).patch('/tenants/settings', { pushed_authorization_requests_supported: true });
    const form = { response_type: 'code', redirect_uri: CALLBACK };
    const body = { name: 'Web', callbacks: [CALLBACK], app_type: 'regular_web' };
    const { client_id, client_secret } = (await world.apiAt(acme).post('/clients', body)).json();
    const away = await dev.ask({ path: '/oauth/par', form: { client_id, client_secret, ...form } });
    expect([away.statusCode, away.json()]).toEqual([401, refused]);
    const home = await world.request({ path: '/oauth/par', form: { client_id, client_secret, ...form }, tenant: acme });
    expect(home.statusCode).toBe(201);
    for (const brought of [client_id, world.spa_client.client_id]) {
      const query = new URLSearchParams({ client_id: brought, request_uri: home.json().request_uri });
      const response = await dev.ask({ path: `/authorize?${query}` });
      expect([response.statusCode, response.headers.location]).toEqual([400, undefined]);
    }
  });

  it('opens no page of its own to the endpoints: CORS looks at the clients of the tenant that is asked', async () => {
    const page = 'https://pages-of-acme.example';
    const created = await world.apiAt(acme).post('/clients', { name: 'Page', app_type: 'spa', web_origins: [page] });
    const headers = { origin: page, 'access-control-request-method': 'POST' };
    const atHome = await world.request({ method: 'OPTIONS', path: '/oauth/token', headers, tenant: acme });
    expect(atHome.headers['access-control-allow-origin']).toBe(page);
    for (const path of ['/oauth/token', '/oauth/revoke']) {
      const preflight = await dev.ask({ method: 'OPTIONS', path, headers });
      expect(preflight.headers['access-control-allow-origin']).toBeUndefined();
      const form = { grant_type: 'refresh_token', client_id: created.json().client_id, refresh_token: 'x', token: 'x' };
      const response = await dev.ask({ path, form, headers: { origin: page } });
      expect(response.headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  it('authenticates with its key nowhere else, not even where that tenant has a client with the same key', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const withKey = async (tenant: WorldTenant): Promise<string> => {
      const created = await world.apiAt(tenant).post('/clients', {
        name: 'With a key',
        app_type: 'non_interactive',
        client_authentication_methods: { private_key_jwt: { credentials: [{ credential_type: 'public_key', pem }] } },
      });
      const { client_id } = created.json();
      const grant = { client_id, audience: tenant.api.identifier, scope: tenant.api.scopes };
      expect((await world.apiAt(tenant).post('/client-grants', grant)).statusCode).toBe(201);
      return client_id;
    };
    const [foreign, own] = [await withKey(acme), await withKey(world.main)];
    const exchange = async (clientId: string, audience: string, tenant: WorldTenant) => {
      const assertion = await new SignJWT({ jti: randomUUID() })
        .setProtectedHeader({ alg: 'RS256' })
        .setIssuer(clientId)
        .setSubject(clientId)
        .setAudience(audience)
        .setIssuedAt(world.now())
        .setExpirationTime(new Date(world.now().getTime() + 60_000))
        .sign(createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })));
      const credentials = { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion };
      const form = { grant_type: 'client_credentials', audience: tenant.api.identifier, ...credentials };
      return (await world.token(form, tenant)).statusCode;
    };
    expect(await exchange(foreign, acme.issuer, acme)).toBe(200);
    expect(await exchange(own, world.issuer, world.main)).toBe(200);
    expect(await exchange(foreign, world.issuer, world.main)).toBe(401);
    // Made for the other tenant: an assertion must not travel (RFC 7523 section 3, rule 3).
    expect(await exchange(own, acme.issuer, world.main)).toBe(401);
  });
});

describe('the Management API of another tenant', () => {
  it('is no audience that a client or a person can ask a token for', async () => {
    const audience = acme.managementAudience;
    const machine = await dev.askToken({ grant_type: 'client_credentials', ...world.management, audience });
    expect([machine.statusCode, machine.json().error]).toEqual([403, 'access_denied']);
    const person = await dev.askToken({
      grant_type: 'password',
      ...world.password_client,
      ...loginOf(world.main),
      audience,
    });
    expect([person.statusCode, person.json().access_token]).toEqual([expect.toBeOneOf([400, 403]), undefined]);
    const begun = await world.visitor().authorize({ audience });
    expect(begun.answer?.get('code') ?? undefined).toBeUndefined();
    expect(begun.response.body).not.toContain('name="password"');
  });
});

describe('a code of another tenant', () => {
  it('is no code here, and still is one at home', async () => {
    const { code, verifier } = await world.visitor(acme).logIn();
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: CALLBACK };
    for (const client of [world.spa_client, acme.spa_client]) {
      const response = await dev.askToken({ ...form, ...client });
      expect(response.statusCode).toBeOneOf([401, 403]);
      expect(response.json().access_token).toBeUndefined();
    }
    expect((await world.token({ ...form, ...acme.spa_client }, acme)).statusCode).toBe(200);
  });
});

describe('a device of another tenant', () => {
  it('is not begun, not found by its code and not answered here, and still waits at home', async () => {
    const grant_type = 'urn:ietf:params:oauth:grant-type:device_code';
    const body = { name: 'Television', app_type: 'native', grant_types: [grant_type] };
    const { client_id } = (await world.apiAt(acme).post('/clients', body)).json();
    const own = (await world.api().post('/clients', body)).json();
    expect((await dev.ask({ path: '/oauth/device/code', form: { client_id } })).statusCode).toBe(401);
    const begun = await world.request({ path: '/oauth/device/code', form: { client_id }, tenant: acme });
    const { device_code, user_code } = begun.json();
    const visitor = world.visitor(acme);
    const shown = await visitor.get(`/activate?user_code=${user_code}`);
    const _csrf = /name="_csrf" value="([^"]+)"/.exec(shown.body)?.[1] ?? '';
    const before = await rowsOf(world.database.pool, 'acme');
    for (const id of [client_id, own.client_id])
      expect((await dev.askToken({ grant_type, device_code, client_id: id })).statusCode).toBeOneOf([401, 403]);
    const headers = { cookie: renamed(visitor.cookies), origin: world.main.origin };
    const form = { _csrf, user_code, action: 'confirm' };
    const pages = [
      await dev.ask({ path: `/activate?user_code=${user_code}`, headers }),
      await dev.ask({ path: '/activate', form, headers }),
      await dev.ask({ path: '/activate/confirm', form, headers }),
    ];
    for (const page of pages) {
      expect(page.statusCode).toBeOneOf([400, 403]);
      expect(page.body).not.toContain('Television');
    }
    expect(await rowsOf(world.database.pool, 'acme')).toEqual(before);
    const atHome = await world.token({ grant_type, device_code, client_id }, acme);
    expect(atHome.json().error).toBe('authorization_pending');
  });
});

describe('tokens of another tenant', () => {
  it('are refused by /userinfo, opaque ones and JWTs, and stay good at home', async () => {
    const tokens = await Promise.all([
      tokensOf(acme, { scope: 'openid' }),
      tokensOf(acme, { scope: 'openid', audience: acme.api.identifier }),
    ]);
    expect(tokens.map(({ access_token }) => access_token.split('.').length)).toEqual([expect.not.toBeOneOf([3]), 3]);
    for (const { access_token } of tokens) {
      const headers = { authorization: `Bearer ${access_token}` };
      expect((await world.request({ path: '/userinfo', headers, tenant: acme })).statusCode).toBe(200);
      expect((await dev.ask({ path: '/userinfo', headers })).statusCode).toBe(401);
      expect((await dev.ask({ path: '/userinfo', form: { access_token } })).statusCode).toBe(401);
    }
  });

  it('are not refreshed, revoked or taken for reused here', async () => {
    const { refresh_token } = await tokensOf(acme, { scope: 'openid offline_access' });
    const before = await rowsOf(world.database.pool, 'acme');
    for (const client of [world.password_client, world.spa_client, acme.password_client]) {
      const response = await dev.askToken({ grant_type: 'refresh_token', refresh_token, ...client });
      expect(response.statusCode).toBeOneOf([401, 403]);
    }
    const form = { ...world.password_client, token: refresh_token };
    expect((await dev.ask({ path: '/oauth/revoke', form })).statusCode).toBe(200);
    expect(await rowsOf(world.database.pool, 'acme')).toEqual(before);
    const atHome = await world.token({ grant_type: 'refresh_token', refresh_token, ...acme.password_client }, acme);
    expect(atHome.statusCode).toBe(200);
  });

  it('are no tokens and no clients at the endpoints of old', async () => {
    const { id_token } = await tokensOf(acme, { scope: 'openid' });
    await world.api().patch('/tenants/settings', { flags: { allow_legacy_tokeninfo_endpoint: true } });
    const form = { client_id: acme.password_client.client_id, id_token };
    for (const path of ['/oauth/ro', '/oauth/access_token', '/delegation', '/users/{}/impersonate'])
      expect((await dev.ask({ path, form })).json()).toMatchObject({ error: 'unauthorized_client' });
    expect((await dev.ask({ path: '/tokeninfo', form })).statusCode).toBe(401);
    expect((await dev.ask({ path: `/tokeninfo?id_token=${id_token}` })).statusCode).toBe(401);
  });

  it('are not introspected here, and neither is a client of there', async () => {
    const tokens = await tokensOf(acme, { scope: 'openid offline_access', audience: acme.api.identifier });
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      const form = { ...acme.password_client, token };
      const atHome = await world.request({ path: '/oauth/introspect', form, tenant: acme });
      expect(atHome.json()).toMatchObject({ active: true });
      expect((await dev.ask({ path: '/oauth/introspect', form: { ...world.password_client, token } })).json()).toEqual({
        active: false,
      });
      expect((await dev.ask({ path: '/oauth/introspect', form })).statusCode).toBe(401);
    }
  });

  it('are signed with keys that no other tenant publishes', async () => {
    const kids = async (tenant: WorldTenant): Promise<string[]> =>
      (await world.request({ path: '/.well-known/jwks.json', tenant }))
        .json()
        .keys.map(({ kid }: { kid: string }) => kid);
    const [own, foreign] = [await kids(world.main), await kids(acme)];
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter((kid) => foreign.includes(kid))).toEqual([]);
  });
});

describe('these tests', () => {
  it('asked every route that takes a client, a code or a token', () => {
    expect(dev.unasked(CREDENTIAL_ROUTES.filter((route) => !BROWSER_ROUTES.includes(route)))).toEqual([]);
  });
});

async function tokensOf(
  tenant: WorldTenant,
  parameters: Readonly<Record<string, string>>,
): Promise<{ access_token: string; refresh_token: string; id_token: string }> {
  const form = { grant_type: 'password', ...tenant.password_client, ...loginOf(tenant), ...parameters };
  return (await world.token(form, tenant)).json();
}
