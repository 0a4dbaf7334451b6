import { ManagementClient } from 'auth0';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { createFetchBrowser, formOf } from './fetch-browser.ts';
import { trustAuthority } from './trust-authority.ts';

const CALLBACK = 'http://localhost:5555/callback';
const AUDIENCE = 'https://rfc9068.test/';

let server: ServerProcess;
let issuer: oauth.AuthorizationServer;
let client: oauth.Client;
beforeAll(async () => {
  server = await startServerProcess();
  trustAuthority(server.caFile);
  client = { client_id: server.firstRun.spa_client.client_id };
  const url = new URL(server.origin);
  issuer = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url));
});
afterAll(() => server?.stop());

describe('oauth4webapi 3', () => {
  it.each(['oidc', 'oauth2'] as const)('accepts the metadata of %s', async (algorithm) => {
    const url = new URL(server.origin);
    const found = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm }));
    expect(found).toMatchObject({
      issuer: `${server.origin}/`,
      authorization_response_iss_parameter_supported: true,
      code_challenge_methods_supported: ['S256'],
    });
  });

  it.each(['query', 'form_post'] as const)('accepts every answer of a login with response mode %s', async (mode) => {
    const asked = await begin({ response_mode: mode, max_age: '3600' });
    const arrival = await createFetchBrowser(server.origin).logIn(asked.url, server.firstRun.user);
    const answer = mode === 'query' ? arrival.url.searchParams : postedTo(CALLBACK, arrival.body);
    expect(answer.get('iss')).toBe(`${server.origin}/`);
    const parameters = oauth.validateAuthResponse(issuer, client, answer, asked.state);
    const response = await redeem(parameters, asked.verifier);
    const tokens = await oauth.processAuthorizationCodeResponse(issuer, client, response, {
      expectedNonce: asked.nonce,
      maxAge: 3600,
      requireIdToken: true,
    });
    await oauth.validateApplicationLevelSignature(issuer, response);
    const { sub = '' } = oauth.getValidatedIdTokenClaims(tokens) ?? {};
    const userinfo = await oauth.userInfoRequest(issuer, client, tokens.access_token);
    expect(await oauth.processUserInfoResponse(issuer, client, sub, userinfo)).toMatchObject({
      email: server.firstRun.user.email,
    });
    const refreshed = await oauth.refreshTokenGrantRequest(issuer, client, oauth.None(), tokens.refresh_token ?? '');
    const renewed = await oauth.processRefreshTokenResponse(issuer, client, refreshed);
    expect(oauth.getValidatedIdTokenClaims(renewed)?.sub).toBe(sub);
    const revoked = await oauth.revocationRequest(issuer, client, oauth.None(), renewed.refresh_token ?? '');
    await expect(oauth.processRevocationResponse(revoked)).resolves.toBeUndefined();
  });

  it('takes an answer of another issuer, of another state or without issuer for an attack', async () => {
    const asked = await begin({});
    const arrival = await createFetchBrowser(server.origin).logIn(asked.url, server.firstRun.user);
    const check = (change: (answer: URLSearchParams) => void, state = asked.state) => {
      const answer = new URLSearchParams(arrival.url.searchParams);
      change(answer);
      return () => oauth.validateAuthResponse(issuer, client, answer, state);
    };
    expect(check(() => {})).not.toThrow();
    expect(check((answer) => answer.set('iss', `${server.httpOrigin}/`))).toThrow(/"iss"/);
    expect(check((answer) => answer.delete('iss'))).toThrow(/"iss"/);
    expect(check(() => {}, 'another')).toThrow(/"state"/);
  });

  it('is told of an error by the same rules, iss and state included', async () => {
    const asked = await begin({ prompt: 'none' });
    const { url } = await createFetchBrowser(server.origin).open(asked.url);
    expect(url.searchParams.get('iss')).toBe(`${server.origin}/`);
    expect(() => oauth.validateAuthResponse(issuer, client, url, asked.state)).toThrow(
      oauth.AuthorizationResponseError,
    );
  });

  it('accepts an access token of the RFC 9068 profile at an API', async () => {
    const { client_id: clientId, client_secret: clientSecret } = server.firstRun.management;
    const auth0 = new ManagementClient({ domain: new URL(server.origin).host, clientId, clientSecret });
    await auth0.resourceServers.create({ identifier: AUDIENCE, token_dialect: 'rfc9068_profile' });
    const asked = await begin({ audience: AUDIENCE });
    const arrival = await createFetchBrowser(server.origin).logIn(asked.url, server.firstRun.user);
    const parameters = oauth.validateAuthResponse(issuer, client, arrival.url, asked.state);
    const response = await redeem(parameters, asked.verifier);
    const options = { expectedNonce: asked.nonce };
    const tokens = await oauth.processAuthorizationCodeResponse(issuer, client, response, options);
    const request = new Request('https://api.test/', { headers: { authorization: `Bearer ${tokens.access_token}` } });
    const claims = await oauth.validateJwtAccessToken(issuer, request, AUDIENCE);
    expect(claims).toMatchObject({ client_id: client.client_id, iss: issuer.issuer });
    await expect(oauth.validateJwtAccessToken(issuer, request, 'https://other.test/')).rejects.toThrow();
  });
});

async function begin(parameters: Readonly<Record<string, string>>) {
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const url = new URL(issuer.authorization_endpoint ?? '');
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: CALLBACK,
    scope: 'openid profile email offline_access',
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...parameters,
  }).toString();
  return { url, verifier, state, nonce };
}

function redeem(parameters: URLSearchParams, verifier: string): Promise<Response> {
  return oauth.authorizationCodeGrantRequest(issuer, client, oauth.None(), parameters, CALLBACK, verifier);
}

/** What a browser would post when it submits the page. */
function postedTo(address: string, page: string): URLSearchParams {
  const { action, fields } = formOf(page);
  expect(action).toBe(address);
  return fields;
}
