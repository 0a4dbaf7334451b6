import type { Response } from 'light-my-request';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestClient, createTestUser, decodeJwt, eventsOf, passwordGrant, redeem, refresh } from '../protocol.ts';
import { CALLBACK, type Visitor } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';
import { openGate } from './gate.ts';
import { rule, setRules } from './rules.ts';

const SEEN = 'https://example.com/seen';
const PAGE = 'https://pages.example.com/ask';
const MINUTE = 60_000;
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const ASK = rule(
  `if (context.protocol !== 'redirect-callback') context.redirect = { url: '${PAGE}?a=1&b=x%20y#part' };`,
);
const SAY = rule(
  `context.idToken['${SEEN}'] = [context.protocol, context.original_protocol || null, context.request.query, context.request.body];`,
);

let world: World;
let gate: Awaited<ReturnType<typeof openGate>>;
beforeAll(async () => {
  world = await startWorld();
  gate = await openGate(world);
});
beforeEach(() => setRules(world, [ASK]));
afterAll(async () => {
  await gate.close();
  await world.stop();
});

/** From /authorize over the login page to the page that a rule names. */
async function leave(visitor: Visitor = world.visitor(), parameters: Record<string, string> = {}, user = world.user) {
  const begun = await visitor.authorize(parameters);
  const { email: username, password } = user;
  const response = begun.response.headers.location
    ? begun.response
    : await visitor.follow(await visitor.submit(begun.response, { username, password }));
  return { visitor, verifier: begun.verifier, response, state: stateOf(response) };
}

const locationOf = ({ headers }: Response) => String(headers.location);
const stateOf = (response: Response) => new URL(locationOf(response)).searchParams.get('state') ?? '';
const codeOf = (response: Response) => new URL(locationOf(response)).searchParams.get('code') ?? '';
const back = (visitor: Visitor, state: string, more = '') => visitor.get(`/continue?state=${state}${more}`);

async function claimsOf(response: Response, verifier: string) {
  return decodeJwt((await redeem(world, { code: codeOf(response), verifier })).json().id_token).claims;
}

async function expectRefused(asked: () => Promise<Response>): Promise<void> {
  const events = await eventsOf(world, async () => {
    const response = await asked();
    expect([response.statusCode, response.headers.location]).toEqual([400, undefined]);
    expect(response.body).toContain('invalid_request');
  });
  expect(events).toMatchObject([{ type: 'f', details: { error: { oauthError: 'invalid_request' } } }]);
}

describe('context.redirect', () => {
  it('RUL.10: acts when all rules have ended, and RUL.26: adds a state and nothing else', async () => {
    await setRules(world, [
      ASK,
      rule(`user.seen = true; context.redirect.url = context.redirect.url.replace('a=1', 'a=2');`),
    ]);
    const { response, state } = await leave();
    expect(response.statusCode).toBe(302);
    expect(locationOf(response)).toBe(`${PAGE}?a=2&b=x%20y&state=${state}#part`);
    expect(state).toMatch(/^[\w-]{43}$/);
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  });

  it('RUL.10: is nothing where a later rule refuses the login', async () => {
    await setRules(world, [ASK, 'function (user, context, callback) { callback(new UnauthorizedError("no")); }']);
    const { response } = await leave();
    expect(locationOf(response)).toMatch(/^http:\/\/localhost:5555\/callback\?error=unauthorized/);
  });

  it('RUL.21 and RUL.13: /continue runs all rules again and completes the original request', async () => {
    await setRules(world, [
      rule(`global.runs = (global.runs || 0) + 1; context.idToken['https://example.com/runs'] = global.runs;`),
      ASK,
      SAY,
    ]);
    const { visitor, verifier, state } = await leave();
    const response = await back(visitor, state, '&answer=yes&code=theirs');
    expect(locationOf(response)).toMatch(/^http:\/\/localhost:5555\/callback\?/);
    expect(new URL(locationOf(response)).searchParams.get('state')).toBe('some-state');
    const claims = await claimsOf(response, verifier);
    expect(claims['https://example.com/runs']).toBe(2);
    expect(claims[SEEN]).toEqual([
      'redirect-callback',
      'oidc-basic-profile',
      { state, answer: 'yes', code: 'theirs' },
      {},
    ]);
  });

  it('RUL.28: a form posted to /continue is the body that rules see', async () => {
    await setRules(world, [ASK, SAY]);
    const { visitor, verifier, state } = await leave();
    const response = await visitor.post(
      '/continue',
      { state, nickname: 'Ada' },
      { origin: 'https://pages.example.com' },
    );
    const claims = await claimsOf(response, verifier);
    expect(claims[SEEN]).toEqual(['redirect-callback', 'oidc-basic-profile', {}, { state, nickname: 'Ada' }]);
  });

  it('RUL.25: acts once: a rule that redirects again is not heard, and a warning says so', async () => {
    await setRules(world, [rule(`context.redirect = { url: '${PAGE}' };`)]);
    const { visitor, state } = await leave();
    const events = await eventsOf(world, async () => {
      expect(codeOf(await back(visitor, state))).not.toBe('');
    });
    expect(events.map(({ type }) => type)).toContain('w');
  });

  it('keeps what rules set on the user, and reads metadata anew', async () => {
    const ada = await createTestUser(world, 'kept');
    await setRules(world, [
      rule(`if (context.protocol === 'redirect-callback') context.idToken['${SEEN}'] = [user.jti, user.app_metadata.plan, user.name];
        else { user.jti = 'mine'; user.app_metadata = { plan: 'unseen' }; context.redirect = { url: '${PAGE}' }; }`),
    ]);
    const { visitor, verifier, state } = await leave(undefined, {}, { ...world.user, ...ada });
    await world.api().patch(`/users/${ada.id}`, { app_metadata: { plan: 'gold' }, name: 'New name' });
    expect((await claimsOf(await back(visitor, state), verifier))[SEEN]).toEqual(['mine', 'gold', 'New name']);
  });

  it('works where a session answers /authorize at once', async () => {
    await setRules(world, []);
    const visitor = world.visitor();
    await visitor.logIn();
    await setRules(world, [ASK]);
    const { verifier, state } = await leave(visitor);
    const response = await back(visitor, state);
    expect(await claimsOf(response, verifier)).toMatchObject({ sub: expect.stringMatching(/^auth0\|/) });
  });

  it('works where a device is let in: the device gets its tokens after /continue', async () => {
    const device = await createTestClient(world, { app_type: 'native', grant_types: [DEVICE_GRANT] });
    const { client_id } = device;
    await setRules(world, [ASK, SAY]);
    const begun = (await world.request({ path: '/oauth/device/code', form: { client_id, scope: 'openid' } })).json();
    const visitor = world.visitor();
    const confirmation = await visitor.get(`/activate?user_code=${begun.user_code}`);
    const page = await visitor.follow(await visitor.submit(confirmation, { action: 'confirm' }));
    const { email: username, password } = world.user;
    const away = await visitor.follow(await visitor.submit(page, { username, password }));
    const done = await back(visitor, stateOf(away));
    expect(locationOf(done)).toBe('/activate/success');
    const form = { grant_type: DEVICE_GRANT, client_id, device_code: begun.device_code };
    const { claims } = decodeJwt((await world.token(form)).json().id_token);
    expect(claims[SEEN]).toMatchObject(['redirect-callback', 'oauth2-device-code', {}, {}]);
  });

  it('RUL.23: a flag in app_metadata decides', async () => {
    const flagged = await createTestUser(world, 'flagged');
    await world.api().patch(`/users/${flagged.id}`, { app_metadata: { terms: 'open' } });
    await setRules(world, [
      rule(`const { terms } = user.app_metadata || {};
        if (terms === 'open' && context.protocol !== 'redirect-callback') context.redirect = { url: '${PAGE}' };
        else context.idToken['${SEEN}'] = terms;`),
    ]);
    const { visitor, verifier, state } = await leave(undefined, {}, { ...world.user, ...flagged });
    await world.api().patch(`/users/${flagged.id}`, { app_metadata: { terms: 'accepted' } });
    expect((await claimsOf(await back(visitor, state), verifier))[SEEN]).toBe('accepted');
    expect((await visitor.authorize()).answer?.has('code')).toBe(true);
  });

  it('waits for the consent of the user after /continue, without running rules again', async () => {
    await setRules(world, [ASK, SAY]);
    const { visitor, verifier, state } = await leave(undefined, { prompt: 'consent' });
    const page = await visitor.follow(await back(visitor, state));
    expect(page.statusCode).toBe(200);
    await expectRefused(() => back(visitor, state));
    const response = await visitor.follow(await visitor.submit(page, { action: 'accept' }));
    expect((await claimsOf(response, verifier))[SEEN]).toEqual([
      'redirect-callback',
      'oidc-basic-profile',
      { state },
      {},
    ]);
  });
});

describe('where a redirect may go', () => {
  it.each([
    ['http://pages.example.com/ask', 'http elsewhere'],
    ['/ask', 'a relative address'],
    ['javascript:alert(1)', 'a script'],
    ['https://user@pages.example.com/', 'a user'],
  ])('not to %s: %s', async (url) => {
    await setRules(world, [rule(`context.redirect = { url: ${JSON.stringify(url)} };`)]);
    const events = await eventsOf(world, async () => {
      expect(locationOf((await leave()).response)).toMatch(/callback\?error=access_denied/);
    });
    expect(events.find(({ type }) => type === 'f')).toMatchObject({
      details: { redirect: url, reason: expect.any(String) },
    });
  });

  it('to http on the same machine while a tenant is in development, and RUL.26: to https alone in production', async () => {
    const local = rule(`context.redirect = { url: 'http://localhost:4000/ask?state=theirs&x=1' };`);
    await setRules(world, [local]);
    const { response, state } = await leave();
    expect(locationOf(response)).toBe(`http://localhost:4000/ask?x=1&state=${state}`);
    const live = await world.createTenant('live', { environment: 'production' });
    const redirect_uri = 'https://app.example.com/callback';
    const client = { app_type: 'spa', callbacks: [redirect_uri] };
    const { client_id } = await createTestClient(world, client, { tenant: live });
    await setRules(world, [local], live);
    const visitor = world.visitor(live);
    const begun = await visitor.authorize({ client_id, redirect_uri });
    const { email: username, password } = live.user;
    const refused = await visitor.follow(await visitor.submit(begun.response, { username, password }));
    expect(locationOf(refused)).toMatch(/^https:\/\/app\.example\.com\/callback\?error=access_denied/);
  });

  it('RUL.24: nowhere without a browser, or with one that may not be asked', async () => {
    await setRules(world, []);
    const visitor = world.visitor();
    await visitor.logIn();
    const { refresh_token } = (await passwordGrant(world, { scope: 'openid offline_access' })).json();
    await setRules(world, [ASK]);
    const events = await eventsOf(world, async () => {
      expect((await passwordGrant(world)).json()).toMatchObject({ error: 'interaction_required' });
      expect((await refresh(world, refresh_token)).json()).toMatchObject({ error: 'interaction_required' });
      expect((await visitor.authorize({ prompt: 'none' })).answer?.get('error')).toBe('interaction_required');
    });
    expect(events.map(({ type }) => type)).toEqual(['fepft', 'fertft', 'fsa']);
  });
});

describe('/continue', () => {
  it('RUL.11 and RUL.12: is open for an hour, however long rules may run', async () => {
    const first = await leave();
    world.advance(59 * MINUTE);
    expect(codeOf(await back(first.visitor, first.state))).not.toBe('');
    const second = await leave();
    world.advance(61 * MINUTE);
    await expectRefused(() => back(second.visitor, second.state));
  });

  it('refuses a state that is missing, forged, doubled, of another browser, of another tenant or used', async () => {
    const { visitor, state } = await leave();
    const stranger = world.visitor();
    await stranger.authorize();
    const other = await world.createTenant('other');
    const cookie = [...visitor.cookies].map(([name, value]) => `${name.replace('gw-dev', 'gw-other')}=${value}`);
    for (const ask of [
      () => visitor.get('/continue'),
      () => back(visitor, `${state.slice(0, -1)}${state.endsWith('A') ? 'B' : 'A'}`),
      () => back(visitor, state, `&state=${state}`),
      () => back(visitor, `${state}%00`),
      () => back(stranger, state),
      () => back(world.visitor(), state),
    ])
      await expectRefused(ask);
    const elsewhere = await world.request({
      path: `/continue?state=${state}`,
      tenant: other,
      headers: { cookie: cookie.join('; ') },
    });
    expect(elsewhere.statusCode).toBe(400);
    expect(codeOf(await back(visitor, state))).not.toBe('');
    await expectRefused(() => back(visitor, state));
  });

  it('judges what a browser brings once: after a refusal there is no second attempt', async () => {
    await setRules(world, [
      `function (user, context, callback) {
        if (context.protocol !== 'redirect-callback') context.redirect = { url: '${PAGE}' };
        else if (context.request.query.pin !== '1234') return callback(new UnauthorizedError('wrong pin'));
        callback(null, user, context);
      }`,
    ]);
    const { visitor, state } = await leave();
    expect(locationOf(await back(visitor, state, '&pin=0000'))).toContain('error_description=wrong+pin');
    await expectRefused(() => back(visitor, state, '&pin=1234'));
  });

  it('goes on for one of several requests at once', async () => {
    await setRules(world, [ASK, gate.rule]);
    const begun = await gate.during(
      () => leave(),
      async () => {},
    );
    const { visitor, state } = begun;
    const others: Response[] = [];
    const first = await gate.during(
      () => back(visitor, state),
      async () => {
        for (const guess of ['1', '2', '3']) others.push(await back(visitor, state, `&pin=${guess}`));
      },
    );
    expect(others.map(({ statusCode }) => statusCode)).toEqual([400, 400, 400]);
    expect(codeOf(first)).not.toBe('');
  });

  it('can be asked again two minutes after a server died with it', async () => {
    const { visitor, verifier, state } = await leave();
    await world.database.pool.query('update login_transactions set continued_at = $1 where suspended is not null', [
      world.now(),
    ]);
    await expectRefused(() => back(visitor, state));
    // Rules and actions may wait and run for 20 s each: it may still be under way.
    world.advance(MINUTE);
    await expectRefused(() => back(visitor, state));
    world.advance(MINUTE);
    expect(await claimsOf(await back(visitor, state), verifier)).toHaveProperty('sub');
  });

  it('keeps two tabs apart', async () => {
    const visitor = world.visitor();
    const one = await leave(visitor);
    const two = await leave(visitor);
    expect(one.state).not.toBe(two.state);
    expect(await claimsOf(await back(visitor, two.state), two.verifier)).toHaveProperty('sub');
    expect(await claimsOf(await back(visitor, one.state), one.verifier)).toHaveProperty('sub');
  });

  it('lets a reload of the login redirect again, under a new state that ends the old one', async () => {
    const visitor = world.visitor();
    const begun = await visitor.authorize();
    const { email: username, password } = world.user;
    const resume = locationOf(await visitor.submit(begun.response, { username, password }));
    const first = stateOf(await visitor.get(resume));
    const second = stateOf(await visitor.get(resume));
    await expectRefused(() => back(visitor, first));
    expect(codeOf(await back(visitor, second))).not.toBe('');
    expect((await visitor.get(resume)).statusCode).toBe(400);
  });

  it('asks who the user is where they have logged out or changed their password meanwhile', async () => {
    const ada = await createTestUser(world, 'renews');
    const flag = rule(`if (!(user.app_metadata || {}).renewed) context.redirect = { url: '${PAGE}' };`);
    await setRules(world, [flag]);
    const { visitor, verifier, state } = await leave(undefined, {}, { ...world.user, ...ada });
    const password = 'Another-correct-horse-8';
    await world.api().patch(`/users/${ada.id}`, { password, connection: world.connection });
    await world.api().patch(`/users/${ada.id}`, { app_metadata: { renewed: true } });
    const page = await visitor.follow(await back(visitor, state));
    expect([page.statusCode, page.body.includes('name="password"')]).toEqual([200, true]);
    await expectRefused(() => back(visitor, state));
    const response = await visitor.follow(await visitor.submit(page, { username: ada.email, password }));
    expect(await claimsOf(response, verifier)).toMatchObject({ sub: ada.id });
  });

  it('gives nobody else the tokens of who left: another user of the same browser proves who they are', async () => {
    const { visitor, state } = await leave();
    const eve = await createTestUser(world, 'eve');
    await setRules(world, []);
    const begun = await visitor.authorize({ prompt: 'login' });
    await visitor.follow(await visitor.submit(begun.response, { username: eve.email, password: eve.password }));
    expect(locationOf(await back(visitor, state))).toMatch(/^\/u\/login\?state=/);
  });

  it('tells a user who was blocked meanwhile, and gives no tokens', async () => {
    const user = await createTestUser(world, 'blocked');
    const { visitor, state } = await leave(undefined, {}, { ...world.user, ...user });
    await world.api().patch(`/users/${user.id}`, { blocked: true });
    const page = await visitor.follow(await back(visitor, state));
    const { email: username, password } = user;
    const response = await visitor.follow(await visitor.submit(page, { username, password }));
    expect(locationOf(response)).toMatch(/callback\?error=unauthorized/);
  });

  it('RUL.27: another application logs in meanwhile by single sign-on: rules run for it on their own', async () => {
    await setRules(world, [
      rule(
        `if (context.clientID === '${world.spa_client.client_id}' && context.protocol !== 'redirect-callback') context.redirect = { url: '${PAGE}' };`,
      ),
    ]);
    const { visitor, verifier, state } = await leave();
    const { client_id } = world.password_client;
    await world
      .api()
      .patch(`/clients/${client_id}`, { callbacks: [CALLBACK], grant_types: ['authorization_code', 'password'] });
    const inner = await visitor.authorize({ client_id, prompt: 'none', scope: 'openid' });
    expect(inner.answer?.has('code')).toBe(true);
    expect(await claimsOf(await back(visitor, state), verifier)).toHaveProperty('sub');
  });
});
