import { generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEVICE_GRANT } from '../../src/oauth/device/device-code.ts';
import { createCertificate, type TestCertificate } from '../client-certificates.ts';
import { createTestClient } from '../protocol.ts';
import { CALLBACK, type Visitor } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';
import { type Application, basic, createApplication, redeem, tokensOf, userinfo } from './code-flow.ts';

let world: World;
let browser: Visitor;
let document: Record<string, unknown>;
beforeAll(async () => {
  world = await startWorld();
  browser = world.visitor();
  await browser.logIn();
  document = (await world.request({ path: '/.well-known/openid-configuration' })).json();
});
afterAll(() => world.stop());

const listed = (name: string): string[] => {
  const value = document[name];
  return Array.isArray(value) ? value : expect.unreachable(`${name} is no list.`);
};
const API = 'https://api.example.com/';

describe('the discovery document', () => {
  it('is the same under both names, public, cacheable and readable from any page', async () => {
    const other = await world.request({ path: '/.well-known/oauth-authorization-server' });
    expect(other.json()).toEqual(document);
    expect(other.headers['content-type']).toMatch(/^application\/json/);
    expect(other.headers['access-control-allow-origin']).toBe('*');
    expect(other.headers['cache-control']).toMatch(/max-age=\d+/);
    const head = await world.request({ method: 'HEAD', path: '/.well-known/openid-configuration' });
    expect([head.statusCode, head.body]).toEqual([200, '']);
  });

  it('has the members that OpenID Connect Discovery requires', () => {
    const required = ['issuer', 'authorization_endpoint', 'token_endpoint', 'jwks_uri', 'response_types_supported'];
    for (const name of [...required, 'subject_types_supported', 'id_token_signing_alg_values_supported'])
      expect(document).toHaveProperty(name);
    expect(listed('id_token_signing_alg_values_supported')).toContain('RS256');
    expect(listed('scopes_supported')).toContain('openid');
  });

  it('names endpoints of the origin that was asked, and each one is there', async () => {
    const endpoints = Object.entries(document).filter(([name]) => /_endpoint$|_uri$/.test(name));
    expect(endpoints.map(([name]) => name).sort()).toEqual([
      'authorization_endpoint',
      'device_authorization_endpoint',
      'end_session_endpoint',
      'introspection_endpoint',
      'jwks_uri',
      'revocation_endpoint',
      'token_endpoint',
      'userinfo_endpoint',
    ]);
    for (const [name, url] of endpoints) {
      const { origin, pathname } = new URL(String(url));
      expect(origin).toBe(world.origin);
      const method = /token|revocation|introspection|device/.test(name) ? 'POST' : 'GET';
      expect([name, (await world.request({ method, path: pathname })).statusCode]).not.toEqual([name, 404]);
    }
    const plain = await world.request({
      path: '/.well-known/openid-configuration',
      tenant: { origin: 'http://localhost:3000' },
    });
    expect(plain.json()).toMatchObject({
      issuer: 'http://localhost:3000/',
      jwks_uri: 'http://localhost:3000/.well-known/jwks.json',
    });
  });

  it.each(['/oidc/register', '/bc-authorize', '/mfa/challenge'])(
    'keeps quiet about %s, which is not built',
    async (path) => {
      expect(JSON.stringify(document)).not.toContain(path);
      for (const method of ['GET', 'POST'] as const)
        expect((await world.request({ method, path })).statusCode).toBe(404);
    },
  );

  it('denies what is not supported, and it is not', async () => {
    for (const name of ['claims_parameter_supported', 'request_uri_parameter_supported'])
      expect(document[name]).toBe(false);
    const request_uri = 'https://client.example/request.jwt';
    expect((await browser.authorize({ request_uri })).answer?.get('error')).toBe('request_uri_not_supported');
    // Until a tenant opens it.
    expect(JSON.stringify(document)).not.toContain('/oauth/par');
  });
});

describe('every value that discovery lists works', () => {
  it('response_types_supported', async () => {
    const { client_id } = await createApplication(world, {
      app_type: 'spa',
      callbacks: [CALLBACK],
      grant_types: ['authorization_code', 'implicit'],
    });
    for (const response_type of listed('response_types_supported')) {
      const { answer } = await browser.authorize({ client_id, response_type, nonce: 'n' });
      const words = { code: 'code', token: 'access_token', id_token: 'id_token' };
      for (const [word, name] of Object.entries(words))
        expect([response_type, name, answer?.has(name)]).toEqual([
          response_type,
          name,
          response_type.split(' ').includes(word),
        ]);
    }
  });

  it('response_modes_supported', async () => {
    for (const response_mode of listed('response_modes_supported')) {
      const { response } = await browser.authorize({ response_mode });
      expect(`${response.headers.location ?? ''}${response.body}`).toMatch(/code=|name="code"/);
    }
    for (const response_mode of ['jwt', 'query.jwt', 'none'])
      expect((await browser.authorize({ response_mode })).answer?.get('error')).toBe('invalid_request');
  });

  it('request_object_signing_alg_values_supported', async () => {
    expect(document.request_parameter_supported).toBe(true);
    for (const alg of listed('request_object_signing_alg_values_supported')) {
      const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const pem = publicKey.export({ type: 'spki', format: 'pem' });
      const credentials = [{ credential_type: 'public_key', pem, alg }];
      const { client_id } = await createApplication(world, {
        app_type: 'regular_web',
        callbacks: [CALLBACK],
        signed_request_object: { credentials },
      });
      const request = await new SignJWT({ client_id, response_type: 'code', redirect_uri: CALLBACK })
        .setProtectedHeader({ alg, typ: 'oauth-authz-req+jwt' })
        .setIssuer(client_id)
        .setAudience(world.issuer)
        .setIssuedAt(world.now())
        .sign(privateKey);
      expect([alg, (await browser.authorize({ client_id, request })).answer?.has('code')]).toEqual([alg, true]);
    }
  });

  it('code_challenge_methods_supported, and no other', async () => {
    for (const code_challenge_method of [...listed('code_challenge_methods_supported'), 'plain', 'S512']) {
      const { answer } = await browser.authorize({ code_challenge_method });
      expect([code_challenge_method, answer?.has('code')]).toEqual([
        code_challenge_method,
        code_challenge_method === 'S256',
      ]);
    }
  });

  it('grant_types_supported', async () => {
    const login = await world.visitor().logIn();
    const { refresh_token } = await tokensOf(world);
    const { client_id } = world.spa_client;
    const user = { username: world.user.email, password: world.user.password };
    const requests: Record<string, Record<string, string>> = {
      authorization_code: { client_id, code: login.code, code_verifier: login.verifier, redirect_uri: CALLBACK },
      client_credentials: { ...world.password_client, audience: API },
      password: { ...world.password_client, ...user },
      'http://auth0.com/oauth/grant-type/password-realm': {
        ...world.password_client,
        ...user,
        realm: world.connection,
      },
      refresh_token: { client_id, refresh_token },
      [DEVICE_GRANT]: await confirmedDevice(),
    };
    // Implicit has no request at the token endpoint: response_types_supported proves it.
    expect(listed('grant_types_supported').sort()).toEqual([...Object.keys(requests), 'implicit'].sort());
    for (const [grant_type, form] of Object.entries(requests))
      expect([grant_type, (await world.token({ grant_type, ...form })).statusCode]).toEqual([grant_type, 200]);
  });

  /** What a device sends whose user has let it in. */
  async function confirmedDevice(): Promise<Record<string, string>> {
    const device = await createTestClient(world, { app_type: 'native', grant_types: [DEVICE_GRANT] });
    const { client_id } = device;
    const begun = (await world.request({ path: '/oauth/device/code', form: { client_id } })).json();
    const visitor = world.visitor();
    await visitor.logIn();
    await visitor.submit(await visitor.get(`/activate?user_code=${begun.user_code}`), { action: 'confirm' });
    return { client_id, device_code: begun.device_code };
  }

  it('scopes_supported', async () => {
    const scope = listed('scopes_supported').join(' ');
    expect((await tokensOf(world, { scope })).scope.split(' ').sort()).toEqual(scope.split(' ').sort());
  });

  it('claims_supported', async () => {
    const ada = {
      email: 'ada@example.com',
      password: 'Analytical-Engine-1843',
      given_name: 'Ada',
      family_name: 'Lovelace',
      phone_number: '+41791234567',
    };
    const created = await world.api().post('/users', { connection: world.connection, ...ada });
    expect(created.statusCode).toBe(201);
    const login = await world.visitor().logIn({
      parameters: { scope: listed('scopes_supported').join(' ') },
      username: ada.email,
      password: ada.password,
    });
    const { access_token, id_token } = (await redeem(world, login)).json();
    const inToken: Record<string, unknown> = JSON.parse(Buffer.from(id_token.split('.')[1], 'base64url').toString());
    const claims = { ...inToken, ...(await userinfo(world, access_token)).json() };
    expect(listed('claims_supported').filter((name) => !(name in claims))).toEqual([]);
  });

  it('token_endpoint_auth_methods_supported', async () => {
    const form = { grant_type: 'client_credentials', audience: API };
    const { client_id } = world.spa_client;
    const passes: Record<string, () => Promise<{ statusCode: number }>> = {
      client_secret_basic: async () => world.request({ path: '/oauth/token', headers: basic(await machine()), form }),
      client_secret_post: async () => world.token({ ...form, ...(await machine()) }),
      private_key_jwt: () => assert('RS256'),
      none: async () =>
        world.token({ grant_type: 'refresh_token', client_id, refresh_token: (await tokensOf(world)).refresh_token }),
      tls_client_auth: async () => {
        const credential = { credential_type: 'cert_subject_dn', subject_dn: 'CN=client' };
        return showing(await machine(withMethod('tls_client_auth', credential)), certificate);
      },
      self_signed_tls_client_auth: async () => {
        const credential = { credential_type: 'x509_cert', pem: certificate.pem };
        return showing(await machine(withMethod('self_signed_tls_client_auth', credential)), certificate);
      },
    };
    expect(listed('token_endpoint_auth_methods_supported').sort()).toEqual(Object.keys(passes).sort());
    for (const [method, pass] of Object.entries(passes))
      expect([method, (await pass()).statusCode]).toEqual([method, 200]);
  });

  it('token_endpoint_auth_signing_alg_values_supported', async () => {
    for (const alg of listed('token_endpoint_auth_signing_alg_values_supported'))
      expect([alg, (await assert(alg)).statusCode]).toEqual([alg, 200]);
  });
});

const certificate = createCertificate({ CN: 'client' });
const withMethod = (method: string, credential: unknown) => ({
  client_authentication_methods: { [method]: { credentials: [credential] } },
});

/** What a proxy forwards that verified the certificate. */
function showing({ client_id }: Application, { escaped }: TestCertificate) {
  const headers = { 'client-certificate': escaped, 'client-certificate-ca-verified': 'SUCCESS' };
  const form = { grant_type: 'client_credentials', client_id, audience: API };
  return world.request({ path: '/oauth/token', form, headers });
}

async function machine(body: Record<string, unknown> = {}): Promise<Application> {
  const client = await createApplication(world, { app_type: 'non_interactive', ...body });
  await world.api().post('/client-grants', { client_id: client.client_id, audience: API, scope: ['read:items'] });
  return client;
}

/** A token for a client that authenticates with a key of its own (RFC 7523). */
async function assert(alg: string): Promise<{ statusCode: number }> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const credentials = [{ name: 'a key', credential_type: 'public_key', pem, alg }];
  const { client_id } = await machine({ client_authentication_methods: { private_key_jwt: { credentials } } });
  const seconds = Math.floor(world.now().getTime() / 1000);
  const assertion = await new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg })
    .setIssuer(client_id)
    .setSubject(client_id)
    .setAudience(`${world.origin}/oauth/token`)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 60)
    .sign(privateKey);
  return world.token({
    grant_type: 'client_credentials',
    audience: API,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  });
}
