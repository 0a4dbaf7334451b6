import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestClient, createTestUser, decodeJwt, passwordGrant, redeem, refresh } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { loggedIn } from './every-flow.ts';
import { openGate } from './gate.ts';
import { createPair, link, namesOwner, pathOf } from './linking.ts';
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

describe('a user whom a rule links while it runs', () => {
  const OFFLINE = 'openid offline_access';
  const anew = { password: 'Another-Pass-word-9' };
  const subjectOf = (response: { json(): { id_token?: string } }) => decodeJwt(response.json().id_token).claims.sub;

  async function pair() {
    const { joining, owner } = await createPair(world);
    const own = { username: joining.email, password: joining.password, scope: OFFLINE };
    return { joining, owner, own, linking: () => link(world, joining, owner) };
  }

  it('gets tokens of the one who is left from the password grant, and not with what was no password of theirs any more', async () => {
    for (const [isGood, happens] of [
      [true, async () => undefined],
      [false, (id: string) => world.api().patch(pathOf({ id }), { ...anew, connection: world.connection })],
      [false, (id: string) => world.api().patch(pathOf({ id }), { blocked: true })],
    ] as const) {
      const { joining, owner, own, linking } = await pair();
      await setRules(world, [gate.rule, namesOwner(owner)]);
      const response = await gate.during(
        () => passwordGrant(world, own),
        async () => {
          await happens(joining.id);
          await linking();
        },
      );
      if (isGood) expect(subjectOf(response)).toBe(owner.id);
      else expect(response.json()).toMatchObject({ error: 'invalid_grant' });
    }
  });

  it('keeps the refresh token that was exchanged, as a token of the one who is left, and no other one', async () => {
    const { owner, own, linking } = await pair();
    const { refresh_token } = (await passwordGrant(world, own)).json();
    const other = (await passwordGrant(world, own)).json();
    await setRules(world, [gate.rule, namesOwner(owner)]);
    const answers = await gate.during(
      () => Promise.all([refresh(world, refresh_token), refresh(world, refresh_token)]),
      linking,
      2,
    );
    for (const response of answers) expect(subjectOf(response)).toBe(owner.id);
    await setRules(world, []);
    const [first, second] = answers.map((response) => response.json().refresh_token);
    expect(first).toBe(second);
    const again = await refresh(world, first);
    expect(subjectOf(again)).toBe(owner.id);
    expect((await refresh(world, other.refresh_token)).json()).toMatchObject({ error: 'invalid_grant' });
    // From now on it ends with the access of the one who is left.
    await world.api().patch(pathOf(owner), { ...anew, connection: world.connection });
    expect((await refresh(world, again.json().refresh_token)).json()).toMatchObject({ error: 'invalid_grant' });
  });

  it.each<[string, (linking: () => Promise<unknown>, token: string, ownerId: string) => Promise<unknown>]>([
    [
      'revoked before the link',
      async (linking, token) => {
        await world.request({ path: '/oauth/revoke', form: { ...world.password_client, token } });
        await linking();
      },
    ],
    [
      'revoked after the link',
      async (linking, token) => {
        await linking();
        await world.request({ path: '/oauth/revoke', form: { ...world.password_client, token } });
      },
    ],
    [
      'of an account that joined a user who was blocked then',
      async (linking, _token, id) => {
        await linking();
        await world.api().patch(pathOf({ id }), { blocked: true });
        await world.api().patch(pathOf({ id }), { blocked: false });
      },
    ],
  ])('keeps no refresh token that was %s', async (_what, happens) => {
    const { owner, own, linking } = await pair();
    const { refresh_token } = (await passwordGrant(world, own)).json();
    await setRules(world, [gate.rule, namesOwner(owner)]);
    const response = await gate.during(
      () => refresh(world, refresh_token),
      () => happens(linking, refresh_token, owner.id),
    );
    expect(response.json()).toMatchObject({ error: 'invalid_grant' });
    await setRules(world, []);
    expect((await refresh(world, refresh_token)).json()).toMatchObject({ error: 'invalid_grant' });
  });

  it('keeps no refresh token of an application that the one who is left would have to allow', async () => {
    const { joining, owner, linking } = await pair();
    const redirect_uri = 'https://stranger.example.com/callback';
    const { client_id } = await createTestClient(world, {
      app_type: 'spa',
      is_first_party: false,
      grant_types: ['authorization_code', 'refresh_token'],
      callbacks: [redirect_uri],
    });
    const visitor = world.visitor();
    const begun = await visitor.authorize({ client_id, redirect_uri, scope: OFFLINE });
    const { email: username, password } = joining;
    const page = await visitor.follow(await visitor.submit(begun.response, { username, password }));
    const scope = /name="scope" value="([^"]*)"/.exec(page.body)?.[1] ?? '';
    const done = await visitor.follow(await visitor.submit(page, { action: 'accept', scope }));
    const code = new URL(String(done.headers.location)).searchParams.get('code') ?? '';
    const { refresh_token } = (
      await redeem(world, { code, verifier: begun.verifier }, { client_id, redirect_uri })
    ).json();
    await setRules(world, [gate.rule, namesOwner(owner)]);
    const asked = () => refresh(world, refresh_token, { client_id, client_secret: undefined });
    expect((await gate.during(asked, linking)).json()).toMatchObject({ error: 'invalid_grant' });
  });
});
