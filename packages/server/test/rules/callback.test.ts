import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/containers/limits.ts';
import { eventsOf, passwordGrant } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { loginClaims, rule, setRules } from './rules.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ containerLimits: { jobMs: 2_000, killsUntilOpen: 100 } });
});
beforeEach(() => setRules(world, []));
afterAll(() => world.stop());

const NAME = 'https://example.com/seen';
const see = (expression: string) => rule(`context.idToken['${NAME}'] = ${expression};`);
const seen = async () => (await loginClaims(world))[NAME];
const login = async () => {
  const response = await passwordGrant(world, { scope: 'openid' });
  return { status: response.statusCode, body: response.json() };
};
const GENERIC = { error: 'access_denied', error_description: 'The login could not be completed' };

const ruleRuns = async () =>
  Number(
    /^gatewright_rule_runs_total\{outcome="success"\} (\d+)$/m.exec(
      (await world.request({ path: '/metrics' })).body,
    )?.[1],
  );

describe('the callback of a rule', () => {
  it('RUL.1: rules run in their order, each when the one before has called back', async () => {
    await setRules(world, [
      `function (user, context, callback) {
        setTimeout(() => { context.idToken['${NAME}'] = [1]; callback(null, user, context); }, 50);
      }`,
      rule(`context.idToken['${NAME}'].push(2);`),
      rule(`context.idToken['${NAME}'].push(3);`),
    ]);
    expect(await seen()).toEqual([1, 2, 3]);
  });

  it('RUL.2: rules run for users, and never for client credentials', async () => {
    const ids = await setRules(world, [rule('global.runs = (global.runs || 0) + 1;'), see('global.runs')]);
    expect(ids).toHaveLength(2);
    const before = Number(await seen());
    const { client_id, client_secret } = world.password_client;
    const form = { client_id, client_secret, grant_type: 'client_credentials', audience: world.main.api.identifier };
    const counted = await ruleRuns();
    expect((await world.token(form)).statusCode).toBe(200);
    expect(await ruleRuns()).toBe(counted);
    expect(await seen()).toBe(before + 1);
  });

  it('RUL.4: a rule that returns its callback is complete', async () => {
    await setRules(world, ['function (user, context, callback) { return callback(null, user, context); }']);
    expect((await login()).status).toBe(200);
  });

  it('RUL.5: a rule that never calls back ends the login with an error at the limit, and the log names it', async () => {
    const [id] = await setRules(world, [['Sleeper', 'function (user, context, callback) {}']]);
    const events = await eventsOf(world, async () => expect(await login()).toEqual({ status: 403, body: GENERIC }));
    const details = { rule: { failure: 'timeout', id, name: 'Sleeper' } };
    expect(events).toMatchObject([{ type: 'fepft', user_id: expect.any(String), details }]);
    expect(JSON.stringify(events)).toContain(GENERIC.error_description);
  });

  it('RUL.6: the first call counts, and a warning names the rule that calls again', async () => {
    const twice = 'function (user, context, callback) { callback(null, user, context); callback(new Error("again")); }';
    const [id] = await setRules(world, [['Twice', twice], see('true')]);
    const events = await eventsOf(world, async () => expect(await seen()).toBe(true));
    expect(events.find(({ type }) => type === 'w')).toMatchObject({
      description: expect.stringContaining('Twice called its callback again'),
      details: { warning: 'callback_twice', rule: { id, name: 'Twice' } },
    });
  });

  it('RUL.7: an async rule is waited for, and the rules after it as well', async () => {
    await setRules(world, [
      'async function (user, context, callback) { await new Promise((done) => setTimeout(done, 200)); user.waited = true; callback(null, user, context); }',
      see('user.waited'),
    ]);
    expect(await seen()).toBe(true);
  });

  it('RUL.8: the limit of all rules together is 20 seconds, and the container goes with it', async () => {
    expect(LIMITS.jobMs).toBe(20_000);
    const slow = 'function (user, context, callback) { setTimeout(() => callback(null, user, context), 1200); }';
    await setRules(world, [slow, ['Second', slow]]);
    const events = await eventsOf(world, async () => expect((await login()).status).toBe(403));
    expect(events).toMatchObject([{ type: 'fepft', details: { rule: { failure: 'timeout', name: 'Second' } } }]);
  });

  it('RUL.9: global lives from login to login, and ends with the container that a timeout ends', async () => {
    const count = rule(`global.count = (global.count || 0) + 1; context.idToken['${NAME}'] = global.count;`);
    await setRules(world, [count]);
    const first = Number(await seen());
    expect(await seen()).toBe(first + 1);
    await setRules(world, ['function (user, context, callback) { for (;;); }']);
    expect(await login()).toEqual({ status: 403, body: GENERIC });
    await setRules(world, [count]);
    expect(await seen()).toBe(1);
  });

  it('RUL.14: the callback may come at the end of asynchronous work', async () => {
    await setRules(world, [
      `function (user, context, callback) {
        require('fs');
        Promise.resolve(41).then((value) => setImmediate(() => { context.idToken['${NAME}'] = value + 1; callback(null, user, context); }));
      }`,
    ]);
    expect(await seen()).toBe(42);
  });

  it('RUL.15: what a rule changes after its callback is seen by nobody', async () => {
    await setRules(world, [
      `function (user, context, callback) {
        callback(null, user, context);
        setTimeout(() => { context.idToken['${NAME}'] = 'late'; }, 20);
      }`,
    ]);
    expect(await seen()).toBeUndefined();
  });

  it.each([
    ['nothing at all', 'callback()'],
    ['no status', 'callback(undefined, user, context)'],
    ['the status alone', 'callback(null)'],
    ['the user alone', 'callback(null, user)'],
  ])('RUL.44–45: a callback with %s goes on with the same objects', async (_what, call) => {
    await setRules(world, [`function (user, context, callback) { user.kept = 1; ${call}; }`, see('user.kept')]);
    expect(await seen()).toBe(1);
  });

  it('RUL.46: the members of new objects are taken over, nothing is lost, and a warning names the rule', async () => {
    await setRules(world, [
      rule('user.first = 1;'),
      ['Copies', 'function (user, context, callback) { callback(null, { second: 2 }, { idToken: {} }); }'],
      ['Mixes', 'function (user, context, callback) { callback(null, context, "text"); }'],
      see(
        '[user.first, user.second, user.user_id !== undefined, user.clientID === undefined, context.clientID !== undefined]',
      ),
    ]);
    const events = await eventsOf(world, async () => expect(await seen()).toEqual([1, 2, true, true, true]));
    expect(events.filter(({ type }) => type === 'w').map(({ description }) => description)).toEqual([
      'Copies called back with a new user: its members are taken over.',
      'Copies called back with a new context: its members are taken over.',
      'Mixes called back with something else than user: it is passed over.',
      'Mixes called back with something else than context: it is passed over.',
    ]);
  });
});

describe('RUL.47: the status of a callback', () => {
  it.each([
    ['an Error', 'new Error("Not on Sundays")', { error: 'access_denied', error_description: 'Not on Sundays' }],
    [
      'an UnauthorizedError',
      'new UnauthorizedError("Go away")',
      { error: 'unauthorized', error_description: 'Go away' },
    ],
    ['text', '"Just text"', { error: 'access_denied', error_description: 'Just text' }],
    ['an object', '({ message: "An object" })', { error: 'access_denied', error_description: 'An object' }],
    [
      'an ApplicationError',
      'new ApplicationError("too_young", "Come back later")',
      { error: 'too_young', error_description: 'Come back later' },
    ],
    [
      'a code that is none',
      'new ApplicationError("no code\\n", "x")',
      { error: 'access_denied', error_description: 'x' },
    ],
    ['no message', 'new Error()', GENERIC],
  ])('that is %s tells the application what its author wrote', async (_what, status, body) => {
    await setRules(world, [['Guard', `function (user, context, callback) { callback(${status}); }`]]);
    const events = await eventsOf(world, async () => expect(await login()).toEqual({ status: 403, body }));
    expect(events).toMatchObject([
      { type: 'fepft', description: body.error_description, details: { rule: { failure: 'threw', name: 'Guard' } } },
    ]);
  });

  it.each([
    ['uses what is not there', 'function (user, context, callback) { user.nothing.there; }', /nothing|undefined/],
    ['requires a module that is missing', "function () { require('left-pad'); }", /modules add left-pad/],
    ['can not be compiled', 'function (user, context, callback) { let = ; }', /SyntaxError|token/],
    ['rejects with a mistake', 'async function (user) { missing(); }', /missing/],
    ['ends its process', 'function () { process.exit(1); }', /crashed|threw/],
  ])('of a rule that %s is for the log alone', async (_what, code, words) => {
    await setRules(world, [['Broken', code]]);
    const events = await eventsOf(world, async () => expect(await login()).toEqual({ status: 403, body: GENERIC }));
    const failed = events.find(({ type }) => type === 'fepft');
    expect(failed).toMatchObject({ details: { rule: { name: 'Broken' } } });
    expect(JSON.stringify(failed?.details)).toMatch(words);
  });

  it('that is an UnauthorizedError is access_denied to applications of OpenID Connect, unless the tenant has the legacy pipeline', async () => {
    await setRules(world, ['function (user, context, callback) { callback(new UnauthorizedError("Go away")); }']);
    const api = world.api();
    const client = `/clients/${world.password_client.client_id}`;
    await api.patch(client, { oidc_conformant: true });
    expect((await login()).body).toEqual({ error: 'access_denied', error_description: 'Go away' });
    await api.patch('/tenants/settings', { flags: { enable_pipeline2: false } });
    expect((await login()).body).toEqual({ error: 'unauthorized', error_description: 'Go away' });
    await api.patch('/tenants/settings', { flags: { enable_pipeline2: true } });
    await api.patch(client, { oidc_conformant: false });
  });
});
