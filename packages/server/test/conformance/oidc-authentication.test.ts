import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALLBACK, type Visitor } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';
import { type Application, claimsOf, createApplication, passwordTokens, redeem, tokensOf } from './code-flow.ts';

let world: World;
let browser: Visitor;
let hint: string;
beforeAll(async () => {
  world = await startWorld();
  browser = world.visitor();
  hint = (await redeem(world, await browser.logIn())).json().id_token;
});
afterAll(() => world.stop());

const isLoginPage = (body: string): boolean => /<input[^>]*type="password"/.test(body);

describe('prompt (OpenID Connect Core sections 3.1.2.1 and 3.1.2.3)', () => {
  it('none shows no page: a code with a session, login_required without one', async () => {
    expect((await browser.authorize({ prompt: 'none' })).answer?.has('code')).toBe(true);
    const { answer, response } = await world.visitor().authorize({ prompt: 'none' });
    expect([answer?.get('error'), answer?.get('state')]).toEqual(['login_required', 'some-state']);
    expect(response.statusCode).toBe(302);
  });

  it('none stands alone', async () => {
    for (const prompt of ['none login', 'login none', 'none consent'])
      expect((await browser.authorize({ prompt })).answer?.get('error')).toBe('invalid_request');
  });

  it('login asks again although there is a session, and the ID token tells the new time', async () => {
    world.advance(60_000);
    const { response, verifier } = await browser.authorize({ prompt: 'login' });
    expect(isLoginPage(response.body)).toBe(true);
    const done = await browser.follow(
      await browser.submit(response, { username: world.user.email, password: world.user.password }),
    );
    const code = new URL(String(done.headers.location)).searchParams.get('code') ?? '';
    const { auth_time } = claimsOf((await redeem(world, { code, verifier })).json().id_token);
    expect(auth_time).toBe(Math.floor(world.now().getTime() / 1000));
  });

  it('refuses values that it does not know', async () => {
    expect((await browser.authorize({ prompt: 'telepathy' })).answer?.get('error')).toBe('invalid_request');
  });
});

describe('max_age (OpenID Connect Core sections 2 and 3.1.2.1)', () => {
  it('asks again when the login is older, and not when it is younger', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    world.advance(100_000);
    expect((await visitor.authorize({ max_age: '100' })).answer?.has('code')).toBe(true);
    expect((await visitor.authorize({ max_age: '99', prompt: 'none' })).answer?.get('error')).toBe('login_required');
    expect(isLoginPage((await visitor.authorize({ max_age: '99' })).response.body)).toBe(true);
    expect(isLoginPage((await visitor.authorize({ max_age: '0' })).response.body)).toBe(true);
  });

  it('brings auth_time into the ID token: when the user proved who they are, not when the token was made', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    const loggedInAt = Math.floor(world.now().getTime() / 1000);
    world.advance(50_000);
    const { answer, verifier } = await visitor.authorize({ max_age: '1000' });
    const tokens = (await redeem(world, { code: answer?.get('code') ?? '', verifier })).json();
    expect(claimsOf(tokens.id_token)).toMatchObject({ auth_time: loggedInAt, iat: loggedInAt + 50 });
  });
});

describe('id_token_hint (OpenID Connect Core section 3.1.2.2)', () => {
  it('lets the user that it names go on, however old it is', async () => {
    world.advance(40_000_000);
    const visitor = world.visitor();
    await visitor.logIn();
    expect((await visitor.authorize({ id_token_hint: hint, prompt: 'none' })).answer?.has('code')).toBe(true);
  });

  describe('of somebody else', () => {
    let others: string;
    const ada = { email: 'ada@example.com', password: 'Analytical-Engine-1843' };
    beforeAll(async () => {
      await world.api().post('/users', { connection: world.connection, ...ada });
      const form = { username: ada.email, password: ada.password, scope: 'openid' };
      expect((await passwordTokens(world, form)).statusCode).toBe(200);
      const login = await world.visitor().logIn({ username: ada.email, password: ada.password });
      others = (await redeem(world, login)).json().id_token;
    });

    it('gets no code from the session of another user', async () => {
      const visitor = world.visitor();
      await visitor.logIn();
      const { answer } = await visitor.authorize({ id_token_hint: others, prompt: 'none' });
      expect([answer?.get('error'), answer?.has('code')]).toEqual(['login_required', false]);
      expect(isLoginPage((await visitor.authorize({ id_token_hint: others })).response.body)).toBe(true);
    });

    it('gets no code when another user logs in, and one when the right user does', async () => {
      const visitor = world.visitor();
      const wrong = await visitor.authorize({ id_token_hint: others });
      const done = await visitor.follow(
        await visitor.submit(wrong.response, { username: world.user.email, password: world.user.password }),
      );
      const answer = new URL(String(done.headers.location)).searchParams;
      expect([answer.get('error'), answer.has('code')]).toEqual(['login_required', false]);
      const login = await world
        .visitor()
        .logIn({ parameters: { id_token_hint: others }, username: ada.email, password: ada.password });
      expect(login.code).toBeTruthy();
    });
  });

  it('is refused when it is no ID token of this client and tenant', async () => {
    const { access_token } = await tokensOf(world, { audience: 'https://api.example.com/', scope: 'openid' });
    const otherClient = (await passwordTokens(world, { scope: 'openid' })).json().id_token;
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${hint.split('.')[1]}.`;
    for (const id_token_hint of [access_token, otherClient, unsigned, `${hint}x`, 'x', 'a.b.c'])
      expect((await browser.authorize({ id_token_hint })).answer?.get('error')).toBe('invalid_request');
  });
});

describe('other parameters of an authentication request', () => {
  it('never stop a login: display, ui_locales, claims_locales, acr_values, claims', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    const parameters = {
      display: 'touch',
      ui_locales: 'xx de-CH',
      claims_locales: 'fr',
      acr_values: 'urn:nobody:knows',
      claims: '{"userinfo":{"email":null}}',
    };
    expect((await visitor.authorize(parameters)).answer?.has('code')).toBe(true);
  });

  it.each([
    ['request', 'request_not_supported'],
    ['request_uri', 'request_uri_not_supported'],
  ])('%s is not supported and is refused as such', async (name, error) => {
    const { answer } = await browser.authorize({ [name]: 'https://client.example/request.jwt' });
    expect([answer?.get('error'), answer?.has('code')]).toEqual([error, false]);
  });

  it('login_hint fills in the login page, as text', async () => {
    const { response } = await world.visitor().authorize({ login_hint: '"><b>ada@example.com' });
    expect(response.body).toContain('ada@example.com');
    expect(response.body).not.toContain('"><b>');
  });

  it('response_mode form_post posts the answer from a page, each value as text', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    const { response } = await visitor.authorize({ response_mode: 'form_post', state: '"><script>x</script>' });
    expect([response.statusCode, response.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(response.body).toContain(`<form method="post" action="${CALLBACK}"`);
    expect(response.body).toMatch(/name="code" value="[\w-]{43}"/);
    expect(response.body).not.toContain('"><script>x');
  });
});

describe('consent (OpenID Connect Core sections 3.1.2.4 and 11)', () => {
  let strangers: Application;
  beforeAll(async () => {
    strangers = await createApplication(world, { app_type: 'spa', is_first_party: false, callbacks: [CALLBACK] });
  });

  it("comes before the tokens of a stranger's application: a page, and consent_required where none may be shown", async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    const silent = await visitor.authorize({ client_id: strangers.client_id, prompt: 'none' });
    expect([silent.answer?.get('error'), silent.answer?.has('code')]).toEqual(['consent_required', false]);
    const { response } = await visitor.authorize({ client_id: strangers.client_id });
    expect(response.body).toContain('action="/u/consent?state=');
    const allowed = await visitor.follow(await visitor.submit(response, { action: 'accept' }));
    expect(allowed.headers.location).toContain('code=');
  });

  it('is asked for again with prompt=consent', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    const { response } = await visitor.authorize({ prompt: 'consent' });
    expect(response.body).toContain('action="/u/consent?state=');
  });

  it('for offline_access comes from the API and the client: without both there is no refresh token', async () => {
    const { client_id } = await createApplication(world, {
      app_type: 'spa',
      callbacks: [CALLBACK],
      grant_types: ['authorization_code'],
    });
    const login = await world.visitor().logIn({ parameters: { client_id, scope: 'openid offline_access' } });
    const tokens = (await redeem(world, login, { client_id })).json();
    expect(tokens.scope).toBe('openid');
    expect(tokens).not.toHaveProperty('refresh_token');
    await world
      .api()
      .post('/resource-servers', { identifier: 'urn:online', name: 'Online', allow_offline_access: false });
    expect(await tokensOf(world, { audience: 'urn:online' })).not.toHaveProperty('refresh_token');
  });
});
