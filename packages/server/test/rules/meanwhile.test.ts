import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestUser, passwordGrant, refresh } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { loggedIn } from './every-flow.ts';
import { openGate } from './gate.ts';
import { rule, setRules } from './rules.ts';

let world: World;
let gate: Awaited<ReturnType<typeof openGate>>;
beforeAll(async () => {
  world = await startWorld();
  gate = await openGate(world);
});
beforeEach(() => setRules(world, []));
afterAll(async () => {
  await gate.close();
  await world.stop();
});

describe('what ended while rules ran', () => {
  it('gives no code where it is the session', async () => {
    const visitor = await loggedIn(world);
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
