import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type DnsServer, startDnsServer } from '../../test/dns-server.ts';
import { answer, created } from '../../test/protocol.ts';
import { startWorld, type World, type WorldTenant } from '../../test/world.ts';

const BASE = 'id.example.com';

let world: World;
let dns: DnsServer;
let acme: WorldTenant;
beforeAll(async () => {
  dns = await startDnsServer();
  world = await startWorld({ config: { baseDomain: BASE }, resolver: dns.resolver });
  acme = await world.createTenant('acme');
  acme = { ...acme, origin: `https://acme.${BASE}`, managementAudience: `https://acme.${BASE}/api/v2/` };
});
afterAll(async () => {
  await world.stop();
  dns.stop();
});

interface Method {
  readonly name: 'txt' | 'cname';
  readonly record: string;
  readonly domain: string;
}

async function claim(domain: string, tenant = world.main, more: Readonly<Record<string, unknown>> = {}) {
  const made = await created(
    world.apiAt(tenant).post('/custom-domains', { domain, type: 'auth0_managed_certs', ...more }),
  );
  const { methods } = made.verification as { methods: Method[] };
  const record = (name: 'txt' | 'cname') => methods.find((method) => method.name === name);
  return { id: String(made.custom_domain_id), made, methods, record };
}

function publish(method: Method | undefined): void {
  if (method) dns.set(method.name === 'txt' ? 'TXT' : 'CNAME', method.domain, method.record);
}

const verify = (id: string, tenant = world.main) => answer(world.apiAt(tenant).post(`/custom-domains/${id}/verify`));

async function readyDomain(domain: string, tenant = world.main): Promise<string> {
  const { id, record } = await claim(domain, tenant);
  publish(record('txt'));
  expect(await verify(id, tenant)).toMatchObject({ status: 200, body: { status: 'ready' } });
  return id;
}

async function issuerAt(host: string, server: Pick<World, 'request'> = world): Promise<unknown> {
  const path = '/.well-known/openid-configuration';
  const response = await server.request({ path, tenant: { origin: `https://${host}` } });
  return response.statusCode === 200 ? response.json().issuer : response.statusCode;
}

describe('A custom domain', () => {
  it('is proved by a record in the DNS, and is then an origin of its tenant: issuer, cookies, tokens', async () => {
    const { id, made, methods, record } = await claim('Login.Example.org');
    expect(made).toMatchObject({
      custom_domain_id: expect.stringMatching(/^cd_[A-Za-z0-9]{16}$/),
      domain: 'login.example.org',
      status: 'pending_verification',
      type: 'auth0_managed_certs',
      is_default: false,
      verification: { status: 'pending' },
      tls_policy: 'recommended',
    });
    expect(methods.map(({ name, domain }) => [name, domain])).toEqual([
      ['cname', 'login.example.org'],
      ['txt', '_gatewright.login.example.org'],
    ]);
    expect(record('cname')?.record.endsWith(`.${BASE}`)).toBe(true);
    expect(await issuerAt('login.example.org')).toBe(404);

    publish(record('cname'));
    expect(await verify(id)).toMatchObject({
      status: 200,
      body: { status: 'ready', verification: { status: 'verified' } },
    });
    expect(await issuerAt('login.example.org')).toBe('https://login.example.org/');
    const here = { ...world.main, origin: 'https://login.example.org' };
    const { answer: code, response } = await world.visitor(here).logIn();
    expect(code?.get('iss')).toBe('https://login.example.org/');
    expect(response.statusCode).toBe(302);
    const page = await world.visitor(here).authorize();
    const cookies = [page.response.headers['set-cookie'] ?? []].flat();
    for (const cookie of cookies) expect(cookie).toMatch(/^__Host-gw-dev.*; Secure/);
    // Tokens of the tenant's other origins are good here, and the other way round.
    const bearer = { authorization: `Bearer ${await world.managementToken([], here)}` };
    expect((await world.request({ path: '/api/v2/clients', headers: bearer })).statusCode).toBe(200);
  });

  it('is not proved by nothing, by the record of another tenant, or by a DNS that is silent', async () => {
    const ours = await claim('wanted.example.org');
    const theirs = await claim('wanted.example.org', acme);
    expect(ours.record('txt')?.record).not.toBe(theirs.record('txt')?.record);
    expect(await verify(ours.id)).toMatchObject({
      status: 200,
      body: { status: 'pending_verification', verification: { status: 'failed', error_msg: expect.any(String) } },
    });
    expect((await world.events()).map(({ type }) => type)).toContain('custom_domain_verification_failed');
    publish(theirs.record('txt'));
    publish(theirs.record('cname'));
    expect((await verify(ours.id)).body).toMatchObject({ status: 'pending_verification' });
    dns.silence();
    expect((await verify(ours.id)).body).toMatchObject({
      status: 'pending_verification',
      verification: { error_msg: expect.stringContaining("can't be looked up") },
    });
    expect(await issuerAt('wanted.example.org')).toBe(404);
    dns.set('A', 'nothing.example.org');
  });

  it('belongs to one tenant: of two that prove it at once one gets it, and a claim without proof locks nobody out', async () => {
    const [ours, theirs] = [await claim('fought.example.org'), await claim('fought.example.org', acme)];
    publish(ours.record('txt'));
    publish(theirs.record('cname'));
    const answers = await Promise.all([verify(ours.id), verify(theirs.id, acme)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await issuerAt('fought.example.org')).toBe('https://fought.example.org/');
    // The loser may try again, and is told the same, whatever it can prove.
    const [loser, tenant] = answers[0].status === 409 ? [ours, world.main] : [theirs, acme];
    expect((await verify(loser.id, tenant)).status).toBe(409);
    const body = { domain: 'fought.example.org', type: 'auth0_managed_certs' };
    expect((await answer(world.apiAt(tenant).post('/custom-domains', body))).status).toBe(409);
    const { rows } = await world.database.pool.query(
      `select (select count(*)::int from custom_domains where domain = 'fought.example.org' and status = 'ready') as ready,
        (select count(*)::int from tenant_origins where origin = 'https://fought.example.org') as origins`,
    );
    expect(rows).toEqual([{ ready: 1, origins: 1 }]);
  });

  it.each([
    BASE,
    `acme.${BASE}`,
    `new.${BASE}`,
    'localhost',
    'dev.localhost',
    '127.0.0.1',
    'intranet',
    'example.1',
    '-a.example.org',
    'a_b.example.org',
    'a..example.org',
    'a.example.org.',
    'a.example.org:443',
    'a.example.org/x',
    '*.example.org',
    `${'a'.repeat(64)}.example.org`,
  ])('is no name of this installation, no address and no nonsense: %s', async (domain) => {
    const { status } = await answer(world.api().post('/custom-domains', { domain, type: 'self_managed_certs' }));
    expect(status).toBe(400);
  });

  it('ends with its deletion at once, in every process: no issuer, no token of it', async () => {
    const id = await readyDomain('gone.example.org');
    const here = {
      ...world.main,
      origin: 'https://gone.example.org',
      managementAudience: 'https://gone.example.org/api/v2/',
    };
    const bearer = { authorization: `Bearer ${await world.managementToken([], here)}` };
    const second = await world.secondServer();
    try {
      expect(await issuerAt('gone.example.org', second)).toBe('https://gone.example.org/');
      expect((await world.request({ path: '/api/v2/clients', headers: bearer })).statusCode).toBe(200);
      expect((await answer(world.api().delete(`/custom-domains/${id}`))).status).toBe(204);
      expect(await issuerAt('gone.example.org')).toBe(404);
      expect((await world.request({ path: '/api/v2/clients', headers: bearer })).statusCode).toBe(401);
      await vi.waitFor(async () => expect(await issuerAt('gone.example.org', second)).toBe(404), {
        timeout: 60_000,
        interval: 20,
      });
    } finally {
      await second.stop();
    }
    expect(await answer(world.api().get(`/custom-domains/${id}`))).toMatchObject({
      status: 404,
      body: { errorCode: 'inexistent_custom_domain', message: `The custom domain ${id} does not exist` },
    });
    expect((await answer(world.api().delete(`/custom-domains/${id}`))).status).toBe(204);
  });

  it('is the default one where the tenant says so, and only when it is verified', async () => {
    const api = world.apiAt(acme);
    expect(await answer(api.get('/custom-domains/default'))).toEqual({ status: 200, body: { domain: `acme.${BASE}` } });
    const { record, id } = await claim('main.example.org', acme);
    const setDefault = (domain: string) => answer(api.patch('/custom-domains/default', { domain }));
    expect(await setDefault('main.example.org')).toMatchObject({ status: 400, body: { errorCode: 'invalid_body' } });
    publish(record('txt'));
    await verify(id, acme);
    expect(await setDefault('main.example.org')).toMatchObject({ status: 200, body: { is_default: true } });
    expect((await answer(api.get('/custom-domains/default'))).body).toMatchObject({ custom_domain_id: id });
    expect(await setDefault('other.example.org')).toMatchObject({ status: 400 });
    expect(await setDefault(`acme.${BASE}`)).toMatchObject({ status: 200, body: { domain: `acme.${BASE}` } });
    expect((await answer(api.get(`/custom-domains/${id}`))).body).toMatchObject({ is_default: false });
  });
});

describe('/custom-domains', () => {
  it('is a bare array without take, and pages with it', async () => {
    const tenant = {
      ...(await world.createTenant('lists')),
      origin: `https://lists.${BASE}`,
      managementAudience: `https://lists.${BASE}/api/v2/`,
    };
    const names = ['a.example.net', 'b.example.net', 'c.example.net'];
    for (const name of names) await claim(name, tenant);
    const api = world.apiAt(tenant);
    const all: { domain: string }[] = (await api.get('/custom-domains')).json();
    expect(all.map(({ domain }) => domain).sort()).toEqual(names);
    const first = (await api.get('/custom-domains?take=2')).json();
    const second = (await api.get(`/custom-domains?take=2&from=${first.next}`)).json();
    expect([...first.custom_domains, ...second.custom_domains]).toEqual(all);
    expect(second.next).toBeUndefined();
  });

  it('keeps what is patched, tests what is ready, and accepts the header auth0-custom-domain', async () => {
    const id = await readyDomain('patched.example.org');
    const api = world.api();
    const change = { domain_metadata: { team: 'one' }, custom_client_ip_header: 'x-forwarded-for' };
    expect(await answer(api.patch(`/custom-domains/${id}`, change))).toMatchObject({ status: 200, body: change });
    const test = () => answer(api.post(`/custom-domains/${id}/test`));
    expect((await test()).body).toMatchObject({ success: false, message: expect.any(String) });
    dns.set('A', 'patched.example.org', '192.0.2.1');
    expect((await test()).body).toEqual({ success: true });
    const headers = { authorization: `Bearer ${await world.managementToken()}`, 'auth0-custom-domain': 'any.example' };
    expect((await world.request({ path: '/api/v2/users', headers })).statusCode).toBe(200);
  });
});
