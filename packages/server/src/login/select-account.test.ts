import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestClient, createTestUser, decodeJwt, enableDirectory, eventsOf, redeem } from '../../test/protocol.ts';
import { CALLBACK, type Visitor } from '../../test/visitor.ts';
import { startWorld, type World } from '../../test/world.ts';

type Page = Awaited<ReturnType<Visitor['get']>>;
type Ask = Readonly<Record<string, string>>;
type Person = Awaited<ReturnType<typeof createTestUser>>;

let world: World;
let ada: Person;
let bob: Person;
beforeAll(async () => {
  world = await startWorld();
  ada = await createTestUser(world, 'ada');
  bob = await createTestUser(world, 'bob');
});
afterAll(() => world.stop());

const isPicker = ({ body }: Page) => body.includes('action="/u/login-select-account?state=');
const isLogin = ({ body }: Page) => body.includes('action="/u/login?state=');
const isConsent = ({ body }: Page) => body.includes('action="/u/consent?state=');
const answerOf = ({ headers }: Page) => new URL(String(headers.location)).searchParams;
const credentials = ({ email, password }: Person) => ({ username: email, password });
const hidden = (page: Page) =>
  Object.fromEntries(
    [...page.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, n, v]) => [n, v]),
  );
const send = async (visitor: Visitor, page: Page, fields: Ask = {}) =>
  visitor.follow(await visitor.submit(page, fields));

/** A browser in which Ada is logged in, at the first page of a request. */
async function asked(parameters: Ask) {
  const visitor = world.visitor();
  await visitor.logIn(credentials(ada));
  const begun = await visitor.authorize(parameters);
  return { visitor, page: begun.response, verifier: begun.verifier };
}

/** Whose tokens an answer is good for. */
async function subjectOf(response: Page, verifier: string): Promise<unknown> {
  const code = answerOf(response).get('code') ?? '';
  return decodeJwt((await redeem(world, { code, verifier })).json().id_token).claims.sub;
}

describe('prompt=select_account', () => {
  it('shows whose session it is, and goes on with it as one login', async () => {
    const { visitor, page, verifier } = await asked({ prompt: 'select_account' });
    expect(isPicker(page)).toBe(true);
    expect(page.body).toContain('Continue as ada@example.org');
    const records = await eventsOf(world, async () => {
      expect(await subjectOf(await send(visitor, page), verifier)).toBe(ada.id);
    });
    expect(records.map(({ type }) => type)).toEqual(['s', 'seacft']);
  });

  it('lets another account log in instead', async () => {
    const { visitor, page, verifier } = await asked({ prompt: 'select_account' });
    const [, other = ''] = /<a href="([^"]+)">Use another account/.exec(page.body) ?? [];
    const login = await visitor.get(other);
    expect(isLogin(login)).toBe(true);
    expect(await subjectOf(await send(visitor, login, credentials(bob)), verifier)).toBe(bob.id);
  });

  it('shows the login page where nobody is logged in, or the session may not be used', async () => {
    expect(isLogin((await world.visitor().authorize({ prompt: 'select_account' })).response)).toBe(true);
    const { client_id } = await createTestClient(
      world,
      { app_type: 'spa', callbacks: [CALLBACK] },
      { mayLogIn: false },
    );
    await world.api().post('/connections', { name: 'Elsewhere', strategy: 'auth0', enabled_clients: [client_id] });
    expect(isLogin((await asked({ prompt: 'select_account', client_id })).page)).toBe(true);
  });

  it('shows the account again where another tab has changed it', async () => {
    const { visitor, page } = await asked({ prompt: 'select_account' });
    await visitor.logIn({ parameters: { prompt: 'login' }, ...credentials(bob) });
    const again = await send(visitor, page);
    expect(isPicker(again)).toBe(true);
    expect(again.body).toContain('bob@example.org');
  });

  it('goes on with nobody after a logout, and with no session that the application may not use any more', async () => {
    const { client_id } = await createTestClient(world, { app_type: 'spa', callbacks: [CALLBACK] });
    const first = await asked({ prompt: 'select_account', client_id });
    await enableDirectory(world, client_id, false);
    expect(answerOf(await first.visitor.submit(first.page, {})).get('error')).toBe('invalid_request');
    const { visitor, page } = await asked({ prompt: 'select_account' });
    await visitor.get(`/v2/logout?client_id=${world.spa_client.client_id}`);
    expect(isLogin(await send(visitor, page))).toBe(true);
  });

  it('goes on with no other user than the one of id_token_hint', async () => {
    const login = await world.visitor().logIn(credentials(bob));
    const { id_token } = (await redeem(world, login)).json();
    const { visitor, page } = await asked({ prompt: 'select_account', id_token_hint: id_token });
    expect(answerOf(await send(visitor, page)).get('error')).toBe('login_required');
  });

  it.each<[string, Ask, Ask, number]>([
    ['without the token of our page', { _csrf: '' }, {}, 403],
    ['from another site', {}, { origin: 'https://evil.example.com' }, 403],
    ['with the state of no login', { state: 'a'.repeat(43) }, {}, 400],
  ])('refuses the form %s', async (_what, changes, headers, status) => {
    const { visitor, page } = await asked({ prompt: 'select_account' });
    const response = await visitor.post('/u/login-select-account', { ...hidden(page), ...changes }, headers);
    expect([response.statusCode, response.headers.location]).toEqual([status, undefined]);
  });

  it('refuses the form of another browser', async () => {
    const attacker = await asked({ prompt: 'select_account' });
    const victim = await asked({ prompt: 'select_account' });
    expect((await victim.visitor.post('/u/login-select-account', hidden(attacker.page))).statusCode).toBe(400);
  });

  it('that is answered twice, or ten times at once, is one login', async () => {
    const { visitor, page } = await asked({ prompt: 'select_account' });
    const answers = await Promise.all(Array.from({ length: 10 }, () => visitor.submit(page, {})));
    expect(answers.filter(({ statusCode }) => statusCode === 303)).toHaveLength(1);
  });
});

describe('several prompts', () => {
  it('login and select_account: the chosen account proves itself, and its name stands there', async () => {
    const { visitor, page, verifier } = await asked({ prompt: 'login select_account' });
    expect(isPicker(page)).toBe(true);
    const login = await send(visitor, page);
    expect(isLogin(login)).toBe(true);
    expect(login.body).toContain('value="ada@example.org"');
    expect(await subjectOf(await send(visitor, login, credentials(ada)), verifier)).toBe(ada.id);
  });

  it('select_account with a max_age that has passed: the chosen account proves itself', async () => {
    const visitor = world.visitor();
    await visitor.logIn(credentials(ada));
    world.advance(120_000);
    const within = await visitor.authorize({ prompt: 'select_account', max_age: '120' });
    expect(answerOf(await send(visitor, within.response)).has('code')).toBe(true);
    const passed = await visitor.authorize({ prompt: 'select_account', max_age: '119' });
    expect(isLogin(await send(visitor, passed.response))).toBe(true);
  });

  it('login, consent and select_account: one page after the other', async () => {
    const { visitor, page, verifier } = await asked({ prompt: 'consent login select_account' });
    const login = await send(visitor, page);
    const consent = await send(visitor, login, credentials(ada));
    expect([isPicker(page), isLogin(login), isConsent(consent)]).toEqual([true, true, true]);
    expect(await subjectOf(await send(visitor, consent, { action: 'accept' }), verifier)).toBe(ada.id);
  });

  it('none beside another is refused', async () => {
    for (const prompt of ['none select_account', 'consent none']) {
      const { answer } = await world.visitor().authorize({ prompt });
      expect(answer?.get('error')).toBe('invalid_request');
    }
  });

  it('and a sign-up hint lead to the sign-up page, behind the account picker', async () => {
    const hint = { screen_hint: 'signup' };
    const isSignUp = ({ body }: Page) => body.includes('action="/u/signup?state=');
    expect(isSignUp((await world.visitor().authorize({ ...hint, prompt: 'login consent' })).response)).toBe(true);
    const { visitor, page } = await asked({ ...hint, prompt: 'select_account' });
    expect(isPicker(page)).toBe(true);
    const [, other = ''] = /<a href="([^"]+)">Use another account/.exec(page.body) ?? [];
    expect(isSignUp(await visitor.get(other))).toBe(true);
  });
});
