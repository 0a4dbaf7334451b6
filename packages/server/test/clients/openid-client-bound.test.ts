import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as openid from 'openid-client';
import { Agent, fetch as undiciFetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createCertificate, type TestCertificate } from '../client-certificates.ts';
import { freePort } from '../free-ports.ts';
import { describeBehindNginx } from '../operations/nginx.ts';
import { created, createTestClient, type TestClient } from '../protocol.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { CALLBACK } from '../visitor.ts';
import { startWorld, type World, type WorldRequest } from '../world.ts';

const NGINX = '/usr/sbin/nginx';
const API = 'https://bound.example.com/';

let world: World;
let web: TestClient;
beforeAll(async () => {
  world = await startWorld();
  await created(world.api().patch('/tenants/settings', { pushed_authorization_requests_supported: true }));
  await bindTokensOf('dpop');
  web = await createTestClient(world, {
    app_type: 'regular_web',
    callbacks: [CALLBACK],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  });
});
afterAll(() => world.stop());

const bindTokensOf = (mechanism: string) =>
  created(
    world.api().post('/resource-servers', {
      identifier: `${API}${mechanism}`,
      name: mechanism,
      scopes: [{ value: 'read:items' }],
      allow_offline_access: true,
      proof_of_possession: { mechanism, required: true },
    }),
  );

/** The client's fetch: its requests go to the server in this process. */
const inProcess: openid.CustomFetch = async (url, { method, headers, body }) => {
  const { pathname, search } = new URL(url);
  const response = await world.request({
    method: method as NonNullable<WorldRequest['method']>,
    path: pathname + search,
    headers: Object.fromEntries(new Headers(headers)),
    ...(body !== undefined && body !== null && { body: String(body) }),
  });
  const answered = Object.entries(response.headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((one) => [name, String(one)] as [string, string]),
  );
  return new Response([204, 304].includes(response.statusCode) ? null : response.body, {
    status: response.statusCode,
    headers: answered,
  });
};

const discover = (client: { client_id: string; client_secret?: string }, authentication?: openid.ClientAuth) =>
  openid.discovery(new URL(world.origin), client.client_id, client.client_secret, authentication, {
    [openid.customFetch]: inProcess,
  });

async function logIn(config: openid.Configuration, handle: openid.DPoPHandle, byPar: boolean) {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const expectedState = openid.randomState();
  const parameters = {
    redirect_uri: CALLBACK,
    scope: 'openid email offline_access read:items',
    audience: `${API}dpop`,
    state: expectedState,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  };
  const url = byPar
    ? await openid.buildAuthorizationUrlWithPAR(config, parameters, { DPoP: handle })
    : openid.buildAuthorizationUrl(config, { ...parameters, dpop_jkt: await handle.calculateThumbprint() });
  const visitor = world.visitor();
  const page = await visitor.follow(await visitor.get(url.pathname + url.search));
  const { email: username, password } = world.user;
  const answer = await visitor.follow(await visitor.submit(page, { username, password }));
  return (DPoP: openid.DPoPHandle) =>
    openid.authorizationCodeGrant(
      config,
      new URL(String(answer.headers.location)),
      { pkceCodeVerifier, expectedState },
      undefined,
      { DPoP },
    );
}

const newHandle = async (config: openid.Configuration) =>
  openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'));

describe('openid-client 6 with DPoP', () => {
  it.each([
    ['a pushed request', true],
    ['dpop_jkt in the address', false],
  ])('logs in with %s, renews, and reads /userinfo', async (_what, byPar) => {
    const config = await discover(web);
    const handle = await newHandle(config);
    const tokens = await (await logIn(config, handle, byPar))(handle);
    expect(tokens.token_type).toBe('dpop');
    const sub = tokens.claims()?.sub ?? '';
    expect(await openid.fetchUserInfo(config, tokens.access_token, sub, { DPoP: handle })).toMatchObject({ sub });
    await expect(openid.fetchUserInfo(config, tokens.access_token, sub)).rejects.toThrow();
    const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP: handle });
    expect(renewed.token_type).toBe('dpop');
    expect(await openid.tokenIntrospection(config, renewed.access_token)).toMatchObject({
      active: true,
      token_type: 'DPoP',
      cnf: { jkt: await handle.calculateThumbprint() },
    });
  });

  it('is refused where another key redeems the code of a pushed request', async () => {
    const config = await discover(web);
    const redeem = await logIn(config, await newHandle(config), true);
    await expect(redeem(await newHandle(config))).rejects.toMatchObject({ error: 'invalid_dpop_proof' });
  });

  it('learns the nonce that a public client needs, at the token endpoint and at /userinfo', async () => {
    const config = await discover({ client_id: world.spa_client.client_id }, openid.None());
    const handle = await newHandle(config);
    const tokens = await (await logIn(config, handle, false))(handle);
    const sub = tokens.claims()?.sub ?? '';
    expect(await openid.fetchUserInfo(config, tokens.access_token, sub, { DPoP: handle })).toMatchObject({ sub });
    const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP: handle });
    await expect(
      openid.refreshTokenGrant(config, renewed.refresh_token ?? '', undefined, { DPoP: await newHandle(config) }),
    ).rejects.toMatchObject({ error: 'invalid_dpop_proof' });
  });
});

describeBehindNginx('openid-client 6 with a client certificate', () => {
  it('gets bound tokens through nginx, and uses them with the same certificate alone', async () => {
    await bindTokensOf('mtls');
    const authority = createCertificate({ O: 'Bank', CN: 'Authority' });
    const certificate = authority.issue({ O: 'Bank', CN: 'client' });
    const port = await startNginx(authority);
    const bySubject = await machine('tls_client_auth', {
      credential_type: 'cert_subject_dn',
      subject_dn: 'CN=client,O=Bank',
    });
    const config = await discover(bySubject, openid.TlsClientAuth());
    const ask = (shown: TestCertificate | undefined) => {
      config[openid.customFetch] = throughNginx(port, shown);
      return openid.clientCredentialsGrant(config, { audience: `${API}mtls` });
    };
    const tokens = await ask(certificate);
    expect(tokens.token_type).toBe('bearer');
    expect(await openid.tokenIntrospection(config, tokens.access_token)).toMatchObject({
      active: true,
      cnf: { 'x5t#S256': certificate.thumbprint },
    });
    for (const other of [
      undefined,
      authority.issue({ O: 'Bank', CN: 'other' }),
      createCertificate({ O: 'Bank', CN: 'client' }),
    ])
      await expect(ask(other)).rejects.toMatchObject({ error: 'invalid_client' });
    // Whoever can't show a certificate can't say one either: nginx replaces what the client sends.
    const forged = await throughNginx(port, undefined)(`${world.origin}/oauth/token`, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'client-certificate': certificate.escaped,
        'client-certificate-ca-verified': 'SUCCESS',
      },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: bySubject.client_id,
        audience: `${API}mtls`,
      }),
    });
    expect(forged.status).toBe(401);
    const selfSigned = createCertificate({ CN: 'anything' });
    const byCertificate = await machine('self_signed_tls_client_auth', {
      credential_type: 'x509_cert',
      pem: selfSigned.pem,
    });
    const other = await discover(byCertificate, openid.TlsClientAuth());
    other[openid.customFetch] = throughNginx(port, selfSigned);
    const bound = await openid.clientCredentialsGrant(other, { audience: `${API}mtls` });
    expect(await openid.tokenIntrospection(other, bound.access_token)).toMatchObject({
      cnf: { 'x5t#S256': selfSigned.thumbprint },
    });
  });
});

async function machine(method: string, credential: Record<string, unknown>): Promise<TestClient> {
  const client = await createTestClient(
    world,
    {
      app_type: 'non_interactive',
      grant_types: ['client_credentials'],
      client_authentication_methods: { [method]: { credentials: [credential] } },
    },
    { mayLogIn: false },
  );
  await created(world.api().post('/client-grants', { client_id: client.client_id, audience: `${API}mtls`, scope: [] }));
  return { ...client, client_secret: '' };
}

/** nginx asks for certificates and stands at the port that the world's origin names, but for its number. */
async function startNginx(authority: TestCertificate): Promise<number> {
  const folder = await temporaryFolder();
  const upstream = new URL(await world.app.http.listen({ host: '127.0.0.1', port: 0 })).port;
  const port = await freePort();
  const server = createCertificate({ CN: 'localhost' });
  await Promise.all([
    writeFile(join(folder, 'server.pem'), server.pem),
    writeFile(join(folder, 'server.key'), server.keyPem),
    writeFile(join(folder, 'authority.pem'), authority.pem),
    ...['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => mkdir(join(folder, name))),
  ]);
  const configuration = `
daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name.replace('client_', '')};`).join(' ')}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${folder}/server.pem; ssl_certificate_key ${folder}/server.key;
    ssl_client_certificate ${folder}/authority.pem; ssl_verify_client optional_no_ca;
    location / {
      proxy_pass http://127.0.0.1:${upstream};
      proxy_set_header Host localhost:3443;
      proxy_set_header X-Forwarded-Proto https;
      proxy_set_header client-certificate $ssl_client_escaped_cert;
      proxy_set_header client-certificate-ca-verified $ssl_client_verify;
    }
  }
}`;
  await writeFile(join(folder, 'nginx.conf'), configuration);
  const nginx: ChildProcess = spawn(NGINX, ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
  onTestFinished(async () => {
    const exited = once(nginx, 'exit');
    nginx.kill('SIGTERM');
    await exited;
  });
  for (let attempt = 0; attempt < 100; attempt++) {
    const isUp = await throughNginx(port, undefined)(`${world.origin}/.well-known/jwks.json`, {
      method: 'GET',
      redirect: 'manual',
      headers: {},
      body: undefined,
    }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return port;
    await sleep(50);
  }
  throw new Error('nginx does not answer.');
}

function throughNginx(port: number, certificate: TestCertificate | undefined): openid.CustomFetch {
  const dispatcher = new Agent({
    connect: { rejectUnauthorized: false, ...(certificate && { cert: certificate.pem, key: certificate.keyPem }) },
  });
  return async (url, { method, headers, body }) => {
    const target = new URL(url);
    target.host = `127.0.0.1:${port}`;
    const response = await undiciFetch(target, {
      method,
      headers: Object.fromEntries(new Headers(headers)),
      dispatcher,
      ...(body !== undefined && body !== null && { body: String(body) }),
    });
    const text = await response.text();
    return new Response(text, { status: response.status, headers: Object.fromEntries(response.headers) });
  };
}
