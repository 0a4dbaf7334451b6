import type { Request } from 'express';
import {
  auth,
  type ConfigParams,
  requiresAuth,
  type SessionStore,
  type SessionStorePayload,
} from 'express-openid-connect';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { startApi } from './api-application.ts';
import { type ExpressApplication, startExpress } from './express-application.ts';
import { createFetchBrowser } from './fetch-browser.ts';
import { type Application, registerApplication } from './register-application.ts';
import { trustAuthority } from './trust-authority.ts';

let server: ServerProcess;
let api: ExpressApplication;
let application: ExpressApplication;
let client: Application;
beforeAll(async () => {
  server = await startServerProcess();
  trustAuthority(server.caFile);
  api = await startApi(server);
  client = await registerApplication(server, {
    name: 'Shop',
    app_type: 'regular_web',
    grant_types: ['authorization_code', 'implicit', 'refresh_token'],
  });
});
afterEach(() => application?.close());
afterAll(async () => {
  await api?.close();
  await server?.stop();
});

describe('express-openid-connect 3', () => {
  it('logs in with a code, calls an API, renews the token, and logs out here and there', async () => {
    application = await startShop({
      clientSecret: client.clientSecret,
      authorizationParams: {
        response_type: 'code',
        scope: 'openid profile email offline_access read:items',
        audience: server.firstRun.api.identifier,
      },
    });
    const browser = createFetchBrowser(server.origin, application.origin);
    const { email } = server.firstRun.user;
    const home = await browser.logIn(at('/profile'), server.firstRun.user);
    expect(JSON.parse(home.body)).toMatchObject({ email, email_verified: true });
    expect(JSON.parse((await browser.open(at('/items'))).body)).toMatchObject({ status: 200, scope: scopeWithItems() });
    expect(JSON.parse((await browser.open(at('/renew'))).body)).toEqual({ renewed: true, status: 200 });
    const left = await browser.open(at('/logout'));
    expect(left.url.href).toBe(`${application.origin}/`);
    expect((await browser.open(at('/profile'))).url.pathname).toBe('/u/login');
  });

  it('ends its session where the user logs out at the server, over its own back-channel handler', async () => {
    application = await startShop({ clientSecret: client.clientSecret, backchannelLogout: { store: memory() } });
    await client.update({ oidc_logout: { backchannel_logout_urls: [`${application.origin}/backchannel-logout`] } });
    const browser = createFetchBrowser(server.origin, application.origin);
    expect((await browser.logIn(at('/profile'), server.firstRun.user)).status).toBe(200);
    expect((await browser.open(at('/profile'))).url.href).toBe(at('/profile').href);
    await browser.open(new URL('/v2/logout', server.origin));
    await expect.poll(async () => (await browser.open(at('/profile'))).url.pathname).toBe('/u/login');
    expect((await browser.logIn(at('/profile'), server.firstRun.user)).status).toBe(200);
  });

  it('logs in as it comes: an ID token in a form, without a secret', async () => {
    application = await startShop({});
    const browser = createFetchBrowser(server.origin, application.origin);
    const home = await browser.logIn(at('/profile'), server.firstRun.user);
    expect(home.status).toBe(200);
    expect(JSON.parse(home.body)).toMatchObject({ email: server.firstRun.user.email, nickname: expect.any(String) });
  });

  it('logs in with code id_token, too', async () => {
    application = await startShop({
      clientSecret: client.clientSecret,
      authorizationParams: { response_type: 'code id_token', response_mode: 'form_post', scope: 'openid email' },
    });
    const browser = createFetchBrowser(server.origin, application.origin);
    const home = await browser.logIn(at('/profile'), server.firstRun.user);
    expect(JSON.parse(home.body)).toMatchObject({ email: server.firstRun.user.email });
  });

  it('tells the application why a login was refused', async () => {
    application = await startShop({
      clientSecret: client.clientSecret,
      authorizationParams: { response_type: 'code', prompt: 'none' },
    });
    const browser = createFetchBrowser(server.origin, application.origin);
    const refused = await browser.open(at('/profile'));
    expect(refused.url.searchParams.get('error')).toBe('login_required');
    expect(refused.status).toBe(400);
  });
});

describe('express-oauth2-jwt-bearer 1', () => {
  it('refuses a token of another audience, a tampered one and none', async () => {
    const { origin } = api;
    expect((await fetch(`${origin}/items`)).status).toBe(401);
    const { access_token: foreign = '' } = await managementToken();
    expect((await fetch(`${origin}/items`, { headers: { authorization: `Bearer ${foreign}` } })).status).toBe(401);
    expect((await fetch(`${origin}/items`, { headers: { authorization: `Bearer ${foreign}x` } })).status).toBe(401);
  });
});

const at = (path: string) => new URL(path, application.origin);
const scopeWithItems = () => expect.stringContaining('read:items');

async function startShop(options: ConfigParams): Promise<ExpressApplication> {
  const started = await startExpress((app, origin) => {
    app.use(
      auth({
        issuerBaseURL: server.origin,
        baseURL: origin,
        clientID: client.clientId,
        secret: 'a secret of the application alone',
        authRequired: false,
        idpLogout: true,
        ...options,
      }),
    );
    app.get('/profile', requiresAuth(), (request, response) => response.json(request.oidc.user));
    app.get('/items', requiresAuth(), async (request, response) => response.json(await items(request)));
    app.get('/renew', requiresAuth(), async (request, response) => {
      const before = request.oidc.accessToken?.access_token;
      const after = await request.oidc.accessToken?.refresh();
      response.json({ renewed: after?.access_token !== before, status: (await items(request)).status });
    });
    app.get('/', (_request, response) => response.send('Welcome'));
  });
  await client.update({
    callbacks: [`${started.origin}/callback`],
    allowed_logout_urls: [started.origin],
  });
  return started;
}

/** What the SDK notes logouts in: any store of express-session would do. */
function memory(): SessionStore<Pick<SessionStorePayload, 'cookie'>> {
  const entries = new Map<string, SessionStorePayload<Pick<SessionStorePayload, 'cookie'>>>();
  return {
    get: (id, done) => done(null, entries.get(id)),
    set(id, entry, done) {
      entries.set(id, entry);
      done?.();
    },
    destroy(id, done) {
      entries.delete(id);
      done?.();
    },
  };
}

async function items(request: Request): Promise<{ status: number; scope?: unknown }> {
  const { access_token: token } = request.oidc.accessToken ?? {};
  const response = await fetch(`${api.origin}/items`, { headers: { authorization: `Bearer ${token}` } });
  const { scope } = (await response.json()) as { scope?: unknown };
  return { status: response.status, scope };
}

async function managementToken(): Promise<{ access_token?: string }> {
  const { client_id, client_secret, audience } = server.firstRun.management;
  const response = await fetch(`${server.origin}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret, audience }),
  });
  return (await response.json()) as { access_token?: string };
}
