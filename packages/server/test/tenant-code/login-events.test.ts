import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { action, setActions } from '../actions/actions.ts';
import { created, createTestClient, createTestUser, eventsOf, eventTypesOf, type LogRecord } from '../protocol.ts';
import { back, stateOf } from '../rules/leaving.ts';
import { CALLBACK } from '../visitor.ts';
import { type ManagementClient, startWorld, type World } from '../world.ts';
import { everyLogin, type Person } from './every-login.ts';

type Logins = Awaited<ReturnType<typeof everyLogin>>;

let world: World;
let manage: ManagementClient;
let logins: Logins;
let ada: Person;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
  logins = await everyLogin(world);
  ada = await createTestUser(world, 'ada');
});
afterAll(() => world.stop());

describe('a login is one event', () => {
  it.each<[string, string[], string[], keyof Logins['flows']]>([
    ['at the pages, for a code', ['s'], ['f'], 'pages'],
    ['at the pages, for tokens', ['s'], ['f'], 'tokensInTheAddress'],
    ['of a session, with the browser at the address', ['s'], ['f'], 'session'],
    ['of a session, silently', ['ssa'], ['fsa'], 'silent'],
    ['of a device', ['s'], ['f'], 'device'],
    ['of a device that polls then', ['s', 'sede'], ['f', 'fede'], 'deviceThatPolls'],
    ["in an application's own form", ['scoa', 's'], ['scoa', 'f'], 'ownForm'],
    ['by password', ['sepft'], ['fepft'], 'password'],
    ['by password and realm', ['sepft'], ['fepft'], 'passwordRealm'],
    ['by refresh token', ['sertft'], ['fertft'], 'refreshToken'],
    ["by exchange of somebody else's token", ['secte'], ['fecte'], 'tokenExchange'],
  ])('%s: %j, and where code refuses it: %j', async (_how, success, refusal, name) => {
    const flow = logins.flows[name];
    const [succeeded] = ofCode(await eventsOf(world, await flow(ada)), success);
    const ran = { rules: { executions: [expect.any(String)] }, actions: { executions: [expect.any(String)] } };
    expect(succeeded).toMatchObject({ user_id: ada.id, user_name: ada.email, details: { rules: ran.rules } });
    expect(Object(succeeded?.details).actions.executions).toHaveLength(name === 'tokenExchange' ? 2 : 1);

    for (const by of ['rule', 'action'] as const) {
      const step = await flow(ada);
      await logins.wish(ada, by);
      const [refused] = ofCode(await eventsOf(world, step), refusal);
      await logins.wish(ada, null);
      expect(refused).toMatchObject({
        description: 'Not today',
        user_id: ada.id,
        user_name: ada.email,
        connection: world.connection,
        details: {
          error: { message: 'Not today', oauthError: 'access_denied' },
          ...(by === 'rule'
            ? { rule: { name: 'Wishes', failure: 'threw' }, rules: ran.rules }
            : { action: { id: logins.doorman, name: 'Doorman' }, ...ran }),
        },
      });
    }
  });

  /** The types are these; those before and after tenant code's word are left out. */
  function ofCode(events: readonly LogRecord[], types: readonly string[]): LogRecord[] {
    expect(events.map(({ type }) => type)).toEqual(types);
    return events.filter(({ type }) => !['scoa', 'sede', 'fede'].includes(type));
  }

  it.each<['factor' | 'page', keyof Logins['flows'], string, string]>([
    ['factor', 'pages', 'f', 'access_denied'],
    ['factor', 'silent', 'fsa', 'login_required'],
    ['factor', 'password', 'fepft', 'mfa_required'],
    ['factor', 'refreshToken', 'fertft', 'mfa_required'],
    ['page', 'silent', 'fsa', 'interaction_required'],
    ['page', 'password', 'fepft', 'interaction_required'],
  ])('where code wants a %s that is not to be had (%s): %s, with whom it is about and what ran', async (...row) => {
    const [wanted, flow, type, oauthError] = row;
    const step = await logins.flows[flow](ada);
    await logins.wish(ada, wanted);
    const events = await eventsOf(world, step);
    await logins.wish(ada, null);
    const details = { error: { oauthError }, rules: { executions: [expect.any(String)] } };
    expect(events).toMatchObject([{ type, user_id: ada.id, connection: world.connection, details }]);
  });

  it('of a token exchange that its own action denies: the action is named', async () => {
    const events = await eventsOf(world, () => logins.exchange('stolen'));
    expect(events).toMatchObject([
      {
        type: 'fecte',
        description: 'Not this one',
        details: {
          error: { oauthError: 'invalid_request' },
          action: { id: logins.exchangeAction, name: 'Exchange' },
          actions: { executions: [expect.any(String)] },
        },
      },
    ]);
  });

  it('of a machine: seccft, and where an action denies it feccft, with its name', async () => {
    const machine = await createTestClient(world, { grant_types: ['client_credentials'] }, { mayLogIn: false });
    await created(
      manage.post('/client-grants', { client_id: machine.client_id, audience: world.main.api.identifier, scope: [] }),
    );
    const ask = () =>
      world.token({ grant_type: 'client_credentials', ...machine, audience: world.main.api.identifier });
    const [id] = await setActions(world, 'credentials-exchange', [
      {
        name: 'Machines',
        code: action(
          'onExecuteCredentialsExchange',
          `if (event.client.metadata.no) api.access.deny('invalid_scope', 'No machines');`,
        ),
      },
    ]);
    expect(await eventsOf(world, ask)).toMatchObject([
      { type: 'seccft', details: { actions: { executions: [expect.any(String)] } } },
    ]);
    await created(manage.patch(`/clients/${machine.client_id}`, { client_metadata: { no: 'yes' } }));
    expect(await eventsOf(world, ask)).toMatchObject([
      {
        type: 'feccft',
        description: 'No machines',
        details: { action: { id, name: 'Machines' }, actions: { executions: [expect.any(String)] } },
      },
    ]);
  });
});

describe('the event of a login', () => {
  it('tells what the user was asked and how long it took, and nothing while they are elsewhere', async () => {
    const stranger = await createTestClient(world, {
      app_type: 'spa',
      is_first_party: false,
      grant_types: ['authorization_code'],
      callbacks: [CALLBACK],
    });
    const who = await createTestUser(world, 'asked');
    await logins.wish(who, 'page');
    const begun = world.now().getTime();
    const visitor = world.visitor();
    const { response } = await visitor.authorize({ client_id: stranger.client_id, scope: 'openid profile' });
    world.advance(2_000);
    const given = { username: who.email, password: who.password };
    let consent = response;
    const meanwhile = await eventTypesOf(world, async () => {
      const left = await visitor.follow(await visitor.submit(response, given));
      world.advance(30_000);
      consent = await visitor.follow(await back(visitor, stateOf(left)));
    });
    expect(meanwhile).toEqual([]);
    world.advance(5_000);
    const scope = /name="scope" value="([^"]*)"/.exec(consent.body)?.[1] ?? '';
    const [event, ...others] = await eventsOf(world, async () =>
      visitor.follow(await visitor.submit(consent, { action: 'accept', scope })),
    );
    expect([event?.type, others]).toEqual(['s', []]);
    const [directory] = (await manage.get(`/connections?name=${world.connection}`)).json();
    const prompt = (name: string, from: number, to: number) => ({
      name,
      initiatedAt: begun + from,
      completedAt: begun + to,
      elapsedTime: to - from,
    });
    expect(event?.details).toEqual({
      prompts: [
        {
          ...prompt('prompt-authenticate', 0, 2_000),
          flow: 'universal-login',
          connection: world.connection,
          connection_id: directory.id,
          strategy: 'auth0',
          identity: who.id.replace('auth0|', ''),
          user_id: who.id,
          user_name: who.email,
          stats: { loginsCount: 1 },
        },
        prompt('redirect', 2_000, 32_000),
        prompt('consent', 32_000, 37_000),
      ],
      initiatedAt: begun,
      completedAt: begun + 37_000,
      elapsedTime: 37_000,
      session_id: expect.any(String),
      stats: { loginsCount: 1 },
      // Before the redirect, and after it.
      rules: { executions: [expect.any(String), expect.any(String)] },
      actions: { executions: [expect.any(String)] },
    });
  });

  it('is the refusal, once, where two tabs hear it: the login is over then, its session is not', async () => {
    const visitor = world.visitor();
    const who = await createTestUser(world, 'refused');
    await logins.wish(who, 'rule');
    const { response } = await visitor.authorize();
    const proved = await visitor.submit(response, { username: who.email, password: who.password });
    const resume = String(proved.headers.location);
    const events = await eventsOf(world, async () => {
      const answers = await Promise.all([visitor.get(resume), visitor.get(resume)]);
      expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([302, 400]);
      expect((await visitor.get(resume)).statusCode).toBe(400);
    });
    expect(events).toMatchObject([{ type: 'f', details: { session_id: expect.any(String) } }]);
    await logins.wish(who, null);
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('code')).toEqual(expect.any(String));
  });

  it('is told by the server that took the password, where that is one of the version before', async () => {
    const visitor = world.visitor();
    const { response } = await visitor.authorize();
    const proved = await visitor.submit(response, { username: ada.email, password: ada.password });
    await world.database.pool.query(`update login_transactions set progress = progress - 'prompts' - 'initiatedAt'`);
    expect(await eventTypesOf(world, () => visitor.follow(proved))).toEqual([]);
  });

  it('is there with the answer, or neither is: what breaks in between leaves a login that goes on', async () => {
    const visitor = world.visitor();
    const { response } = await visitor.authorize();
    const proved = await visitor.submit(response, { username: ada.email, password: ada.password });
    const resume = String(proved.headers.location);
    const { pool } = world.database;
    const grants = async () =>
      Number((await pool.query('select count(*) as n from token_grants where user_id = $1', [ada.id])).rows[0].n);
    const before = await grants();
    await pool.query(`create function break_logins() returns trigger language plpgsql as
      $$ begin if new.type in ('s', 'f') then raise 'broken'; end if; return new; end $$`);
    await pool.query('create trigger broken before insert on log_events for each row execute function break_logins()');
    try {
      expect((await visitor.get(resume)).statusCode).toBe(500);
      await logins.wish(ada, 'rule');
      expect((await visitor.get(resume)).statusCode).toBe(500);
      expect(await grants()).toBe(before);
    } finally {
      await pool.query('drop trigger broken on log_events');
      await logins.wish(ada, null);
    }
    expect(await eventTypesOf(world, () => visitor.get(resume))).toEqual(['s']);
    expect(await grants()).toBe(before + 1);
  });
});

describe('a login that code refuses', () => {
  it('is no login of the statistics and nobody of the active users; the password counts as it did', async () => {
    const who = await createTestUser(world, 'never');
    await logins.wish(who, 'rule');
    const before = await counts();
    for (const flow of [logins.flows.pages, logins.flows.password]) await (await flow(who))();
    const after = await counts();
    expect(after).toEqual({ ...before, failures: before.failures + 1, refusedGrants: before.refusedGrants + 1 });
    const user = await created(manage.get(`/users/${encodeURIComponent(who.id)}`));
    expect(user).toMatchObject({ logins_count: 1, last_login: expect.any(String), last_ip: expect.any(String) });
  });

  async function counts() {
    const { pool } = world.database;
    const number = async (text: string) => Number((await pool.query(text)).rows[0].n);
    const counted = (type: string) =>
      number(
        `select coalesce(sum(n), 0) as n from log_rollups where tenant_id = 'dev' and grain = 'day' and subject = '' ${type}`,
      );
    await vi.waitFor(
      async () => {
        await world.app.logWatch.rollups.catchUp();
        expect(await counted('')).toBe(await number(`select count(*) as n from log_events where tenant_id = 'dev'`));
      },
      { timeout: 60_000, interval: 50 },
    );
    const days: { logins: number }[] = (await manage.get('/stats/daily')).json();
    return {
      logins: days.reduce((sum, { logins }) => sum + logins, 0),
      activeUsers: (await manage.get('/stats/active-users')).json(),
      successes: await counted(`and type in ('s', 'sepft')`),
      failures: await counted(`and type = 'f'`),
      refusedGrants: await counted(`and type = 'fepft'`),
    };
  }
});
