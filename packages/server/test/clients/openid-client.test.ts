import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { ManagementClient } from 'auth0';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { createFetchBrowser, type FetchBrowser } from './fetch-browser.ts';
import { trustAuthority } from './trust-authority.ts';

const CALLBACK = 'http://localhost:5555/callback';
const SCOPE = 'openid profile email offline_access';

let server: ServerProcess;
let auth0: ManagementClient;
/** The single-page application: public, so that PKCE is its only proof. */
let spa: openid.Configuration;
beforeAll(async () => {
  server = await startServerProcess();
  trustAuthority(server.caFile);
  const { client_id: clientId, client_secret: clientSecret } = server.firstRun.management;
  auth0 = new ManagementClient({ domain: new URL(server.origin).host, clientId, clientSecret });
  spa = await discover(server.firstRun.spa_client.client_id, openid.None());
});
afterAll(() => server?.stop());

describe('openid-client 6', () => {
  it('accepts the discovery document, and that of the http origin with its own issuer', async () => {
    expect(spa.serverMetadata()).toMatchObject({
      issuer: `${server.origin}/`,
      authorization_response_iss_parameter_supported: true,
    });
    expect(spa.serverMetadata().supportsPKCE()).toBe(true);
    const clientId = server.firstRun.spa_client.client_id;
    const execute = [openid.allowInsecureRequests];
    const plain = await openid.discovery(new URL(server.httpOrigin), clientId, undefined, openid.None(), { execute });
    expect(plain.serverMetadata().issuer).toBe(`${server.httpOrigin}/`);
  });

  it('goes from PKCE and nonce to tokens, userinfo, a refresh and a revocation', async () => {
    const tokens = await logIn(createFetchBrowser(server.origin), { audience: server.firstRun.api.identifier });
    const { sub = '' } = tokens.claims() ?? {};
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 86_400 });
    const profile = await openid.fetchUserInfo(spa, tokens.access_token, sub);
    expect(profile).toMatchObject({ sub, email: server.firstRun.user.email, email_verified: true });
    const renewed = await openid.refreshTokenGrant(spa, tokens.refresh_token ?? '');
    expect(renewed.claims()).toMatchObject({ sub });
    expect(renewed.refresh_token).not.toBe(tokens.refresh_token);
    await openid.tokenRevocation(spa, renewed.refresh_token ?? '');
    await expect(openid.refreshTokenGrant(spa, renewed.refresh_token ?? '')).rejects.toMatchObject({
      status: 403,
      error: 'invalid_grant',
    });
  });

  it('refuses an ID token with the nonce of another login, and is refused with another verifier', async () => {
    const browser = createFetchBrowser(server.origin);
    await expect(logIn(browser, {}, { expectedNonce: 'another' })).rejects.toMatchObject({
      cause: { message: expect.stringContaining('nonce') },
    });
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    await expect(logIn(browser, {}, { pkceCodeVerifier })).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('gets auth_time with max_age, and a login page where the login is older', async () => {
    const browser = createFetchBrowser(server.origin);
    const first = await logIn(browser, { max_age: '3600' }, { maxAge: 3600 });
    expect(first.claims()).toMatchObject({ auth_time: expect.any(Number) });
    const { url } = await authorizationUrl({ max_age: '3600' });
    expect((await browser.open(url)).url.origin).toBe(new URL(CALLBACK).origin);
    const { url: strict } = await authorizationUrl({ max_age: '0' });
    expect((await browser.open(strict)).url.pathname).toBe('/u/login');
    const again = await logIn(browser, { max_age: '0' }, { maxAge: 0 });
    expect(again.claims()?.sub).toBe(first.claims()?.sub);
  });

  it('is answered without a page by prompt=none: with a code, or with login_required', async () => {
    const browser = createFetchBrowser(server.origin);
    const stranger = createFetchBrowser(server.origin);
    await expect(logIn(stranger, { prompt: 'none' })).rejects.toMatchObject({
      code: 'OAUTH_AUTHORIZATION_RESPONSE_ERROR',
      error: 'login_required',
    });
    const tokens = await logIn(browser);
    const silent = await logIn(browser, { prompt: 'none', id_token_hint: tokens.id_token ?? '' });
    expect(silent.claims()?.sub).toBe(tokens.claims()?.sub);
  });

  it('shows the login page again with prompt=login', async () => {
    const browser = createFetchBrowser(server.origin);
    await logIn(browser);
    const { url } = await authorizationUrl({ prompt: 'login' });
    expect((await browser.open(url)).url.pathname).toBe('/u/login');
  });
});

describe('the device flow of openid-client 6', () => {
  it('waits for the user, slows down when told so, and gets tokens', async () => {
    const { client_id: clientId = '' } = await auth0.clients.create({
      name: 'Television',
      app_type: 'native',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
    });
    await auth0.connections.clients.update(await directoryId(), [{ client_id: clientId, status: true }]);
    const television = await discover(clientId, openid.None());
    const begun = await openid.initiateDeviceAuthorization(television, { scope: 'openid email' });
    const browser = createFetchBrowser(server.origin);
    // Faster than it may: the first answer is to wait, the next one to wait longer.
    const polling = openid.pollDeviceAuthorizationGrant(television, { ...begun, interval: 1 });
    const confirmation = await browser.open(new URL(begun.verification_uri_complete ?? ''));
    expect(confirmation.body).toContain(begun.user_code);
    const login = await browser.submit(confirmation, { action: 'confirm' });
    const { email: username, password } = server.firstRun.user;
    expect((await browser.submit(login, { username, password })).url.pathname).toBe('/activate/success');
    expect((await polling).claims()).toMatchObject({ email: username, aud: clientId });
    const again = { ...begun, interval: 0 };
    await expect(openid.pollDeviceAuthorizationGrant(television, again)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  it('is told that the user said no', async () => {
    const { client_id: clientId = '' } = await auth0.clients.create({
      name: 'Console',
      app_type: 'native',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
    });
    const console = await discover(clientId, openid.None());
    const begun = await openid.initiateDeviceAuthorization(console, {});
    const browser = createFetchBrowser(server.origin);
    const confirmation = await browser.open(new URL(begun.verification_uri_complete ?? ''));
    expect((await browser.submit(confirmation, { action: 'cancel' })).url.pathname).toBe('/activate/failure');
    await expect(openid.pollDeviceAuthorizationGrant(console, { ...begun, interval: 0 })).rejects.toMatchObject({
      error: 'access_denied',
    });
  });
});

describe('client credentials of openid-client 6', () => {
  it.each([
    ['client_secret_post', openid.ClientSecretPost, { status: 401, error: 'access_denied' }],
    // RFC 6749 section 5.2: who tried by the Authorization header is answered with a challenge.
    ['client_secret_basic', openid.ClientSecretBasic, { status: 401, cause: [{ scheme: 'basic' }] }],
  ] as const)('come by %s, and by no other secret', async (method, prove, refusal) => {
    const { clientId, secret } = await machine({ token_endpoint_auth_method: method });
    await expectToken(await discover(clientId, prove(secret)));
    await expect(credentials(await discover(clientId, prove('wrong')))).rejects.toMatchObject(refusal);
  });

  it.each(['RS256', 'PS256'])('come by private_key_jwt with %s', async (alg) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const { clientId } = await machine({
      client_authentication_methods: {
        private_key_jwt: { credentials: [{ credential_type: 'public_key', pem, alg }] },
      },
    });
    const key = await signingKey(privateKey, alg === 'PS256' ? 'RSA-PSS' : undefined);
    await expectToken(await discover(clientId, openid.PrivateKeyJwt(key)));
  });
});

describe('requests and answers of openid-client 6', () => {
  let configuration: openid.Configuration;
  /** Response types stick to a configuration: who changes them takes one of their own. */
  let anotherConfiguration: () => Promise<openid.Configuration>;
  let key: CryptoKey;
  beforeAll(async () => {
    await auth0.tenants.settings.update({ pushed_authorization_requests_supported: true });
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    key = await signingKey(privateKey);
    const { client_id = '', client_secret = '' } = await auth0.clients.create({
      name: 'Web',
      app_type: 'regular_web',
      callbacks: [CALLBACK],
      grant_types: ['authorization_code', 'implicit'],
      token_endpoint_auth_method: 'client_secret_post',
      signed_request_object: { credentials: [{ credential_type: 'public_key', pem, alg: 'RS256' }] },
    });
    const directory = await auth0.connections.list({ name: server.firstRun.connection });
    for await (const { id = '' } of directory)
      await auth0.connections.clients.update(id, [{ client_id, status: true }]);
    anotherConfiguration = () => discover(client_id, openid.ClientSecretPost(client_secret));
    configuration = await anotherConfiguration();
  });

  it('are pushed', async () => {
    await expectLogin((parameters) => openid.buildAuthorizationUrlWithPAR(configuration, parameters));
  });

  it('are signed', async () => {
    await expectLogin((parameters) => openid.buildAuthorizationUrlWithJAR(configuration, parameters, key));
  });

  it('are signed and pushed', async () => {
    await expectLogin(async (parameters) => {
      const { searchParams } = await openid.buildAuthorizationUrlWithJAR(configuration, parameters, key);
      return openid.buildAuthorizationUrlWithPAR(configuration, { request: searchParams.get('request') ?? '' });
    });
  });

  it('are hybrid: a code beside an ID token that names it', async () => {
    const hybrid = await anotherConfiguration();
    openid.useCodeIdTokenResponseType(hybrid);
    await expectLogin(async (parameters) => openid.buildAuthorizationUrl(hybrid, parameters), hybrid);
  });

  it('are implicit: an ID token alone', async () => {
    const implicit = await anotherConfiguration();
    openid.useIdTokenResponseType(implicit);
    const [state, nonce] = [openid.randomState(), openid.randomNonce()];
    const url = openid.buildAuthorizationUrl(implicit, { redirect_uri: CALLBACK, scope: 'openid email', state, nonce });
    const arrival = await createFetchBrowser(server.origin).logIn(url, server.firstRun.user);
    const claims = await openid.implicitAuthentication(implicit, arrival.url, nonce, { expectedState: state });
    expect(claims).toMatchObject({ email: server.firstRun.user.email });
  });

  async function expectLogin(
    build: (parameters: Record<string, string>) => Promise<URL>,
    as: openid.Configuration = configuration,
  ): Promise<void> {
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const [expectedState, expectedNonce] = [openid.randomState(), openid.randomNonce()];
    const url = await build({
      redirect_uri: CALLBACK,
      scope: 'openid email',
      state: expectedState,
      nonce: expectedNonce,
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    });
    const arrival = await createFetchBrowser(server.origin).logIn(url, server.firstRun.user);
    const checks = { pkceCodeVerifier, expectedState, expectedNonce };
    const tokens = await openid.authorizationCodeGrant(as, arrival.url, checks);
    expect(tokens.claims()).toMatchObject({ email: server.firstRun.user.email });
  }
});

async function signingKey(privateKey: KeyObject, name = 'RSASSA-PKCS1-v1_5'): Promise<CryptoKey> {
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  return crypto.subtle.importKey('pkcs8', der, { name, hash: 'SHA-256' }, false, ['sign']);
}

async function directoryId(): Promise<string> {
  const { data } = await auth0.connections.list({ name: server.firstRun.connection });
  return data[0]?.id ?? '';
}

function discover(clientId: string, authentication: openid.ClientAuth): Promise<openid.Configuration> {
  return openid.discovery(new URL(server.origin), clientId, undefined, authentication);
}

async function authorizationUrl(parameters: Readonly<Record<string, string>> = {}) {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [openid.randomState(), openid.randomNonce()];
  const url = openid.buildAuthorizationUrl(spa, {
    redirect_uri: CALLBACK,
    scope: SCOPE,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...parameters,
  });
  return { url, checks: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true } };
}

async function logIn(
  browser: FetchBrowser,
  parameters: Readonly<Record<string, string>> = {},
  otherChecks: openid.AuthorizationCodeGrantChecks = {},
) {
  const { url, checks } = await authorizationUrl(parameters);
  const arrival = await browser.logIn(url, server.firstRun.user);
  return openid.authorizationCodeGrant(spa, arrival.url, { ...checks, ...otherChecks });
}

async function machine(settings: object): Promise<{ clientId: string; secret: string }> {
  const { identifier: audience, scopes } = server.firstRun.api;
  const { client_id: clientId = '', client_secret: secret = '' } = await auth0.clients.create({
    name: 'Machine',
    app_type: 'non_interactive',
    grant_types: ['client_credentials'],
    ...settings,
  });
  await auth0.clientGrants.create({ client_id: clientId, audience, scope: [...scopes] });
  return { clientId, secret };
}

function credentials(configuration: openid.Configuration) {
  return openid.clientCredentialsGrant(configuration, { audience: server.firstRun.api.identifier });
}

async function expectToken(configuration: openid.Configuration): Promise<void> {
  expect(await credentials(configuration)).toMatchObject({
    token_type: 'bearer',
    expires_in: 86_400,
    scope: 'read:items write:items',
  });
}
