import { randomBytes } from 'node:crypto';
import type { Response } from 'light-my-request';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestUser, eventsOf } from '../protocol.ts';
import { CALLBACK } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';
import { openGate } from './gate.ts';
import { ASK, back, claimsOf, codeOf, expectRefused, leave, locationOf, MINUTE, PAGE, stateOf } from './leaving.ts';
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

describe('/continue', () => {
  it('RUL.11 and RUL.12: is open for an hour, however long rules may run', async () => {
    const first = await leave(world);
    world.advance(59 * MINUTE);
    expect(codeOf(await back(first.visitor, first.state))).not.toBe('');
    const second = await leave(world);
    world.advance(61 * MINUTE);
    await expectRefused(world, () => back(second.visitor, second.state));
  });

  it('refuses a state that is missing, forged, doubled, of another browser, of another tenant or used', async () => {
    const { visitor, state } = await leave(world);
    const stranger = world.visitor();
    await stranger.authorize();
    const other = await world.createTenant('other');
    const cookie = [...visitor.cookies].map(([name, value]) => `${name.replace('gw-dev', 'gw-other')}=${value}`);
    // Nobody attempted anything there: a page, and no event.
    const ofNothing = await eventsOf(world, async () => {
      for (const response of [
        await visitor.get('/continue'),
        await back(visitor, state, `&state=${state}`),
        await back(visitor, `${state}%00`),
        await visitor.post('/continue', { state: 'garbage' }),
      ]) {
        expect([response.statusCode, response.headers.location]).toEqual([400, undefined]);
        expect(response.body).toContain('invalid_request');
      }
    });
    expect(ofNothing).toEqual([]);
    for (const ask of [
      () => back(visitor, `${state.slice(0, -1)}${state.endsWith('A') ? 'B' : 'A'}`),
      () => back(stranger, state),
      () => back(world.visitor(), state),
    ])
      await expectRefused(world, ask);
    // The login's cookie did not come back: what its author has to look for is another thing than a wrong state.
    expect((await back(world.visitor(), state)).body).toContain('The cookie of this login did not come back');
    expect((await back(stranger, state)).body).toContain('or belongs to another browser');
    const elsewhere = await world.request({
      path: `/continue?state=${state}`,
      tenant: other,
      headers: { cookie: cookie.join('; ') },
    });
    expect(elsewhere.statusCode).toBe(400);
    expect(codeOf(await back(visitor, state))).not.toBe('');
    await expectRefused(world, () => back(visitor, state));
  });

  it('judges what a browser brings once: after a refusal there is no second attempt', async () => {
    await setRules(world, [
      `function (user, context, callback) {
        if (context.protocol !== 'redirect-callback') context.redirect = { url: '${PAGE}' };
        else if (context.request.query.pin !== '1234') return callback(new UnauthorizedError('wrong pin'));
        callback(null, user, context);
      }`,
    ]);
    const { visitor, state } = await leave(world);
    expect(locationOf(await back(visitor, state, '&pin=0000'))).toContain('error_description=wrong+pin');
    await expectRefused(world, () => back(visitor, state, '&pin=1234'));
  });

  it('goes on for one of several requests at once', async () => {
    await setRules(world, [ASK, gate.rule]);
    const begun = await gate.during(
      () => leave(world),
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

  it('takes no other way while it is judged: neither the login nor its pages go on meanwhile', async () => {
    await setRules(world, [ASK, gate.rule]);
    const { visitor, state } = await gate.during(
      () => leave(world),
      async () => {},
    );
    const others: Response[] = [];
    const first = await gate.during(
      () => back(visitor, state),
      async () => {
        for (const path of ['/authorize/resume', '/u/login', '/u/consent'])
          others.push(await visitor.get(`${path}?state=${state}`));
      },
    );
    expect(others.map(({ statusCode, headers }) => [statusCode, headers.location])).toEqual(
      Array(3).fill([400, undefined]),
    );
    expect(codeOf(first)).not.toBe('');
  });

  it('tells of states that nobody knows some times a minute, and then how many more there were', async () => {
    world.advance(MINUTE);
    const guess = () => back(world.visitor(), randomBytes(32).toString('base64url'));
    const flood = await eventsOf(world, async () => {
      for (let count = 0; count < 37; count++) expect((await guess()).statusCode).toBe(400);
    });
    expect(flood).toHaveLength(30);
    world.advance(MINUTE);
    expect(await eventsOf(world, guess)).toMatchObject([{ type: 'f', details: { unrecorded: 7 } }]);
    expect((await eventsOf(world, guess))[0]?.details).not.toHaveProperty('unrecorded');
  });

  it('goes on with what an older version of the server left, and waits for the version that knows it where it is newer', async () => {
    const stored = (change: string) =>
      world.database.pool.query(`update login_transactions set suspended = ${change} where suspended is not null`);
    const { visitor, verifier, state } = await leave(world);
    for (const other of ['{"version": 99}', '{"decisions": {}}', '{"decisions": {"user": 1}}', '{"memory": 7}']) {
      const { rows } = await world.database.pool.query(
        'select suspended from login_transactions where suspended is not null',
      );
      await stored(`suspended || '${other}'`);
      const response = await back(visitor, state);
      expect(response.statusCode).toBe(400);
      expect(response.body).toContain('another version of the server');
      await world.database.pool.query('update login_transactions set suspended = $1 where suspended is not null', [
        JSON.stringify(rows[0].suspended),
      ]);
    }
    await stored(`suspended - 'version'`);
    expect(await claimsOf(world, await back(visitor, state), verifier)).toHaveProperty('sub');
  });

  it('can be asked again two minutes after a server died with it', async () => {
    const { visitor, verifier, state } = await leave(world);
    await world.database.pool.query('update login_transactions set continued_at = $1 where suspended is not null', [
      world.now(),
    ]);
    await expectRefused(world, () => back(visitor, state));
    // Rules and actions may wait and run for 20 s each: it may still be under way.
    world.advance(MINUTE);
    await expectRefused(world, () => back(visitor, state));
    world.advance(MINUTE);
    expect(await claimsOf(world, await back(visitor, state), verifier)).toHaveProperty('sub');
  });

  it('keeps two tabs apart', async () => {
    const visitor = world.visitor();
    const one = await leave(world, visitor);
    const two = await leave(world, visitor);
    expect(one.state).not.toBe(two.state);
    expect(await claimsOf(world, await back(visitor, two.state), two.verifier)).toHaveProperty('sub');
    expect(await claimsOf(world, await back(visitor, one.state), one.verifier)).toHaveProperty('sub');
  });

  it('lets a reload of the login redirect again, under a new state that ends the old one', async () => {
    const visitor = world.visitor();
    const begun = await visitor.authorize();
    const { email: username, password } = world.user;
    const resume = locationOf(await visitor.submit(begun.response, { username, password }));
    const first = stateOf(await visitor.get(resume));
    const second = stateOf(await visitor.get(resume));
    await expectRefused(world, () => back(visitor, first));
    expect(codeOf(await back(visitor, second))).not.toBe('');
    expect((await visitor.get(resume)).statusCode).toBe(400);
  });

  it('ends an hour after the first redirect, however often the login is loaded again', async () => {
    const visitor = world.visitor();
    const begun = await visitor.authorize();
    const { email: username, password } = world.user;
    const resume = locationOf(await visitor.submit(begun.response, { username, password }));
    await visitor.get(resume);
    world.advance(50 * MINUTE);
    const state = stateOf(await visitor.get(resume));
    expect(state).not.toBe('');
    world.advance(11 * MINUTE);
    await expectRefused(world, () => back(visitor, state));
    expect((await visitor.get(resume)).statusCode).toBe(400);
  });

  it('asks who the user is where they have logged out or changed their password meanwhile', async () => {
    const ada = await createTestUser(world, 'renews');
    const flag = rule(`if (!(user.app_metadata || {}).renewed) context.redirect = { url: '${PAGE}' };`);
    await setRules(world, [flag]);
    const { visitor, verifier, state } = await leave(world, undefined, {}, { ...world.user, ...ada });
    const password = 'Another-correct-horse-8';
    await world.api().patch(`/users/${ada.id}`, { password, connection: world.connection });
    await world.api().patch(`/users/${ada.id}`, { app_metadata: { renewed: true } });
    const page = await visitor.follow(await back(visitor, state));
    expect([page.statusCode, page.body.includes('name="password"')]).toEqual([200, true]);
    await expectRefused(world, () => back(visitor, state));
    const response = await visitor.follow(await visitor.submit(page, { username: ada.email, password }));
    expect(await claimsOf(world, response, verifier)).toMatchObject({ sub: ada.id });
  });

  it('gives nobody else the tokens of who left: another user of the same browser proves who they are', async () => {
    const { visitor, state } = await leave(world);
    const eve = await createTestUser(world, 'eve');
    await setRules(world, []);
    const begun = await visitor.authorize({ prompt: 'login' });
    await visitor.follow(await visitor.submit(begun.response, { username: eve.email, password: eve.password }));
    expect(locationOf(await back(visitor, state))).toMatch(/^\/u\/login\?state=/);
  });

  it('tells a user who was blocked meanwhile, and gives no tokens', async () => {
    const user = await createTestUser(world, 'blocked');
    const { visitor, state } = await leave(world, undefined, {}, { ...world.user, ...user });
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
    const { visitor, verifier, state } = await leave(world);
    const { client_id } = world.password_client;
    await world
      .api()
      .patch(`/clients/${client_id}`, { callbacks: [CALLBACK], grant_types: ['authorization_code', 'password'] });
    const inner = await visitor.authorize({ client_id, prompt: 'none', scope: 'openid' });
    expect(inner.answer?.has('code')).toBe(true);
    expect(await claimsOf(world, await back(visitor, state), verifier)).toHaveProperty('sub');
  });
});
