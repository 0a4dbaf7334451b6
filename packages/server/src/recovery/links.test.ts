import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isGone, linkFor, mailsTo } from '../../test/mails.ts';
import { answer, createTestUser, eventTypesOf, passwordGrant } from '../../test/protocol.ts';
import { startWorld, type World } from '../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const NEW = 'A-quite-new-horse-9';

async function ask(
  email: string,
  headers: Readonly<Record<string, string>> = {},
  path = '/dbconnections/change_password',
) {
  const json = { client_id: world.spa_client.client_id, connection: world.connection, email };
  return world.request({ path, json, headers });
}

describe('a link in a mail (attack R1)', () => {
  it.each([
    ['Host', { host: 'evil.example' }],
    ['X-Forwarded-Host', { 'x-forwarded-host': 'evil.example' }],
    ['Forwarded', { forwarded: 'host=evil.example;proto=https' }],
    ['Origin and Referer', { origin: 'https://evil.example', referer: 'https://evil.example/' }],
  ])('leads to the canonical origin, whatever %s says', async (name, headers) => {
    const { email } = await createTestUser(world, `host-${name.toLowerCase().replaceAll(' ', '-')}`);
    await ask(email, headers);
    const mails = await mailsTo(world, email);
    for (const { html, text } of mails) {
      expect(html + text).not.toContain('evil.example');
      expect(text).toContain('\nhttps://localhost:3443/u/reset-verify?ticket=');
    }
    // A host that is no tenant's gets 404, or is not looked at: no request leads to a mail without our own link.
    if (name === 'Host') expect(mails).toEqual([]);
  });

  it('leads there when the request names another origin of the tenant, or an absolute address', async () => {
    const { email } = await createTestUser(world, 'absolute');
    const json = { client_id: world.spa_client.client_id, connection: world.connection, email };
    await world.request({ path: '/dbconnections/change_password', json, tenant: { origin: 'http://127.0.0.1:3000' } });
    await world.request({ path: 'https://evil.example/dbconnections/change_password', json });
    const mails = await mailsTo(world, email);
    expect(mails.length).toBeGreaterThan(0);
    for (const { text } of mails) expect(text).toContain('\nhttps://localhost:3443/u/reset-verify?ticket=');
  });
});

describe('a link for a new password (attack R2)', () => {
  it('takes the ticket out of the address, and tells no other site about it', async () => {
    const { id } = await createTestUser(world, 'referer');
    const visitor = world.visitor();
    const opened = await visitor.get(await linkFor(world, 'password-change', { user_id: id }));
    expect(opened.headers).toMatchObject({
      location: '/u/reset-password/change',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    const page = await visitor.follow(opened);
    expect(page.headers['referrer-policy']).toBe('same-origin');
    expect(page.body).not.toMatch(/ticket=/);
  });

  it('works once: of two who use it at once, one changes the password', async () => {
    const { id, email } = await createTestUser(world, 'race');
    const link = await linkFor(world, 'password-change', { user_id: id });
    const answers = await Promise.all(
      ['One-quite-new-horse-1', 'Two-quite-new-horse-2'].map(async (password) => {
        const visitor = world.visitor();
        const page = await visitor.follow(await visitor.get(link));
        return { password, done: await visitor.submit(page, { password, password_again: password }) };
      }),
    );
    const winners = answers.filter(({ done }) => done.statusCode === 200);
    expect(winners).toHaveLength(1);
    expect((await passwordGrant(world, { username: email, password: winners[0]?.password })).statusCode).toBe(200);
    isGone(await world.visitor().get(link));
  });

  it('ends with a newer one, with its time, and with whatever changes the user', async () => {
    const api = world.api();
    const endings: Record<string, (id: string, path: string) => Promise<unknown>> = {
      newer: (id) => linkFor(world, 'password-change', { user_id: id }),
      email: (_id, path) => api.patch(path, { email: 'moved@example.org' }),
      'email there and back': async (_id, path) => {
        await api.patch(path, { email: 'moved-away@example.org' });
        await api.patch(path, { email: 'link-email-there-and-back@example.org' });
      },
      password: (_id, path) => api.patch(path, { password: 'Another-horse-of-mine-3' }),
      block: async (_id, path) => {
        await api.patch(path, { blocked: true });
        await api.patch(path, { blocked: false });
      },
      deletion: (_id, path) => api.delete(path),
    };
    for (const [name, end] of Object.entries(endings)) {
      const { id } = await createTestUser(world, `link-${name.replaceAll(' ', '-')}`);
      const visitor = world.visitor();
      const link = await linkFor(world, 'password-change', { user_id: id });
      const page = await visitor.follow(await visitor.get(link));
      expect([name, page.statusCode]).toEqual([name, 200]);
      await end(id, `/users/${encodeURIComponent(id)}`);
      isGone(await visitor.submit(page, { password: NEW, password_again: NEW }));
      isGone(await visitor.get(link));
    }
    const { id } = await createTestUser(world, 'link-time');
    const link = await linkFor(world, 'password-change', { user_id: id, ttl_sec: 60 });
    world.advance(61_000);
    const late = await world.visitor().get(link);
    expect([late.statusCode, late.body]).toEqual([400, expect.stringContaining('This link has expired')]);
  });

  it('refuses every step that is taken before the one that leads to it', async () => {
    const { id } = await createTestUser(world, 'steps');
    const form = { password: NEW, password_again: NEW };
    const visitor = world.visitor();
    isGone(await visitor.get('/u/reset-password/change'));
    isGone(await visitor.post('/u/reset-password/change', form));
    isGone(await visitor.get('/u/reset-verify'));
    isGone(await visitor.get(`/u/reset-verify?ticket=${'x'.repeat(32)}`));
    // A link for another purpose is none for this one.
    const verification = (await linkFor(world, 'email-verification', { user_id: id })).split('ticket=')[1] ?? '';
    isGone(await visitor.get(`/u/reset-verify?ticket=${verification}`));
    const reset = await linkFor(world, 'password-change', { user_id: id });
    expect((await visitor.get(`/u/email-verification?ticket=${reset.split('ticket=')[1]}`)).statusCode).toBe(400);
    // With the link, but without the form of this browser, or from another site.
    const page = await visitor.follow(await visitor.get(reset));
    const csrf = /name="_csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
    for (const [fields, origin] of [
      [form, world.main.origin],
      [{ ...form, _csrf: 'x' }, world.main.origin],
      [{ ...form, _csrf: csrf }, 'https://evil.example'],
    ] as const)
      expect((await visitor.post('/u/reset-password/change', fields, { origin })).statusCode).toBe(403);
    isGone(
      await world.visitor().post('/u/reset-password/change', { ...form, _csrf: csrf }, { origin: world.main.origin }),
    );
    const types = await eventTypesOf(world, () => visitor.submit(page, form));
    expect(types).toEqual(['scp']);
    isGone(await visitor.submit(page, form));
    isGone(await visitor.get('/u/reset-password/change'));
  });

  it('goes only to the user that it was made for', async () => {
    const [ada, bob] = [await createTestUser(world, 'for-ada'), await createTestUser(world, 'for-bob')];
    const visitor = world.visitor();
    const pageOfAda = await visitor.follow(
      await visitor.get(await linkFor(world, 'password-change', { user_id: ada.id })),
    );
    await visitor.get(await linkFor(world, 'password-change', { user_id: bob.id }));
    expect((await visitor.submit(pageOfAda, { password: NEW, password_again: NEW })).statusCode).toBe(403);
    expect((await passwordGrant(world, { username: bob.email, password: bob.password })).statusCode).toBe(200);
  });
});

describe('POST /api/v2/tickets/password-change', () => {
  const post = (body: unknown) => answer(world.api('create:user_tickets').post('/tickets/password-change', body));

  it('answers a link that ends with #, for a user or for an address in a directory', async () => {
    const { id, email } = await createTestUser(world, 'ticket');
    const [{ id: connection_id }] = (await world.api().get(`/connections?name=${world.connection}`)).json();
    for (const body of [{ user_id: id }, { email, connection_id }]) {
      const { status, body: made } = await post(body);
      expect({ status, made }).toEqual({
        status: 201,
        made: { ticket: expect.stringMatching(/^https:\/\/localhost:3443\/u\/reset-verify\?ticket=[A-Za-z0-9]{32}#$/) },
      });
    }
    expect(await mailsTo(world, email)).toEqual([]);
  });

  it.each([
    ['a user that is not there', { user_id: 'auth0|000000000000000000000000' }, 404],
    ['nobody', {}, 400],
    ['an application that is not there', { client_id: 'x'.repeat(32) }, 404],
    ['an organization', { organization_id: 'org_0000000000000000' }, 404],
    ['a script as result_url', { result_url: 'javascript:alert(1)' }, 400],
    ['an address without TLS', { result_url: 'http://app.example/' }, 400],
    ['an address with a user name', { result_url: 'https://app.example@evil.example/' }, 400],
    ['an address that parsers disagree about', { result_url: 'https:\\\\evil.example' }, 400],
  ])('refuses %s', async (name, change, status) => {
    const { id } = await createTestUser(world, `refused-${name.replaceAll(/\W/g, '-').toLowerCase()}`);
    const body = 'user_id' in change || name === 'nobody' ? change : { user_id: id, ...change };
    expect((await post(body)).status).toBe(status);
  });
});
