import type { Response } from 'light-my-request';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestClient, createTestUser, decodeJwt, redeem } from '../protocol.ts';
import type { Authorization, Visitor } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';
import { openGate } from './gate.ts';
import { createPair, link as linkAccounts, namesOwner, pathOf as path } from './linking.ts';
import { setRules } from './rules.ts';

// A rule takes its time, links the user who logged in to another one, and names that one: what may happen meanwhile.

let world: World;
let gate: Awaited<ReturnType<typeof openGate>>;
beforeAll(async () => {
  world = await startWorld();
  gate = await openGate(world);
});
afterAll(async () => {
  await gate.close();
  await world.stop();
});

let serial = 0;
let visitor: Visitor;
let joining: Awaited<ReturnType<typeof createPair>>['joining'];
let owner: typeof joining;
beforeEach(async () => {
  await setRules(world, []);
  serial++;
  ({ joining, owner } = await createPair(world));
  visitor = world.visitor();
  await visitor.logIn({ username: joining.email, password: joining.password });
  await setRules(world, [gate.rule, namesOwner(owner)]);
});

const silent = () => visitor.authorize({ prompt: 'none' });
const link = (from: { id: string } = joining, to: { id: string } = owner) => linkAccounts(world, from, to);
const isOut = async () => (await silent()).answer?.get('error') === 'login_required';

async function subjectOf({ answer, verifier }: Authorization): Promise<unknown> {
  const response = await redeem(world, { code: answer?.get('code') ?? '', verifier });
  expect(response.statusCode, response.body).toBe(200);
  return decodeJwt(response.json().id_token).claims.sub;
}

describe('the session of a browser whose user a rule links', () => {
  it("goes on as the other user's", async () => {
    const answered = await gate.during(silent, () => link());
    expect(await subjectOf(answered)).toBe(owner.id);
    await setRules(world, []);
    expect((await silent()).answer?.get('code')).toEqual(expect.any(String));
  });

  it('ends where the other one gets a new password before the rule is done', async () => {
    const answered = await gate.during(silent, async () => {
      await link();
      await world.api().patch(path(owner), { password: 'A-new-Secret-of-7', connection: world.connection });
    });
    expect(answered.answer?.get('error')).toBe('login_required');
    await setRules(world, []);
    expect((await silent()).answer?.get('error')).toBe('login_required');
  });

  const anew = { password: 'A-new-Secret-of-7' };
  it.each<[string, () => Promise<unknown>]>([
    ['has a new password', () => world.api().patch(path(joining), { ...anew, connection: world.connection })],
    ['is blocked', () => world.api().patch(path(joining), { blocked: true })],
    ['is logged out everywhere', () => world.api().delete(`${path(joining)}/sessions`)],
    ['logs out in this browser', () => visitor.get(`/v2/logout?client_id=${world.spa_client.client_id}`)],
  ])('does not come back where its user %s before the link', async (_what, happens) => {
    const cookies = new Map(visitor.cookies);
    const answered = await gate.during(silent, async () => {
      await happens();
      await link();
    });
    expect(answered.answer?.get('error')).toBe('login_required');
    for (const [name, value] of cookies) visitor.cookies.set(name, value);
    await setRules(world, []);
    expect(await isOut()).toBe(true);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['the one who is left is blocked', () => world.api().patch(path(owner), { blocked: true })],
    ['the one who is left is logged out everywhere', () => world.api().delete(`${path(owner)}/sessions`)],
    ['the browser logs out', () => visitor.get(`/v2/logout?client_id=${world.spa_client.client_id}`)],
  ])('does not come back where %s after the link', async (_what, happens) => {
    const cookies = new Map(visitor.cookies);
    const answered = await gate.during(silent, async () => {
      await link();
      await happens();
    });
    expect(answered.answer?.has('code')).toBe(false);
    for (const [name, value] of cookies) visitor.cookies.set(name, value);
    await setRules(world, []);
    expect(await isOut()).toBe(true);
  });

  it('comes back for neither of two requests at once, where the password changes before the link', async () => {
    const answers = await gate.during(
      () => Promise.all([silent(), silent()]),
      async () => {
        await world.api().patch(path(joining), { ...anew, connection: world.connection });
        await link();
      },
      2,
    );
    expect(answers.map(({ answer }) => answer?.get('error'))).toEqual(['login_required', 'login_required']);
  });

  it('goes on over two links in a row', async () => {
    const last = await createTestUser(world, `last-${serial}`);
    await setRules(world, [gate.rule, namesOwner(last)]);
    const answered = await gate.during(silent, async () => {
      await link();
      await link(owner, last);
    });
    expect(await subjectOf(answered)).toBe(last.id);
  });

  it('does not come back where it ended while its user stays', async () => {
    const third = await createTestUser(world, `third-${serial}`);
    await link(third, joining);
    await setRules(world, []);
    await visitor.logIn({ username: third.email, password: third.password });
    await setRules(world, [gate.rule, namesOwner(owner)]);
    const answered = await gate.during(silent, async () => {
      // Unlinking ends all sessions of the one who stays.
      const [, id = ''] = third.id.split('|');
      expect((await world.api().delete(`${path(joining)}/identities/auth0/${id}`)).statusCode).toBe(200);
      await link(third);
    });
    expect(answered.answer?.has('code')).toBe(false);
    await setRules(world, []);
    expect((await silent()).answer?.get('error')).toBe('login_required');
  });

  it('is adopted once, where two requests of the browser come at once: both codes are good', async () => {
    // Both are in the rule before the user is linked; its container is one.
    const together = `async function (user, context, callback) {
      global.visits${serial} = (global.visits${serial} || 0) + 1;
      while (global.visits${serial} < 2) await new Promise((done) => setTimeout(done, 5));
      if (!global.isLinked${serial}) {
        global.isLinked${serial} = fetch(auth0.baseUrl + '/users/' + encodeURIComponent('${owner.id}') + '/identities', {
          method: 'POST',
          headers: { authorization: 'Bearer ' + auth0.accessToken, 'content-type': 'application/json' },
          body: JSON.stringify({ provider: 'auth0', user_id: '${joining.id.slice('auth0|'.length)}' }),
        });
      }
      const { status } = await global.isLinked${serial};
      if (status !== 201) throw new Error('status ' + status);
      context.primaryUser = '${owner.id}';
      callback(null, user, context);
    }`;
    await setRules(world, [together]);
    const answers = await Promise.all([silent(), silent()]);
    expect(answers.map(({ response, answer }) => [response.statusCode, answer?.get('error')])).toEqual([
      [302, null],
      [302, null],
    ]);
    await setRules(world, []);
    for (const answered of answers) expect(await subjectOf(answered)).toBe(owner.id);
  });
});

describe('a user whom a rule links and who then has to consent', () => {
  const redirect_uri = 'https://stranger.example.com/callback';
  let client_id: string;
  beforeAll(async () => {
    const body = { app_type: 'spa', is_first_party: false, callbacks: [redirect_uri] };
    ({ client_id } = await createTestClient(world, { ...body, grant_types: ['authorization_code'] }));
  });

  async function consent(page: Response, verifier: string): Promise<unknown> {
    const scope = /name="scope" value="([^"]*)"/.exec(page.body)?.[1] ?? '';
    const done = await visitor.follow(await visitor.submit(page, { action: 'accept', scope }));
    const code = new URL(String(done.headers.location)).searchParams.get('code') ?? '';
    const response = await redeem(world, { code, verifier }, { client_id, redirect_uri });
    return decodeJwt(response.json().id_token).claims.sub;
  }

  it('gets to the application from a session', async () => {
    const asked = () => visitor.authorize({ client_id, redirect_uri, scope: 'openid profile' });
    const { response, verifier } = await gate.during(asked, () => link());
    expect(await consent(response, verifier)).toBe(owner.id);
  });

  it('gets to the application from the login page', async () => {
    visitor = world.visitor();
    const begun = await visitor.authorize({ client_id, redirect_uri, scope: 'openid profile' });
    const { email: username, password } = joining;
    const submitted = await visitor.submit(begun.response, { username, password });
    const page = await gate.during(
      () => visitor.follow(submitted),
      () => link(),
    );
    expect(await consent(page, begun.verifier)).toBe(owner.id);
  });
});
