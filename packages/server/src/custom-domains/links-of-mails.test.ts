import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DnsServer, startDnsServer } from '../../test/dns-server.ts';
import { mailsTo } from '../../test/mails.ts';
import { createTestUser } from '../../test/protocol.ts';
import { startWorld, type World, type WorldTenant } from '../../test/world.ts';

const [OURS, PENDING, THEIRS] = ['login.example.org', 'pending.example.org', 'theirs.example.org'];
const CANONICAL = 'localhost:3443';

let world: World;
let dns: DnsServer;
let ours: string;
beforeAll(async () => {
  dns = await startDnsServer();
  world = await startWorld({ resolver: dns.resolver });
  ours = await claim(OURS, true);
  await claim(PENDING, false);
  await claim(THEIRS, true, await world.createTenant('acme'));
});
afterAll(async () => {
  await world.stop();
  dns.stop();
});

async function claim(domain: string, isProved: boolean, tenant: WorldTenant = world.main): Promise<string> {
  const api = world.apiAt(tenant);
  const made = (await api.post('/custom-domains', { domain, type: 'self_managed_certs' })).json();
  const txt = made.verification.methods.find(({ name }: { name: string }) => name === 'txt');
  if (isProved) {
    dns.set('TXT', txt.domain, txt.record);
    expect((await api.post(`/custom-domains/${made.custom_domain_id}/verify`)).json().status).toBe('ready');
  }
  return String(made.custom_domain_id);
}

async function call(method: 'POST' | 'PATCH', path: string, json: unknown, domain?: string) {
  const authorization = `Bearer ${await world.managementToken()}`;
  const headers = { authorization, ...(domain !== undefined && { 'auth0-custom-domain': domain }) };
  const response = await world.request({ method, path: `/api/v2${path}`, headers, json });
  expect(response.statusCode, response.body).toBeLessThan(300);
  return response.json();
}

const hostOfMail = async (email: string) => {
  const [mail] = await mailsTo(world, email);
  return { link: new URL(/^https:\S+ticket=\S+$/m.exec(mail?.text ?? '')?.[0] ?? '').host, from: mail?.from };
};

describe('the header auth0-custom-domain', () => {
  it.each([
    ['a verified domain of this tenant', OURS, OURS],
    ['the same in capitals', OURS.toUpperCase(), OURS],
    ['nothing', undefined, CANONICAL],
    ['a domain that is not verified yet', PENDING, CANONICAL],
    ["another tenant's domain", THEIRS, CANONICAL],
    ["another tenant's own name", 'acme.localhost:3443', CANONICAL],
    ['a stranger', 'evil.example', CANONICAL],
    ['an address', `${OURS}@evil.example/`, CANONICAL],
    ['two domains', `${OURS}, evil.example`, CANONICAL],
  ])('that names %s: tickets lead to where they should', async (_what, domain, expected) => {
    const { id } = await createTestUser(world, `links-${crypto.randomUUID()}`);
    for (const kind of ['password-change', 'email-verification']) {
      const { ticket } = await call('POST', `/tickets/${kind}`, { user_id: id }, domain);
      expect(new URL(ticket).host).toBe(expected);
    }
  });

  it('counts for the mails of a new user, of a changed one and of a job', async () => {
    const email = 'ada@example.org';
    const created = { connection: world.connection, email, password: 'Correct-horse-ada-7' };
    const { user_id } = await call('POST', '/users', created, OURS);
    expect(await hostOfMail(email)).toEqual({ link: OURS, from: expect.stringContaining(`@${OURS}>`) });

    await call(
      'PATCH',
      `/users/${encodeURIComponent(user_id)}`,
      { email: 'bea@example.org', verify_email: true },
      OURS,
    );
    expect((await hostOfMail('bea@example.org')).link).toBe(OURS);

    await call('POST', '/jobs/verification-email', { user_id });
    expect((await hostOfMail('bea@example.org')).link).toBe(CANONICAL);
    await call('POST', '/jobs/verification-email', { user_id }, OURS);
    expect((await hostOfMail('bea@example.org')).link).toBe(OURS);
  });

  it('leads to nobody’s domain any more once that is deleted', async () => {
    const { id } = await createTestUser(world, 'links-of-the-deleted');
    expect((await world.api().delete(`/custom-domains/${ours}`)).statusCode).toBe(204);
    const { ticket } = await call('POST', '/tickets/password-change', { user_id: id }, OURS);
    expect(new URL(ticket).host).toBe(CANONICAL);
  });
});
