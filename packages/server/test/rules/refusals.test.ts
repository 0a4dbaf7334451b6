import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventsOf, passwordGrant, refresh } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { createBrowserApplication, DENY, loggedIn, television } from './every-flow.ts';
import { rule, setRules } from './rules.ts';

let world: World;
let app: Awaited<ReturnType<typeof createBrowserApplication>>;
beforeAll(async () => {
  world = await startWorld();
  app = await createBrowserApplication(world);
});
beforeEach(() => setRules(world, []));
afterAll(() => world.stop());

describe('a refusal of a rule', () => {
  const refusal = { error: 'access_denied', error_description: 'Not today', state: 'some-state' };

  it.each([
    ['the query', {}],
    ['the fragment', { response_type: 'id_token' }],
  ])('is told in %s', async (_where, parameters) => {
    const visitor = await loggedIn(world);
    await setRules(world, [DENY]);
    const { answer } = await visitor.authorize(app.at(parameters));
    expect(Object.fromEntries(answer ?? [])).toEqual({ ...refusal, iss: world.issuer });
  });

  it.each(['form_post', 'web_message'])('is told by response_mode=%s', async (response_mode) => {
    const visitor = await loggedIn(world);
    await setRules(world, [DENY]);
    const { response } = await visitor.authorize(app.at({ response_mode, prompt: 'none' }));
    expect(response.body).toContain('access_denied');
    expect(response.body).toContain('Not today');
  });

  it('is escaped on each page that tells it', async () => {
    const visitor = await loggedIn(world);
    await setRules(world, [
      'function (user, context, callback) { callback(new Error("</script><img src=x onerror=1>\\r\\nx: y")); }',
    ]);
    for (const response_mode of ['form_post', 'web_message', 'query']) {
      const { response } = await visitor.authorize(app.at({ response_mode, prompt: 'none' }));
      expect(response.body).not.toContain('<img');
      expect(String(response.headers.location)).not.toMatch(/[<\r\n]/);
    }
  });

  it('is told to a device at its next poll', async () => {
    await setRules(world, [DENY]);
    const { begin, letIn, poll } = await television(world);
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
    const visitor = await loggedIn(world);
    const [id] = await setRules(world, [['Sundays', DENY]]);
    const events = await eventsOf(world, async () => {
      await visitor.authorize(app.at({ prompt: 'none' }));
      await world
        .visitor()
        .logIn({ parameters: app.at() })
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
      { type: 'f', description: 'Not today', details: rules, user_name: world.user.email },
    ]);
  });

  it('is told to the application as it is, and to the log without the secrets that a rule put into it', async () => {
    const secret = 'a-key-of-the-tenant';
    await world.api().put('/rules-configs/PARTNER_KEY', { value: secret });
    await setRules(world, [
      'function (user, context, callback) { callback(new UnauthorizedError("Ask with " + configuration.PARTNER_KEY + "x".repeat(5000))); }',
    ]);
    const visitor = world.visitor();
    const { begin, letIn, poll } = await television(world);
    const device = await begin();
    const events = await eventsOf(world, async () => {
      const { error_description } = (await passwordGrant(world)).json();
      expect(error_description).toMatch(new RegExp(`^Ask with ${secret}x+$`));
      expect(error_description.length).toBeLessThanOrEqual(1_000);
      await expect(visitor.logIn()).rejects.toThrow(secret);
      await visitor.authorize(app.at({ prompt: 'none' }));
      await letIn(device.user_code);
      expect((await poll(device.device_code)).body).toContain(secret);
    });
    expect(events.map(({ type }) => type)).toEqual(['fepft', 'f', 'fsa', 'f', 'fede']);
    expect(JSON.stringify(events)).not.toContain(secret);
    const told = events.filter(({ type }) => type !== 'fede').map(({ description }) => description);
    for (const description of told) expect(description).toMatch(/^Ask with \*{5}x+$/);
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
      expect((await visitor.authorize(app.at(parameters))).answer?.get('error')).toBe('access_denied');
    await visitor.get(`/v2/logout?client_id=${app.client_id}`);
    await setRules(world, []);
    expect((await visitor.authorize(app.at({ prompt: 'none' }))).answer?.get('error')).toBe('login_required');
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
    const visitor = await loggedIn(world);
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
