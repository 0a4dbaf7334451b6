import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Tail, type TailRecord, tailLogs } from '../../src/logs/reading/tail-logs.ts';
import { action, setActions } from '../actions/actions.ts';
import { decodeJwt, eventsOf, passwordGrant } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { rule, setRules } from './rules.ts';

const NAME = 'https://example.com/seen';
const HOUR = 3_600_000;

let world: World;
beforeAll(async () => {
  world = await startWorld({ managementRateLimit: { burst: 400, perSecond: 0.001 } });
});
afterAll(() => world.stop());

async function logIn(times = 1, tenant = world.main) {
  for (let time = 1; time < times; time++) expect((await passwordGrant(world, {}, tenant)).statusCode).toBe(200);
  return passwordGrant(world, { scope: 'openid' }, tenant);
}

/** What `gatewright logs tail --console --no-follow` shows. */
async function printed(tenantId = 'dev'): Promise<TailRecord[]> {
  const tail: Tail = { tenantId, query: { kind: 'all' }, withConsole: true, lines: 50, follow: false };
  const shown: TailRecord[] = [];
  for await (const { records } of tailLogs({ ...world.app.stores, wait: async () => undefined }, tail))
    shown.push(...records);
  return shown.filter(({ type }) => type === 'console');
}

const print = (body: string) => rule(`console.log(${body});`);

describe('what rules print', () => {
  it('is kept for their author, by execution and rule, without secrets', async () => {
    await world.api().put('/rules-configs/API_KEY', { value: 'sk_live_0123456789' });
    await setRules(world, [
      ['first', rule("console.log('for', user.email, { key: configuration.API_KEY });")],
      [
        'second',
        rule("console.error(new Error('oops').message, auth0.accessToken, 'Bearer ' + configuration.API_KEY);"),
      ],
    ]);
    await logIn();
    const [record] = await vi.waitFor(async () => {
      const records = await printed();
      expect(records).toHaveLength(1);
      return records;
    }, 60_000);
    expect(record).toMatchObject({
      type: 'console',
      kind: 'rules',
      outcome: 'ok',
      lines: [
        { level: 'log', text: `for ${world.user.email} { key: '*****' }`, part: { name: 'first' } },
        { level: 'error', text: 'oops ***** Bearer *****', part: { name: 'second' } },
      ],
    });
    expect(JSON.stringify(record)).not.toMatch(/sk_live|eyJ/);
  });

  it('is masked in the message of a failure, too', async () => {
    await world.api().put('/rules-configs/DSN', { value: 'server=db;key=4711' });
    await setRules(world, [['fails', "function () { throw new TypeError('No way to ' + configuration.DSN); }"]]);
    const records = await eventsOf(world, async () => {
      expect((await logIn()).body).not.toContain('4711');
    });
    expect(records).toMatchObject([{ details: { rule: { error_message: 'No way to *****' } } }]);
    expect(JSON.stringify(records)).not.toContain('4711');
  });

  it('stands beside the failure in the log, and not in what the application hears', async () => {
    await setRules(world, [['fails', "function () { console.log('about to fail'); undefined.x; }"]]);
    const records = await eventsOf(world, async () => {
      const response = await logIn();
      expect(response.statusCode).toBe(403);
      expect(response.body).not.toContain('about to fail');
    });
    expect(records).toMatchObject([{ details: { rule: { name: 'fails', console: ['about to fail'] } } }]);
  });

  it("is nobody else's: another tenant sees none of it", async () => {
    const other = await world.createTenant('elsewhere');
    await setRules(world, [print("'mine'")]);
    await logIn();
    await vi.waitFor(async () => expect(JSON.stringify(await printed())).toContain('mine'), 60_000);
    expect(await printed(other.tenant)).toEqual([]);
  });

  it('is bounded: a flood costs no login, and little room', async () => {
    await setRules(world, [
      print("'x'.repeat(100)"),
      rule("for (let i = 0; i < 1000; i++) console.log('y'.repeat(100));"),
    ]);
    await logIn(30);
    await vi.waitFor(async () => expect(JSON.stringify(await printed())).toContain('lines are not kept'), 60_000);
    const { rows } = await world.database.pool.query(
      "select sum(length(lines::text)) as size from console_output where tenant_id = 'dev'",
    );
    expect(Number(rows[0].size)).toBeLessThan(1_000_000);
  });
});

describe('OPS.33: a rule that calls the Management API at each login', () => {
  const call = rule(`await auth0.users.get(user.user_id);`).replace('function', 'async function');
  const warnings = async (step: () => Promise<unknown>) =>
    (await eventsOf(world, step)).filter(({ type }) => type === 'w');

  it('is named by one warning an hour, whatever the number of logins', async () => {
    const [, id] = await setRules(world, [rule(''), ['asks each time', call]]);
    const first = await warnings(() => logIn(20));
    expect(first).toMatchObject([
      {
        description: expect.stringContaining("The rule 'asks each time' called the Management API in 10 of 10 runs"),
        details: { warning: 'management_api_at_each_login', rule: { id, name: 'asks each time' }, calls: 10 },
      },
    ]);
    expect(await warnings(() => logIn(20))).toEqual([]);
    world.advance(HOUR + 1);
    expect(await warnings(() => logIn(20))).toHaveLength(1);
  });

  it('is named once, also where two servers see its logins', async () => {
    world.advance(HOUR + 1);
    await setRules(world, [['asks at both', call]]);
    const second = await world.secondServer();
    const found = await warnings(async () => {
      const { client_id, client_secret } = world.password_client;
      const { email, password } = world.user;
      const form = { grant_type: 'password', client_id, client_secret, username: email, password };
      for (let time = 0; time < 12; time++)
        await Promise.all([logIn(), second.request({ path: '/oauth/token', form })]);
    });
    await second.stop();
    expect(found).toHaveLength(1);
  });

  it('is not one that calls now and then, nor (RUL.32) one that reads its copy of the user', async () => {
    world.advance(HOUR + 1);
    const once = call.replace('await', 'if (user.logins_count % 4 === 0) await');
    await setRules(world, [
      ['now and then', once],
      ['reads', rule(`context.idToken['${NAME}'] = user.email;`)],
    ]);
    expect(await warnings(() => logIn(24))).toEqual([]);
    const { id_token } = (await logIn()).json();
    expect(decodeJwt(id_token).claims[NAME]).toBe(world.user.email);
  });

  it('RUL.35: uses up a limit of its own, and leaves the operators theirs', async () => {
    const left = async () => Number((await world.api().get('/rules')).headers['x-ratelimit-remaining']);
    await setRules(world, [['asks each time', call]]);
    const before = await left();
    await logIn(5);
    // The question itself.
    expect(before - (await left())).toBe(1);
  });
});

describe('an action', () => {
  it('has its console kept like a rule, and its secrets hidden in it and in the event of its failure', async () => {
    await setRules(world, []);
    const secrets = [{ name: 'HOOK_SECRET', value: 'whsec_0123456789' }];
    const code = action(
      'onExecutePostLogin',
      "console.log('HOOK_SECRET is', event.secrets.HOOK_SECRET); throw new Error('sent ' + event.secrets.HOOK_SECRET);",
    );
    await setActions(world, 'post-login', [{ name: 'Calls a hook', code, secrets }]);
    const records = await eventsOf(world, () => passwordGrant(world));
    await setActions(world, 'post-login', []);
    expect(records.find(({ type }) => type === 'actions_execution_failed')).toMatchObject({
      details: { action_name: 'Calls a hook', console: 'HOOK_SECRET is *****' },
    });
    const shown = await vi.waitFor(async () => {
      const [last] = (await printed()).slice(-1);
      expect(last).toMatchObject({ kind: 'action' });
      return last;
    }, 60_000);
    expect(shown?.lines).toMatchObject([
      { level: 'log', text: 'HOOK_SECRET is *****', part: { name: 'Calls a hook' } },
    ]);
    expect(JSON.stringify(records)).not.toContain('whsec_');
  });
});

describe('RUL.20: JSON.stringify(context)', () => {
  const hand = rule(`context.idToken['${NAME}'] = JSON.parse(JSON.stringify({ context })).context;`);
  const handedOut = async () => Object(decodeJwt((await logIn()).json().id_token).claims[NAME]);

  it('hands out everything, as rules of the wild expect', async () => {
    await setRules(world, [hand]);
    expect(await handedOut()).toMatchObject({ protocol: 'oauth2-password', request: { body: {} } });
  });

  it('hands out nothing about the person where the tenant wants it so, and rules go on as before', async () => {
    await world.api().put('/rules-configs/gatewright:redact-context', { value: 'on' });
    await setRules(world, [hand, rule(`context.idToken['${NAME}/ip'] = context.request.ip;`)]);
    expect(await handedOut()).toEqual({
      tenant: 'dev',
      clientID: world.password_client.client_id,
      clientName: expect.any(String),
      connectionID: expect.any(String),
      connection: world.connection,
      connectionStrategy: 'auth0',
      protocol: 'oauth2-password',
      stats: { loginsCount: expect.any(Number) },
      redacted: true,
    });
    const { id_token } = (await logIn()).json();
    expect(decodeJwt(id_token).claims[`${NAME}/ip`]).toEqual(expect.any(String));
  });
});
