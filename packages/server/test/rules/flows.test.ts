import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  created,
  createTestClient,
  createTestUser,
  decodeJwt,
  passwordGrant,
  redeem,
  refresh,
  userinfo,
} from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { createBrowserApplication, DENY, loggedIn, SEEN, television } from './every-flow.ts';
import { rule, setRules } from './rules.ts';

let world: World;
let app: Awaited<ReturnType<typeof createBrowserApplication>>;
beforeAll(async () => {
  world = await startWorld();
  expect(world.app.containers.stats()).toMatchObject({ containers: 0, blank: 0 });
  app = await createBrowserApplication(world);
});
beforeEach(() => setRules(world, []));
afterAll(() => world.stop());

const seeProtocol = () => setRules(world, [rule(`context.idToken['${SEEN}'] = context.protocol;`)]);

describe('a tenant without enabled rules', () => {
  it('has no container, whatever logs in', async () => {
    const second = await startWorld();
    try {
      await created(second.api().post('/rules', { name: 'off', script: DENY, enabled: false }));
      const visitor = second.visitor();
      await visitor.logIn();
      expect((await visitor.authorize({ prompt: 'none' })).answer?.has('code')).toBe(true);
      const { refresh_token } = (await passwordGrant(second, { scope: 'openid offline_access' })).json();
      expect((await refresh(second, refresh_token)).statusCode).toBe(200);
      expect(second.app.containers.stats()).toMatchObject({ containers: 0, blank: 0 });
    } finally {
      await second.stop();
    }
  });
});

describe('rules in each flow', () => {
  it('of a browser: the code brings their claims, and /userinfo has them', async () => {
    await seeProtocol();
    const tokens = (await redeem(world, await world.visitor().logIn())).json();
    expect(decodeJwt(tokens.id_token).claims[SEEN]).toBe('oidc-basic-profile');
    expect((await userinfo(world, tokens.access_token)).json()[SEEN]).toBe('oidc-basic-profile');
  });

  it('silently: they run anew, and know of the single sign-on', async () => {
    const visitor = await loggedIn(world);
    await setRules(world, [
      rule(
        `context.idToken['${SEEN}'] = [context.request.query.prompt, context.sso.with_auth0, context.stats.loginsCount, context.sessionID];`,
      ),
    ]);
    const before = (await world.api().get(`/users-by-email?email=${world.user.email}`)).json()[0].logins_count;
    const { answer, verifier } = await visitor.authorize({ prompt: 'none' });
    const { claims } = decodeJwt((await redeem(world, { code: answer?.get('code') ?? '', verifier })).json().id_token);
    expect(claims[SEEN]).toEqual(['none', true, before, claims.sid]);
  });

  it.each([
    ['id_token', 'oidc-implicit-profile'],
    ['token id_token', 'oidc-implicit-profile'],
    ['code id_token', 'oidc-implicit-profile'],
  ])('through the browser: response_type=%s', async (response_type, protocol) => {
    const visitor = await loggedIn(world);
    await seeProtocol();
    const { answer } = await visitor.authorize(app.at({ response_type, prompt: 'none' }));
    expect(decodeJwt(answer?.get('id_token')).claims[SEEN]).toBe(protocol);
  });

  it('of a device: when its user lets it in', async () => {
    await seeProtocol();
    const { begin, letIn, poll } = await television(world);
    const device = await begin();
    await letIn(device.user_code);
    expect(decodeJwt((await poll(device.device_code)).json().id_token).claims[SEEN]).toBe('oauth2-device-code');
  });

  it('run once where the user is asked for consent in between', async () => {
    const stranger = await createTestClient(world, {
      name: 'Stranger',
      app_type: 'spa',
      is_first_party: false,
      grant_types: ['authorization_code'],
      callbacks: ['https://app.example.com/callback'],
    });
    await setRules(world, [rule(`global.asked = (global.asked || 0) + 1; context.idToken['${SEEN}'] = global.asked;`)]);
    const visitor = world.visitor();
    const begun = await visitor.authorize({ ...app.at(), client_id: stranger.client_id, scope: 'openid profile' });
    const { email: username, password } = world.user;
    const consent = await visitor.follow(await visitor.submit(begun.response, { username, password }));
    const scope = /name="scope" value="([^"]*)"/.exec(consent.body)?.[1] ?? '';
    const done = await visitor.follow(await visitor.submit(consent, { action: 'accept', scope }));
    const code = new URL(String(done.headers.location)).searchParams.get('code') ?? '';
    const redirect_uri = 'https://app.example.com/callback';
    const tokens = await redeem(
      world,
      { code, verifier: begun.verifier },
      { client_id: stranger.client_id, redirect_uri },
    );
    expect(decodeJwt(tokens.json().id_token).claims[SEEN]).toBe(1);
  });
});

describe('several logins at once', () => {
  it('see nothing of each other, in one container', async () => {
    const users = await Promise.all(['one', 'two', 'three'].map((name) => createTestUser(world, name)));
    await setRules(world, [
      `async function (user, context, callback) {
        await new Promise((done) => setTimeout(done, 30));
        context.idToken['${SEEN}'] = [user.email, context.request.body.username, configuration.X === undefined];
        callback(null, user, context);
      }`,
    ]);
    const answers = await Promise.all(
      users.map(({ email, password }) => passwordGrant(world, { username: email, password, scope: 'openid' })),
    );
    for (const [index, { email }] of users.entries())
      expect(decodeJwt(answers[index]?.json().id_token).claims[SEEN]).toEqual([email, email, true]);
  });
});
