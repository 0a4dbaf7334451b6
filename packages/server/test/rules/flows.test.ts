import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  created,
  createTestClient,
  createTestUser,
  decodeJwt,
  eventsOf,
  passwordGrant,
  redeem,
  refresh,
  type TestClient,
  userinfo,
} from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { openGate } from './gate.ts';
import { rule, setRules } from './rules.ts';

const SEEN = 'https://example.com/seen';
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const DENY = 'function (user, context, callback) { callback(new UnauthorizedError("Not today")); }';

let world: World;
let app: TestClient;
let gate: Awaited<ReturnType<typeof openGate>>;
beforeAll(async () => {
  world = await startWorld();
  expect(world.app.containers.stats()).toMatchObject({ containers: 0, blank: 0 });
  gate = await openGate(world);
  app = await createTestClient(world, {
    name: 'All flows',
    app_type: 'spa',
    oidc_conformant: true,
    grant_types: ['authorization_code', 'implicit', 'refresh_token'],
    callbacks: ['https://app.example.com/callback'],
    web_origins: ['https://app.example.com'],
  });
});
beforeEach(() => setRules(world, []));
afterAll(async () => {
  await gate.close();
  await world.stop();
});

const at = (parameters: Record<string, string> = {}) => ({
  client_id: app.client_id,
  redirect_uri: 'https://app.example.com/callback',
  nonce: 'n',
  ...parameters,
});
const seeProtocol = () => setRules(world, [rule(`context.idToken['${SEEN}'] = context.protocol;`)]);

/** A browser that has logged in, before there are rules. */
async function loggedIn() {
  const visitor = world.visitor();
  await visitor.logIn();
  return visitor;
}

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
    const visitor = await loggedIn();
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
    const visitor = await loggedIn();
    await seeProtocol();
    const { answer } = await visitor.authorize(at({ response_type, prompt: 'none' }));
    expect(decodeJwt(answer?.get('id_token')).claims[SEEN]).toBe(protocol);
  });

  it('of a device: when its user lets it in', async () => {
    await seeProtocol();
    const { begin, letIn, poll } = await television();
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
    const begun = await visitor.authorize({ ...at(), client_id: stranger.client_id, scope: 'openid profile' });
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

describe('a refusal of a rule', () => {
  const refusal = { error: 'access_denied', error_description: 'Not today', state: 'some-state' };

  it.each([
    ['the query', {}],
    ['the fragment', { response_type: 'id_token' }],
  ])('is told in %s', async (_where, parameters) => {
    const visitor = await loggedIn();
    await setRules(world, [DENY]);
    const { answer } = await visitor.authorize(at(parameters));
    expect(Object.fromEntries(answer ?? [])).toEqual({ ...refusal, iss: world.issuer });
  });

  it.each(['form_post', 'web_message'])('is told by response_mode=%s', async (response_mode) => {
    const visitor = await loggedIn();
    await setRules(world, [DENY]);
    const { response } = await visitor.authorize(at({ response_mode, prompt: 'none' }));
    expect(response.body).toContain('access_denied');
    expect(response.body).toContain('Not today');
  });

  it('is escaped on each page that tells it', async () => {
    const visitor = await loggedIn();
    await setRules(world, [
      'function (user, context, callback) { callback(new Error("</script><img src=x onerror=1>\\r\\nx: y")); }',
    ]);
    for (const response_mode of ['form_post', 'web_message', 'query']) {
      const { response } = await visitor.authorize(at({ response_mode, prompt: 'none' }));
      expect(response.body).not.toContain('<img');
      expect(String(response.headers.location)).not.toMatch(/[<\r\n]/);
    }
  });

  it('is told to a device at its next poll', async () => {
    await setRules(world, [DENY]);
    const { begin, letIn, poll } = await television();
    const device = await begin();
    await letIn(device.user_code);
    const response = await poll(device.device_code);
    expect(response.statusCode).toBe(403);
    expect(response.json()).toMatchObject({
      error: 'access_denied',
      error_description: expect.stringContaining('Not today'),
    });
  });

  it('is an event of the flow that names the rule', async () => {
    const visitor = await loggedIn();
    const [id] = await setRules(world, [['Sundays', DENY]]);
    const events = await eventsOf(world, async () => {
      await visitor.authorize(at({ prompt: 'none' }));
      await world
        .visitor()
        .logIn({ parameters: at() })
        .catch(() => undefined);
    });
    const rules = { rule: { id, name: 'Sundays', failure: 'threw', error_name: 'UnauthorizedError' } };
    expect(events).toMatchObject([
      {
        type: 'fsa',
        description: 'Not today',
        details: rules,
        user_id: expect.any(String),
        connection: world.connection,
      },
      { type: 's' },
      { type: 'f', description: 'Not today', details: rules, user_name: world.user.email },
    ]);
  });

  it('RUL.48: ends no session: the next /authorize needs no password', async () => {
    await setRules(world, [DENY]);
    const visitor = world.visitor();
    await expect(visitor.logIn()).rejects.toThrow(/Not\+today|Not today/);
    await setRules(world, []);
    expect((await visitor.authorize()).answer?.get('code')).toEqual(expect.any(String));
  });

  it('RUL.49–50: is found again by each attempt, silent ones too, until the session is ended', async () => {
    await setRules(world, [DENY]);
    const visitor = world.visitor();
    await expect(visitor.logIn()).rejects.toThrow();
    for (const parameters of [{ prompt: 'none' }, {}, { prompt: 'none' }])
      expect((await visitor.authorize(at(parameters))).answer?.get('error')).toBe('access_denied');
    await visitor.get(`/v2/logout?client_id=${app.client_id}`);
    await setRules(world, []);
    expect((await visitor.authorize(at({ prompt: 'none' }))).answer?.get('error')).toBe('login_required');
  });
});

describe('a rule that demands a second factor', () => {
  const demand = (value: string) => setRules(world, [rule(`context.multifactor = ${value};`)]);

  it.each([
    "{ provider: 'any' }",
    "{ provider: 'guardian', allowRememberBrowser: false }",
    '{}',
    'true',
    "{ provider: 'None' }",
  ])('is never passed without one: %s', async (value) => {
    const { refresh_token } = (await passwordGrant(world, { scope: 'openid offline_access' })).json();
    const visitor = await loggedIn();
    await demand(value);
    const mfaRequired = { error: 'mfa_required', error_description: 'Multifactor authentication required' };
    for (const response of [await passwordGrant(world), await refresh(world, refresh_token)]) {
      expect(response.statusCode).toBe(403);
      expect(response.json()).toEqual(mfaRequired);
    }
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('error')).toBe('login_required');
    expect((await visitor.authorize()).answer?.get('error')).toBe('access_denied');
  });

  it.each(["{ provider: 'none' }", 'undefined', 'null', 'false'])('demands nothing with %s', async (value) => {
    await demand(value);
    expect((await passwordGrant(world)).statusCode).toBe(200);
  });
});

describe('what ended while rules ran', () => {
  it('gives no code where it is the session', async () => {
    const visitor = await loggedIn();
    await setRules(world, [gate.rule]);
    const { answer, response } = await gate.during(
      () => visitor.authorize(),
      async () => {
        const [user] = (await world.api().get(`/users-by-email?email=${world.user.email}`)).json();
        await world.api().delete(`/users/${user.user_id}/sessions`);
      },
    );
    expect(answer?.get('code') ?? undefined).toBeUndefined();
    expect(response.body).toContain('action="/u/login');
  });

  it('gives no token where it is the user, the password or the refresh token', async () => {
    const user = await createTestUser(world, 'ending');
    const own = { username: user.email, password: user.password, scope: 'openid offline_access' };
    const { refresh_token } = (await passwordGrant(world, own)).json();
    await setRules(world, [gate.rule]);
    const change = (body: object) => () => world.api().patch(`/users/${user.id}`, body);
    const changed = await gate.during(() => passwordGrant(world, own), change({ password: 'Another-Pass-word-9' }));
    expect(changed.json()).toMatchObject({ error: 'invalid_grant' });
    const revoked = await gate.during(
      () => refresh(world, refresh_token),
      async () => undefined,
    );
    expect(revoked.json()).toMatchObject({ error: 'invalid_grant' });
    await setRules(world, []);
    const renewed = (await passwordGrant(world, { ...own, password: 'Another-Pass-word-9' })).json();
    await setRules(world, [gate.rule]);
    const blocked = await gate.during(() => refresh(world, renewed.refresh_token), change({ blocked: true }));
    expect(blocked.json()).toMatchObject({ error: 'invalid_grant' });
  });

  it('gives both of two refreshes at once the same successor', async () => {
    const { refresh_token } = (await passwordGrant(world, { scope: 'openid offline_access' })).json();
    await setRules(world, [rule('context.idToken.n = Math.random();')]);
    const answers = await Promise.all([refresh(world, refresh_token), refresh(world, refresh_token)]);
    const tokens = answers.map((response) => response.json().refresh_token);
    expect(tokens[0]).toEqual(expect.any(String));
    expect(tokens[0]).toBe(tokens[1]);
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

/** A device of its own, and its user's browser. */
async function television() {
  const device = await createTestClient(world, { name: 'TV', app_type: 'native', grant_types: [DEVICE_GRANT] });
  return {
    begin: async () =>
      (
        await world.request({ path: '/oauth/device/code', form: { client_id: device.client_id, scope: 'openid' } })
      ).json(),
    async letIn(userCode: string) {
      const visitor = world.visitor();
      const { email: username, password } = world.user;
      const confirmation = await visitor.get(`/activate?user_code=${userCode}`);
      const login = await visitor.follow(await visitor.submit(confirmation, { action: 'confirm' }));
      return visitor.follow(await visitor.submit(login, { username, password }));
    },
    poll: (device_code: string) => world.token({ grant_type: DEVICE_GRANT, client_id: device.client_id, device_code }),
  };
}
