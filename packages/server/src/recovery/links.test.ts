import type { Response } from 'light-my-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkMailedTo, mailsTo, pathOf } from '../../test/mails.ts';
import { answer, createTestUser, eventTypesOf, passwordGrant } from '../../test/protocol.ts';
import { startWorld, type World } from '../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const NEW = 'A-quite-new-horse-9';
const DAY = 86_400_000;

/** What an operator gets for a user: the path of a link. */
async function linkFor(kind: 'password-change' | 'email-verification', body: Record<string, unknown>): Promise<string> {
  const response = await world.api('create:user_tickets').post(`/tickets/${kind}`, body);
  expect(response.statusCode, response.body).toBe(201);
  return pathOf(response.json().ticket);
}

async function ask(
  email: string,
  headers: Readonly<Record<string, string>> = {},
  path = '/dbconnections/change_password',
) {
  const json = { client_id: world.spa_client.client_id, connection: world.connection, email };
  return world.request({ path, json, headers });
}

const isGone = (page: Response) =>
  expect([page.statusCode, page.body]).toEqual([400, expect.stringContaining('t work any more')]);

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
    const opened = await visitor.get(await linkFor('password-change', { user_id: id }));
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
    const link = await linkFor('password-change', { user_id: id });
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
      newer: (id) => linkFor('password-change', { user_id: id }),
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
      const link = await linkFor('password-change', { user_id: id });
      const page = await visitor.follow(await visitor.get(link));
      expect([name, page.statusCode]).toEqual([name, 200]);
      await end(id, `/users/${encodeURIComponent(id)}`);
      isGone(await visitor.submit(page, { password: NEW, password_again: NEW }));
      isGone(await visitor.get(link));
    }
    const { id } = await createTestUser(world, 'link-time');
    const link = await linkFor('password-change', { user_id: id, ttl_sec: 60 });
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
    const verification = (await linkFor('email-verification', { user_id: id })).split('ticket=')[1] ?? '';
    isGone(await visitor.get(`/u/reset-verify?ticket=${verification}`));
    const reset = await linkFor('password-change', { user_id: id });
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
    const pageOfAda = await visitor.follow(await visitor.get(await linkFor('password-change', { user_id: ada.id })));
    await visitor.get(await linkFor('password-change', { user_id: bob.id }));
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

describe('a link that verifies an address', () => {
  it('marks it verified, once, and says so again afterwards', async () => {
    const { id } = await createTestUser(world, 'verify');
    const path = `/users/${encodeURIComponent(id)}`;
    await world.api().patch(path, { email_verified: false });
    const link = await linkFor('email-verification', { user_id: id });
    const visitor = world.visitor();
    expect((await world.request({ method: 'HEAD', path: link })).statusCode).toBe(200);
    expect((await world.api().get(path)).json()).toMatchObject({ email_verified: false });
    const types = await eventTypesOf(world, async () => {
      const page = await visitor.get(link);
      expect([page.statusCode, page.body]).toEqual([200, expect.stringContaining('Your email address is verified')]);
      const again = await visitor.get(link);
      expect([again.statusCode, again.body]).toEqual([200, expect.stringContaining('is verified already')]);
    });
    expect(types).toEqual(['sv']);
    expect((await world.api().get(path)).json()).toMatchObject({ email_verified: true });
  });

  it('sends on to result_url with what came of it, and nowhere when it is none', async () => {
    const { id, email } = await createTestUser(world, 'result');
    const result_url = 'https://app.example/verified?from=mail';
    const link = await linkFor('email-verification', { user_id: id, result_url });
    const { location } = (await world.visitor().get(link)).headers;
    const target = new URL(String(location));
    expect(target.origin + target.pathname).toBe('https://app.example/verified');
    expect(Object.fromEntries(target.searchParams)).toMatchObject({ from: 'mail', success: 'true', email });
    const quiet = await linkFor('email-verification', { user_id: id, result_url, includeEmailInRedirect: false });
    expect(String((await world.visitor().get(quiet)).headers.location)).not.toContain('email=');
    const old = await world.visitor().get(link);
    expect([old.statusCode, old.headers.location]).toEqual([200, undefined]);
    expect(old.body).toContain('is verified already');
    for (const stale of ['/u/email-verification?ticket=x', '/u/email-verification']) {
      const page = await world.visitor().get(stale);
      expect([page.statusCode, page.headers.location]).toEqual([400, undefined]);
    }
  });

  it('that a younger one took the place of says that it does not work, and once the address is verified that it is', async () => {
    const { id } = await createTestUser(world, 'impatient');
    const path = `/users/${encodeURIComponent(id)}`;
    await world.api().patch(path, { email_verified: false });
    const [first, second, third] = [
      await linkFor('email-verification', { user_id: id }),
      await linkFor('email-verification', { user_id: id }),
      await linkFor('email-verification', { user_id: id }),
    ];
    isGone(await world.visitor().get(first));
    expect((await world.visitor().get(third)).statusCode).toBe(200);
    const types = await eventTypesOf(world, async () => {
      for (const old of [first, second]) {
        const page = await world.visitor().get(old);
        expect([page.statusCode, page.body]).toEqual([200, expect.stringContaining('is verified already')]);
      }
    });
    expect(types).toEqual([]);
    await world.api().patch(path, { email: 'impatient-no-more@example.org', email_verified: true });
    isGone(await world.visitor().get(first));
  });

  it('ends with a change of the address, and leaves fv', async () => {
    const { id } = await createTestUser(world, 'moving');
    const path = `/users/${encodeURIComponent(id)}`;
    const link = await linkFor('email-verification', { user_id: id });
    await world.api().patch(path, { email: 'moving-on@example.org' });
    const types = await eventTypesOf(world, async () => {
      expect((await world.visitor().get(link)).statusCode).toBe(400);
    });
    expect(types).toEqual(['fv']);
    expect((await world.api().get(path)).json()).toMatchObject({ email_verified: false });
  });

  it('is mailed to who signs up, in the language of the browser, and by POST /jobs/verification-email', async () => {
    await world.api().patch('/tenants/settings', { enabled_locales: ['en', 'de'] });
    const email = 'neu@example.org';
    const visitor = world.visitor();
    const { response } = await visitor.authorize({ screen_hint: 'signup', ui_locales: 'de' });
    await visitor.submit(response, { email, password: NEW });
    const [mail] = await mailsTo(world, email);
    expect(mail).toMatchObject({ template: 'verify_email', language: 'de' });
    expect(mail?.subject).toContain('Bestätigen Sie Ihre E-Mail-Adresse');
    const [{ user_id }] = (await world.api().get(`/users-by-email?email=${email}`)).json();
    const types = await eventTypesOf(world, async () => {
      const job = await answer(world.api('update:users').post('/jobs/verification-email', { user_id }));
      expect(job).toMatchObject({
        status: 201,
        body: { type: 'verification_email', id: expect.stringMatching(/^job_/) },
      });
      const { id } = Object(job.body);
      expect((await world.api('read:users').get(`/jobs/${id}`)).json()).toMatchObject({ id, status: 'completed' });
    });
    expect(types).toEqual(['svr']);
    expect((await visitor.get(await linkMailedTo(world, email))).statusCode).toBe(200);
    await world.api().patch('/tenants/settings', { enabled_locales: ['en'] });
  });

  it.each([
    ['a new user', {}, 1],
    ['a new user whose address is proved', { email_verified: true }, 0],
    ['a new user who shall get no mail', { verify_email: false }, 0],
    ['a new user who shall get one all the same', { verify_email: true }, 1],
  ])('is mailed by POST /users to %s as the creator says', async (what, body, count) => {
    const email = `made-${what.replaceAll(' ', '-')}@example.org`;
    const made = await world.api().post('/users', { connection: world.connection, email, password: NEW, ...body });
    expect(await mailsTo(world, email)).toHaveLength(count);
    const path = `/users/${encodeURIComponent(made.json().user_id)}`;
    const moved = `moved-${email}`;
    await world.api().patch(path, { email: moved });
    expect(await mailsTo(world, moved)).toEqual([]);
    await world.api().patch(path, { email: `again-${email}`, verify_email: true });
    expect(await mailsTo(world, `again-${email}`)).toHaveLength(1);
  });

  it('ends after five days', async () => {
    const { id } = await createTestUser(world, 'days');
    await world.api().patch(`/users/${encodeURIComponent(id)}`, { email_verified: false });
    const link = await linkFor('email-verification', { user_id: id });
    world.advance(5 * DAY + 1_000);
    const page = await world.visitor().get(link);
    expect([page.statusCode, page.body]).toEqual([400, expect.stringContaining('This link has expired')]);
  });
});
