import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { created, createTestUser, decodeJwt, redeem } from '../protocol.ts';
import type { Authorization, Visitor } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';
import { openGate } from './gate.ts';
import { rule, setRules } from './rules.ts';

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
let joining: { id: string; email: string; password: string };
let owner: { id: string; email: string; password: string };
beforeEach(async () => {
  await setRules(world, []);
  serial++;
  joining = await createTestUser(world, `joining-${serial}`);
  owner = await createTestUser(world, `owner-${serial}`);
  visitor = world.visitor();
  await visitor.logIn({ username: joining.email, password: joining.password });
  await setRules(world, [gate.rule, rule(`context.primaryUser = '${owner.id}';`)]);
});

const silent = () => visitor.authorize({ prompt: 'none' });
const path = ({ id }: { id: string }) => `/users/${encodeURIComponent(id)}`;
const link = (from: { id: string } = joining, to: { id: string } = owner) =>
  created(world.api().post(`${path(to)}/identities`, { provider: 'auth0', user_id: from.id.slice('auth0|'.length) }));

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

  it('does not come back where it ended while its user stays', async () => {
    const third = await createTestUser(world, `third-${serial}`);
    await link(third, joining);
    await setRules(world, []);
    await visitor.logIn({ username: third.email, password: third.password });
    await setRules(world, [gate.rule, rule(`context.primaryUser = '${owner.id}';`)]);
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
