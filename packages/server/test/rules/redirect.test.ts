import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestClient, createTestUser, decodeJwt, eventsOf, passwordGrant, refresh } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { openGate } from './gate.ts';
import {
  ASK,
  back,
  claimsOf,
  codeOf,
  DEVICE_GRANT,
  expectRefused,
  leave,
  locationOf,
  PAGE,
  SAY,
  SEEN,
  stateOf,
} from './leaving.ts';
import { rule, setRules } from './rules.ts';

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

describe('context.redirect', () => {
  it('RUL.10: acts when all rules have ended, and RUL.26: adds a state and nothing else', async () => {
    await setRules(world, [
      ASK,
      rule(`user.seen = true; context.redirect.url = context.redirect.url.replace('a=1', 'a=2');`),
    ]);
    const { response, state } = await leave(world);
    expect(response.statusCode).toBe(302);
    expect(locationOf(response)).toBe(`${PAGE}?a=2&b=x%20y&state=${state}#part`);
    expect(state).toMatch(/^[\w-]{43}$/);
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  });

  it('RUL.10: is nothing where a later rule refuses the login', async () => {
    await setRules(world, [ASK, 'function (user, context, callback) { callback(new UnauthorizedError("no")); }']);
    const { response } = await leave(world);
    expect(locationOf(response)).toMatch(/^http:\/\/localhost:5555\/callback\?error=unauthorized/);
  });

  it('RUL.21 and RUL.13: /continue runs all rules again and completes the original request', async () => {
    await setRules(world, [
      rule(`global.runs = (global.runs || 0) + 1; context.idToken['https://example.com/runs'] = global.runs;`),
      ASK,
      SAY,
    ]);
    const { visitor, verifier, state } = await leave(world);
    const response = await back(visitor, state, '&answer=yes&code=theirs');
    expect(locationOf(response)).toMatch(/^http:\/\/localhost:5555\/callback\?/);
    expect(new URL(locationOf(response)).searchParams.get('state')).toBe('some-state');
    const claims = await claimsOf(world, response, verifier);
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
    const { visitor, verifier, state } = await leave(world);
    const response = await visitor.post(
      '/continue',
      { state, nickname: 'Ada' },
      { origin: 'https://pages.example.com' },
    );
    const claims = await claimsOf(world, response, verifier);
    expect(claims[SEEN]).toEqual(['redirect-callback', 'oidc-basic-profile', {}, { state, nickname: 'Ada' }]);
  });

  it('RUL.25: acts once: a rule that redirects again is not heard, and a warning says so', async () => {
    await setRules(world, [rule(`context.redirect = { url: '${PAGE}' };`)]);
    const { visitor, state } = await leave(world);
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
    const { visitor, verifier, state } = await leave(world, undefined, {}, { ...world.user, ...ada });
    await world.api().patch(`/users/${ada.id}`, { app_metadata: { plan: 'gold' }, name: 'New name' });
    expect((await claimsOf(world, await back(visitor, state), verifier))[SEEN]).toEqual(['mine', 'gold', 'New name']);
  });

  it('works where a session answers /authorize at once', async () => {
    await setRules(world, []);
    const visitor = world.visitor();
    await visitor.logIn();
    await setRules(world, [ASK]);
    const { verifier, state } = await leave(world, visitor);
    const response = await back(visitor, state);
    expect(await claimsOf(world, response, verifier)).toMatchObject({ sub: expect.stringMatching(/^auth0\|/) });
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
    const { visitor, verifier, state } = await leave(world, undefined, {}, { ...world.user, ...flagged });
    await world.api().patch(`/users/${flagged.id}`, { app_metadata: { terms: 'accepted' } });
    expect((await claimsOf(world, await back(visitor, state), verifier))[SEEN]).toBe('accepted');
    expect((await visitor.authorize()).answer?.has('code')).toBe(true);
  });

  it('waits for the consent of the user after /continue, without running rules again', async () => {
    await setRules(world, [ASK, SAY]);
    const { visitor, verifier, state } = await leave(world, undefined, { prompt: 'consent' });
    const page = await visitor.follow(await back(visitor, state));
    expect(page.statusCode).toBe(200);
    await expectRefused(world, () => back(visitor, state));
    const response = await visitor.follow(await visitor.submit(page, { action: 'accept' }));
    expect((await claimsOf(world, response, verifier))[SEEN]).toEqual([
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
      expect(locationOf((await leave(world)).response)).toMatch(/callback\?error=access_denied/);
    });
    expect(events.find(({ type }) => type === 'f')).toMatchObject({
      details: { redirect: url, reason: expect.any(String) },
    });
  });

  it('to http on the same machine while a tenant is in development, and RUL.26: to https alone in production', async () => {
    const local = rule(`context.redirect = { url: 'http://localhost:4000/ask?state=theirs&x=1' };`);
    await setRules(world, [local]);
    const { response, state } = await leave(world);
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
