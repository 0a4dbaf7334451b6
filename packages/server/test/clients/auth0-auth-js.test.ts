import { AuthClient } from '@auth0/auth0-auth-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { createFetchBrowser } from './fetch-browser.ts';
import { type Application, managementOf, registerApplication } from './register-application.ts';
import { trustAuthority } from './trust-authority.ts';

const CALLBACK = 'http://localhost:5555/callback';
const GOODBYE = 'http://localhost:5555/goodbye';

let server: ServerProcess;
let client: Application;
let auth: AuthClient;
beforeAll(async () => {
  server = await startServerProcess();
  trustAuthority(server.caFile);
  client = await registerApplication(server, {
    name: 'Service',
    app_type: 'regular_web',
    grant_types: [
      'authorization_code',
      'refresh_token',
      'password',
      'http://auth0.com/oauth/grant-type/password-realm',
    ],
    callbacks: [CALLBACK],
    allowed_logout_urls: [GOODBYE],
  });
  // Before the first discovery, which the library keeps.
  await managementOf(server).tenants.settings.update({ pushed_authorization_requests_supported: true });
  const { clientId, clientSecret } = client;
  const authorizationParams = { redirect_uri: CALLBACK, scope: 'openid profile email offline_access' };
  auth = new AuthClient({ domain: new URL(server.origin).host, clientId, clientSecret, authorizationParams });
});
afterAll(() => server?.stop());

describe('@auth0/auth0-auth-js 1', () => {
  it('logs in with a code, calls an API, renews, and logs out', async () => {
    const browser = createFetchBrowser(server.origin);
    const { authorizationUrl, codeVerifier } = await auth.buildAuthorizationUrl();
    const { url } = await browser.logIn(authorizationUrl, server.firstRun.user);
    const tokens = await auth.getTokenByCode(url, { codeVerifier });
    expect(tokens.claims).toMatchObject({ email: server.firstRun.user.email });
    const renewed = await auth.getTokenByRefreshToken({ refreshToken: tokens.refreshToken ?? '' });
    const profile = await fetch(`${server.origin}/userinfo`, {
      headers: { authorization: `Bearer ${renewed.accessToken}` },
    });
    expect(profile.status).toBe(200);
    // The library sends no id_token_hint: the user is asked.
    const question = await browser.open(await auth.buildLogoutUrl({ returnTo: GOODBYE }));
    const goodbye = await browser.submit(question, { action: 'accept' });
    expect(goodbye.url.href).toBe(GOODBYE);
    const { authorizationUrl: again } = await auth.buildAuthorizationUrl();
    expect((await browser.open(again)).url.pathname).toBe('/u/login');
  });

  it('pushes its request, and is answered as ever', async () => {
    const browser = createFetchBrowser(server.origin);
    const { authorizationUrl, codeVerifier } = await auth.buildAuthorizationUrl({
      pushedAuthorizationRequests: true,
    });
    expect([...authorizationUrl.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
    const { url } = await browser.logIn(authorizationUrl, server.firstRun.user);
    expect((await auth.getTokenByCode(url, { codeVerifier })).claims).toMatchObject({ sub: expect.any(String) });
  });

  it('logs in with a password and gets a machine token', async () => {
    const { email: username, password } = server.firstRun.user;
    const tokens = await auth.getTokenByPassword({ username, password, realm: server.firstRun.connection });
    expect(tokens.accessToken).toEqual(expect.any(String));
    await expect(auth.getTokenByPassword({ username, password: 'wrong' })).rejects.toMatchObject({
      cause: { error: 'invalid_grant', error_description: 'Wrong email or password.' },
    });
  });
});
