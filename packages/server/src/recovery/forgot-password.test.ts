import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkMailedTo, mailsTo } from '../../test/mails.ts';
import { createTestUser, eventsOf, eventTypesOf, passwordGrant, refresh } from '../../test/protocol.ts';
import { CALLBACK, type Visitor } from '../../test/visitor.ts';
import { startWorld, type World } from '../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const NEW = 'A-quite-new-horse-9';

/** From the login page to the form that asks who one is. */
async function forgot(visitor: Visitor) {
  const { response } = await visitor.authorize();
  const [, link = ''] = /<a href="(\/u\/reset-password\/request[^"]+)"/.exec(response.body) ?? [];
  return visitor.get(link.replaceAll('&amp;', '&'));
}

async function askFor(visitor: Visitor, username: string) {
  return visitor.submit(await forgot(visitor), { username });
}

/** The page behind the newest link that went to this address. */
async function openLink(visitor: Visitor, address: string) {
  return visitor.follow(await visitor.get(await linkMailedTo(world, address)));
}

describe('who forgot the password', () => {
  it('asks for a link on the login page, gets it by mail, chooses a new one, and logs in where they left off', async () => {
    const ada = await createTestUser(world, 'ada');
    const visitor = world.visitor();
    const sent = await askFor(visitor, 'Ada@Example.org');
    expect(sent.statusCode).toBe(200);
    expect(sent.body).toContain('<h1>Check your email</h1>');

    const [mail, ...others] = await mailsTo(world, ada.email);
    expect(others).toEqual([]);
    expect(mail).toMatchObject({ template: 'reset_email', status: 'stored', language: 'en', userId: ada.id });
    expect(mail?.text).toMatch(/^https:\/\/localhost:3443\/u\/reset-verify\?ticket=[A-Za-z0-9]{32}#$/m);

    const page = await openLink(visitor, ada.email);
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain(`For ${ada.email}`);
    const done = await visitor.submit(page, { password: NEW, password_again: NEW });
    expect([done.statusCode, done.body]).toEqual([200, expect.stringContaining('Your password is changed')]);

    const [, back = ''] = /<a class="primary" href="([^"]+)"/.exec(done.body) ?? [];
    expect(back).toMatch(/^\/u\/login\?state=/);
    const login = await visitor.get(back);
    const answer = await visitor.follow(await visitor.submit(login, { username: ada.email, password: NEW }));
    expect(String(answer.headers.location)).toContain(`${CALLBACK}?code=`);
  });

  it('leaves the events scpr and scp, neither with a password or a ticket', async () => {
    const { email, id } = await createTestUser(world, 'bea');
    const visitor = world.visitor();
    const events = await eventsOf(world, async () => {
      await askFor(visitor, email);
      await visitor.submit(await openLink(visitor, email), { password: NEW, password_again: NEW });
    });
    expect(events.map(({ type, user_id }) => [type, user_id])).toEqual([
      ['scpr', id],
      ['scp', id],
    ]);
    const ticket = (await mailsTo(world, email))[0]?.text.match(/ticket=(\w+)/)?.[1] ?? '?';
    expect(JSON.stringify(events)).not.toMatch(new RegExp(`${NEW}|${ticket}`));
  });

  it('is logged out everywhere: session, refresh token and the old password end', async () => {
    const { email, password } = await createTestUser(world, 'cleo');
    const elsewhere = world.visitor();
    await elsewhere.logIn({ username: email, password });
    const { refresh_token } = (
      await passwordGrant(world, { username: email, password, scope: 'openid offline_access' })
    ).json();
    const visitor = world.visitor();
    await askFor(visitor, email);
    await visitor.submit(await openLink(visitor, email), { password: NEW, password_again: NEW });
    expect((await elsewhere.authorize({ prompt: 'none' })).answer?.get('error')).toBe('login_required');
    expect((await refresh(world, refresh_token)).statusCode).toBe(403);
    expect((await passwordGrant(world, { username: email, password })).statusCode).toBe(403);
    expect((await passwordGrant(world, { username: email, password: NEW })).statusCode).toBe(200);
  });

  it('has proved the address with it', async () => {
    const { email, id } = await createTestUser(world, 'dora');
    const path = `/users/${encodeURIComponent(id)}`;
    await world.api().patch(path, { email_verified: false });
    const visitor = world.visitor();
    await askFor(visitor, email);
    await visitor.submit(await openLink(visitor, email), { password: NEW, password_again: NEW });
    expect((await world.api().get(path)).json()).toMatchObject({ email_verified: true });
  });

  it('is told what is wrong with a new password, and the link still works', async () => {
    const { email } = await createTestUser(world, 'eve');
    const visitor = world.visitor();
    await askFor(visitor, email);
    const page = await openLink(visitor, email);
    for (const [password, password_again, text] of [
      ['', '', 'Choose a password.'],
      [NEW, '', 'Enter the password once more.'],
      [NEW, `${NEW}x`, 'The two passwords are not the same.'],
      ['abc', 'abc', 'This password is too weak.'],
    ] as const) {
      const refused = await visitor.submit(page, { password, password_again });
      expect([refused.statusCode, refused.body]).toEqual([400, expect.stringContaining(text)]);
    }
    expect((await visitor.submit(page, { password: NEW, password_again: NEW })).statusCode).toBe(200);
  });

  it('opens in the language that the application asked for, as the mail is', async () => {
    await world.api().patch('/tenants/settings', { enabled_locales: ['en', 'de'] });
    const { email } = await createTestUser(world, 'lou');
    const visitor = world.visitor();
    const { response } = await visitor.authorize({ ui_locales: 'de', screen_hint: 'reset-password' });
    expect(response.body).toContain('action="/u/reset-password/request?state=');
    await visitor.submit(response, { username: email });
    expect((await mailsTo(world, email))[0]).toMatchObject({ language: 'de' });
    const page = await openLink(world.visitor(), email);
    expect(page.body).toContain('<html lang="de"');
    const refused = await visitor.submit(await openLink(visitor, email), { password: '', password_again: '' });
    expect(refused.body).toContain('<html lang="de"');
    await world.api().patch('/tenants/settings', { enabled_locales: ['en'] });
  });

  it('is told on the page when what was typed is no address', async () => {
    const visitor = world.visitor();
    for (const [username, text] of [
      ['', 'Enter your email address.'],
      ['ada', 'This is not a complete email address.'],
    ] as const) {
      const types = await eventTypesOf(world, async () => {
        const page = await askFor(visitor, username);
        expect([page.statusCode, page.body]).toEqual([400, expect.stringContaining(text)]);
      });
      expect(types).toEqual([]);
    }
  });

  it('may ask ten times at once, and then once a minute', async () => {
    const { email } = await createTestUser(world, 'fay');
    const visitor = world.visitor();
    const form = await forgot(visitor);
    const ask = async () => (await visitor.submit(form, { username: email })).statusCode;
    for (let count = 0; count < 10; count++) expect(await ask()).toBe(200);
    expect(await ask()).toBe(429);
    expect(await mailsTo(world, email)).toHaveLength(10);
    world.advance(61_000);
    expect([await ask(), await ask()]).toEqual([200, 429]);
  });
});

describe('a directory whose passwords can not be reset by their users', () => {
  it('shows no link, and refuses a form that is posted all the same', async () => {
    const { email } = await createTestUser(world, 'gil');
    const visitor = world.visitor();
    const form = await forgot(visitor);
    const [{ id, options }] = (await world.api().get(`/connections?name=${world.connection}`)).json();
    await world
      .api()
      .patch(`/connections/${id}`, { options: { ...options, disable_self_service_change_password: true } });
    const types = await eventTypesOf(world, async () => {
      expect((await visitor.submit(form, { username: email })).statusCode).toBe(400);
    });
    expect(types).toEqual(['fcpr']);
    const { response } = await visitor.authorize();
    expect(response.body).not.toContain('/u/reset-password');
    expect(await mailsTo(world, email)).toEqual([]);
    await world.api().patch(`/connections/${id}`, { options });
  });
});
