import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificate, type TestCertificate } from '../../../test/client-certificates.ts';
import { created, createTestClient, decodeJwt, eventTypesOf, type TestClient } from '../../../test/protocol.ts';
import { startWorld, type World } from '../../../test/world.ts';

const API = 'https://mtls.example.com/';
const INVALID_CLIENT = { error: 'invalid_client', error_description: 'Client authentication failed' };

let world: World;
let authority: TestCertificate;
/** Of the client's registered subject, issued by the authority. */
let issued: TestCertificate;
let selfSigned: TestCertificate;
let bySubject: TestClient;
let byCertificate: TestClient;

beforeAll(async () => {
  world = await startWorld();
  authority = createCertificate({ O: 'Bank', CN: 'Authority' });
  issued = authority.issue({ C: 'XX', O: 'Bank', CN: 'client' });
  selfSigned = createCertificate({ CN: 'client' });
  await created(
    world.api().post('/resource-servers', {
      identifier: API,
      name: 'mTLS',
      scopes: [{ value: 'read:items' }],
      proof_of_possession: { mechanism: 'mtls', required: true },
    }),
  );
  bySubject = await machine({
    tls_client_auth: { credentials: [{ credential_type: 'cert_subject_dn', subject_dn: 'C=XX\nO=Bank\nCN=client' }] },
  });
  byCertificate = await machine({
    self_signed_tls_client_auth: { credentials: [{ credential_type: 'x509_cert', pem: selfSigned.pem }] },
  });
});
afterAll(() => world.stop());

async function machine(methods: Record<string, unknown>): Promise<TestClient> {
  const client = await createTestClient(
    world,
    { app_type: 'non_interactive', grant_types: ['client_credentials'], client_authentication_methods: methods },
    { mayLogIn: false },
  );
  await created(world.api().post('/client-grants', { client_id: client.client_id, audience: API, scope: [] }));
  return client;
}

/** What nginx tells of a handshake. */
const shown = (certificate: TestCertificate, verdict = 'SUCCESS') => ({
  'client-certificate': certificate.escaped,
  'client-certificate-ca-verified': verdict,
});

function ask(client: TestClient, headers: Record<string, string>, form: Record<string, string> = {}) {
  return world.request({
    path: '/oauth/token',
    form: { grant_type: 'client_credentials', audience: API, client_id: client.client_id, ...form },
    headers,
  });
}

describe('tls_client_auth', () => {
  it('takes each certificate of the registered subject that the proxy verified', async () => {
    expect((await ask(bySubject, shown(issued))).statusCode).toBe(200);
    expect((await ask(bySubject, shown(authority.issue({ C: 'XX', O: 'Bank', CN: 'client' })))).statusCode).toBe(200);
  });

  it.each([
    ['from the country down', 'C=XX,O=Bank,CN=client'],
    ['as RFC 4514 has it', 'CN=client,O=Bank,C=XX'],
    ['with blanks', 'C = XX, O = Bank, CN = client'],
    ['with small types', 'cn=client,o=Bank,c=XX'],
    ['with an escape', 'CN=cl\\69ent,O=Bank,C=XX'],
  ])('knows a subject that was registered %s', async (_what, subject_dn) => {
    const client = await machine({
      tls_client_auth: { credentials: [{ credential_type: 'cert_subject_dn', subject_dn }] },
    });
    expect((await ask(client, shown(issued))).statusCode).toBe(200);
  });

  it('takes the subject of a registered PEM', async () => {
    const client = await machine({
      tls_client_auth: { credentials: [{ credential_type: 'cert_subject_dn', pem: issued.pem }] },
    });
    expect((await ask(client, shown(authority.issue({ C: 'XX', O: 'Bank', CN: 'client' })))).statusCode).toBe(200);
  });

  it.each<[string, () => Record<string, string>]>([
    ['of another subject', () => shown(authority.issue({ C: 'XX', O: 'Bank', CN: 'other' }))],
    ['with more in its subject', () => shown(authority.issue({ C: 'XX', O: 'Bank', CN: 'client', OU: 'more' }))],
    ['whose common name holds the rest', () => shown(authority.issue({ CN: 'client,O=Bank,C=XX' }))],
    [
      'that somebody made for themselves',
      () => shown(createCertificate({ C: 'XX', O: 'Bank', CN: 'client' }), 'FAILED:self signed certificate'),
    ],
    ['about which the proxy says nothing', () => ({ 'client-certificate': issued.escaped })],
    [
      'that has ended',
      () => shown(createCertificate({ C: 'XX', O: 'Bank', CN: 'client' }, { until: new Date(Date.now() - 1_800_000) })),
    ],
    [
      'that is not good yet',
      () => shown(createCertificate({ C: 'XX', O: 'Bank', CN: 'client' }, { from: new Date(Date.now() + 3_600_000) })),
    ],
    ['that is none', () => ({ ...shown(issued), 'client-certificate': 'no%20certificate' })],
    ['that is cut', () => ({ ...shown(issued), 'client-certificate': issued.escaped.slice(0, 200) })],
    ['that is too long', () => ({ ...shown(issued), 'client-certificate': issued.escaped + '%20'.repeat(6_000) })],
    ['that was not shown', () => ({ 'client-certificate-ca-verified': 'NONE' })],
    ['where the proxy contradicts itself', () => shown(issued, 'NONE')],
    ['no certificate at all', () => ({})],
  ])('refuses a certificate %s', async (_what, headersOf) => {
    const headers = headersOf();
    const types = await eventTypesOf(world, async () => {
      const response = await ask(bySubject, headers);
      expect([response.statusCode, response.json()]).toEqual([401, INVALID_CLIENT]);
    });
    expect(types).toEqual(['feccft']);
  });

  it('takes no secret and no assertion in its place', async () => {
    const secret = (await world.api().get(`/clients/${bySubject.client_id}`)).json().client_secret;
    expect((await ask(bySubject, {}, { client_secret: secret })).json()).toEqual(INVALID_CLIENT);
    expect((await ask(bySubject, shown(issued), { client_secret: secret })).json()).toEqual(INVALID_CLIENT);
  });
});

describe('self_signed_tls_client_auth', () => {
  it('takes the registered certificate alone, whatever an authority says of it', async () => {
    expect((await ask(byCertificate, shown(selfSigned, 'FAILED:self signed certificate'))).statusCode).toBe(200);
    expect((await ask(byCertificate, shown(selfSigned))).statusCode).toBe(200);
    const sameName = createCertificate({ CN: 'client' });
    expect((await ask(byCertificate, shown(sameName))).json()).toEqual(INVALID_CLIENT);
  });

  it('takes a new certificate beside the old one, and then without it', async () => {
    const next = createCertificate({ CN: 'client' });
    const api = world.api();
    const path = `/clients/${byCertificate.client_id}`;
    const [old] = (await api.get(`${path}/credentials`)).json();
    const added = await created(api.post(`${path}/credentials`, { credential_type: 'x509_cert', pem: next.pem }));
    expect((await ask(byCertificate, shown(next))).statusCode).toBe(401);
    const use = (...ids: unknown[]) =>
      created(
        api.patch(path, {
          client_authentication_methods: { self_signed_tls_client_auth: { credentials: ids.map((id) => ({ id })) } },
        }),
      );
    await use(old.id, added.id);
    expect((await ask(byCertificate, shown(next))).statusCode).toBe(200);
    expect((await ask(byCertificate, shown(selfSigned))).statusCode).toBe(200);
    await use(added.id);
    expect((await ask(byCertificate, shown(next))).statusCode).toBe(200);
    expect((await ask(byCertificate, shown(selfSigned))).statusCode).toBe(401);
    await use(old.id);
  });

  it('takes a certificate in the form of RFC 9440 as well', async () => {
    expect((await ask(byCertificate, { 'client-certificate': selfSigned.field })).statusCode).toBe(200);
  });
});

describe('a certificate header of anybody but a trusted proxy', () => {
  it('is not there', async () => {
    const { http } = world.app;
    const payload = new URLSearchParams({
      grant_type: 'client_credentials',
      audience: API,
      client_id: byCertificate.client_id,
    }).toString();
    const headers = {
      host: 'localhost:3000',
      'content-type': 'application/x-www-form-urlencoded',
      ...shown(selfSigned),
    };
    const from = (remoteAddress: string) =>
      http.inject({ method: 'POST', url: '/oauth/token', headers, payload, remoteAddress });
    expect((await from('192.0.2.7')).json()).toEqual(INVALID_CLIENT);
    expect((await from('127.0.0.1')).statusCode).toBe(200);
  });

  it('is not there under another name, nor twice', async () => {
    expect((await ask(byCertificate, { 'client-cert': selfSigned.field })).statusCode).toBe(401);
    const twice = `${selfSigned.escaped}, ${issued.escaped}`;
    expect((await ask(byCertificate, { ...shown(selfSigned), 'client-certificate': twice })).statusCode).toBe(401);
  });
});

describe('a token that is bound to a certificate', () => {
  it('is a Bearer with x5t#S256, of an API that asks for it', async () => {
    const { access_token, token_type } = (await ask(bySubject, shown(issued))).json();
    expect(token_type).toBe('Bearer');
    expect(decodeJwt(access_token).claims).toMatchObject({ cnf: { 'x5t#S256': issued.thumbprint } });
  });

  it('is not given to a client that shows no certificate', async () => {
    const client = await createTestClient(
      world,
      { app_type: 'non_interactive', grant_types: ['client_credentials'] },
      { mayLogIn: false },
    );
    await created(world.api().post('/client-grants', { client_id: client.client_id, audience: API, scope: [] }));
    const response = await ask(client, {}, { client_secret: client.client_secret });
    expect([response.statusCode, response.json()]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'A client certificate is required' },
    ]);
    // Whatever it shows: the secret authenticates, the certificate binds.
    const bound = await ask(client, shown(selfSigned), { client_secret: client.client_secret });
    expect(decodeJwt(bound.json().access_token).claims).toMatchObject({ cnf: { 'x5t#S256': selfSigned.thumbprint } });
  });

  it('opens /userinfo with the same certificate alone', async () => {
    const form = {
      grant_type: 'password',
      ...world.password_client,
      username: world.user.email,
      password: world.user.password,
      scope: 'openid',
    };
    const tokens = await world.request({ path: '/oauth/token', form, headers: shown(issued) });
    const show = (headers: Record<string, string>, scheme = 'Bearer') =>
      world.request({
        path: '/userinfo',
        headers: { authorization: `${scheme} ${tokens.json().access_token}`, ...headers },
      });
    expect((await show(shown(issued))).json()).toHaveProperty('sub');
    expect((await show(shown(issued), 'DPoP')).json()).toHaveProperty('sub');
    for (const headers of [{}, shown(selfSigned), shown(issued, 'NONE')]) {
      const response = await show(headers);
      expect([response.statusCode, response.body]).toEqual([401, 'Unauthorized']);
      expect(response.headers['www-authenticate']).toContain('invalid_token');
    }
  });

  it('opens the Management API with the same certificate alone', async () => {
    const servers = (await world.api().get('/resource-servers')).json();
    const system = servers.find((api: { is_system?: boolean }) => api.is_system);
    const bind = (proof_of_possession: unknown) =>
      created(world.api().patch(`/resource-servers/${system.id}`, { proof_of_possession }));
    await bind({ mechanism: 'mtls', required: false });
    const form = { grant_type: 'client_credentials', ...world.management, audience: world.managementAudience };
    const { access_token } = (await world.request({ path: '/oauth/token', form, headers: shown(issued) })).json();
    const show = async (headers: Record<string, string>) =>
      (
        await world.request({
          path: '/api/v2/clients',
          headers: { authorization: `Bearer ${access_token}`, ...headers },
        })
      ).statusCode;
    expect(await show(shown(issued))).toBe(200);
    expect(await show(shown(selfSigned))).toBe(401);
    expect(await show({})).toBe(401);
    await bind(null);
  });
});

describe('the endpoints that ask for certificates', () => {
  const discovery = async () => (await world.request({ path: '/.well-known/openid-configuration' })).json();
  const atAlias = (path: string, form?: Record<string, string>, headers: Record<string, string> = {}) =>
    world.request({ path, ...(form && { form }), headers, tenant: { origin: 'https://mtls.localhost:3443' } });

  it('have hosts of their own where the tenant says so, and the same issuer', async () => {
    const form = { grant_type: 'client_credentials', audience: API, client_id: bySubject.client_id };
    expect(await discovery()).not.toHaveProperty('mtls_endpoint_aliases');
    expect((await atAlias('/oauth/token', form, shown(issued))).statusCode).toBe(404);
    await created(world.api().patch('/tenants/settings', { mtls: { enable_endpoint_aliases: true } }));
    expect(await discovery()).toMatchObject({
      tls_client_certificate_bound_access_tokens: true,
      token_endpoint_auth_methods_supported: expect.arrayContaining(['tls_client_auth', 'self_signed_tls_client_auth']),
      mtls_endpoint_aliases: { token_endpoint: 'https://mtls.localhost:3443/oauth/token' },
    });
    const response = await atAlias('/oauth/token', form, shown(issued));
    expect(decodeJwt(response.json().access_token).claims).toMatchObject({ iss: world.issuer });
    expect((await atAlias('/authorize')).statusCode).toBe(404);
    expect((await atAlias('/u/login')).statusCode).toBe(404);
  });
});
