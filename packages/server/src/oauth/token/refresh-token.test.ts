import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createTestClient,
  createTestUser,
  decodeJwt,
  eventsOf,
  eventTypesOf,
  passwordGrant,
  redeem,
  refresh,
  userinfo,
} from '../../../test/protocol.ts';
import { startWorld, type World } from '../../../test/world.ts';
import { digest } from '../../kit/digest.ts';

const API = 'https://api.example.com/';
const SCOPE = 'openid offline_access read:items write:items';
const REFUSED = { error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' };
const REUSED = {
  error: 'invalid_grant',
  error_description: 'Unsuccessful Refresh Token exchange, reused refresh token detected',
};
const ROTATING = { rotation_type: 'rotating', expiration_type: 'expiring', leeway: 0 };
const SECOND = 1_000;
const DAY = 86_400 * SECOND;

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

/** A refresh token of the first run's password client: it rotates, with a leeway of 30 seconds. */
const obtain = async (changes: Record<string, string | undefined> = {}): Promise<string> =>
  (await passwordGrant(world, { audience: API, scope: SCOPE, ...changes })).json().refresh_token;

const statusOf = ({ statusCode }: { statusCode: number }) => statusCode;

const clientWith = (refresh_token: Record<string, unknown>, body: Record<string, unknown> = {}) =>
  createTestClient(world, { grant_types: ['password', 'refresh_token'], refresh_token, ...body });

describe('a rotating refresh token', () => {
  it('gives new tokens and a successor, as the same user with the same rights', async () => {
    const first = await obtain();
    world.advance(60 * SECOND);
    const [event, ...others] = await eventsOf(world, async () => {
      const response = await refresh(world, first);
      expect(response.json()).toMatchObject({ scope: SCOPE, expires_in: 86_400, token_type: 'Bearer' });
      expect(response.json().refresh_token).not.toBe(first);
      const { claims } = decodeJwt(response.json().access_token);
      expect(claims).toMatchObject({
        scope: SCOPE,
        gty: ['refresh_token', 'password'],
        aud: [API, `${world.issuer}userinfo`],
      });
      expect(decodeJwt(response.json().id_token).claims).toMatchObject({
        sub: claims.sub,
        aud: world.password_client.client_id,
      });
    });
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      type: 'sertft',
      client_id: world.password_client.client_id,
      user_name: world.user.email,
    });
  });

  it('gives 50 that come at once one successor, and each an access token of its own', async () => {
    const first = await obtain();
    const types = await eventTypesOf(world, async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(world, first)));
      const bodies = answers.map((answer) => answer.json());
      expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(50).fill(200));
      expect(new Set(bodies.map(({ refresh_token }) => refresh_token)).size).toBe(1);
      expect(new Set(bodies.map(({ access_token }) => access_token)).size).toBe(50);
      expect((await refresh(world, bodies[0]?.refresh_token)).statusCode).toBe(200);
    });
    expect(types).toEqual(Array(51).fill('sertft'));
  });

  it('gives one successor at two servers on one database', async () => {
    const second = await world.secondServer();
    try {
      const form = { grant_type: 'refresh_token', ...world.password_client, refresh_token: await obtain() };
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          (index % 2 === 0 ? world : second).request({ path: '/oauth/token', form }),
        ),
      );
      expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(50).fill(200));
      expect(new Set(answers.map((answer) => answer.json().refresh_token)).size).toBe(1);
    } finally {
      await second.stop();
    }
  });

  it('waits for nobody else whose token is held up', async () => {
    const [held, other] = [await obtain(), await obtain()];
    const blocker = await world.database.pool.connect();
    try {
      await blocker.query('begin');
      await blocker.query('select from refresh_tokens where token_hash = $1 for update', [digest(held)]);
      const late = refresh(world, held);
      expect((await Promise.all([refresh(world, other), refresh(world, await obtain())])).map(statusOf)).toEqual([
        200, 200,
      ]);
      await blocker.query('rollback');
      expect(statusOf(await late)).toBe(200);
    } finally {
      blocker.release(true);
    }
  });

  it('is one of many that come at once, each with tokens of its own family', async () => {
    const firsts = await Promise.all(Array.from({ length: 8 }, () => obtain()));
    const types = await eventTypesOf(world, async () => {
      const answers = await Promise.all([
        ...firsts.map((token) => refresh(world, token)),
        refresh(world, 'v1.invented'),
      ]);
      expect(answers.map(statusOf)).toEqual([...Array(8).fill(200), 403]);
      const successors = answers.slice(0, 8).map((answer) => answer.json().refresh_token);
      expect(new Set([...firsts, ...successors]).size).toBe(16);
      expect((await Promise.all(successors.map((token) => refresh(world, token)))).map(statusOf)).toEqual(
        Array(8).fill(200),
      );
    });
    expect(types.toSorted()).toEqual(['fertft', ...Array(16).fill('sertft')]);
  });

  it('gives the same successor again within the leeway: the answer may have been lost', async () => {
    const first = await obtain();
    const successor = (await refresh(world, first)).json().refresh_token;
    world.advance(30 * SECOND);
    expect((await refresh(world, first)).json().refresh_token).toBe(successor);
    expect((await refresh(world, successor)).statusCode).toBe(200);
  });

  it('that comes back after the leeway ends the whole family', async () => {
    const first = await obtain();
    const { access_token, refresh_token } = (await refresh(world, first)).json();
    world.advance(31 * SECOND);
    const [event, ...others] = await eventsOf(world, async () => {
      const response = await refresh(world, first);
      expect(response.statusCode).toBe(403);
      expect(response.json()).toEqual(REUSED);
    });
    expect(others).toEqual([]);
    expect(event).toMatchObject({ type: 'ferrt', client_id: world.password_client.client_id });
    expect((await refresh(world, refresh_token)).json()).toEqual(REFUSED);
    expect((await userinfo(world, access_token)).statusCode).toBe(401);
    expect(await eventTypesOf(world, () => refresh(world, first))).toEqual(['fertft']);
  });

  it('comes back within the leeway only as the immediately previous one', async () => {
    const first = await obtain();
    const second = (await refresh(world, first)).json().refresh_token;
    const third = (await refresh(world, second)).json().refresh_token;
    expect((await refresh(world, second)).json().refresh_token).toBe(third);
    expect((await refresh(world, first)).json()).toEqual(REUSED);
    expect((await refresh(world, third)).json()).toEqual(REFUSED);
  });

  it('without a leeway, the default, is used once: of two at once one ends the family', async () => {
    const client = await clientWith(ROTATING);
    const first = await obtain({ ...client });
    const answers = await Promise.all([refresh(world, first, { ...client }), refresh(world, first, { ...client })]);
    const [won, lost] = answers.sort((one, other) => one.statusCode - other.statusCode);
    expect(won?.statusCode).toBe(200);
    expect(lost?.json()).toEqual(REUSED);
    expect((await refresh(world, won?.json().refresh_token, { ...client })).json()).toEqual(REFUSED);
  });

  it('ends at its absolute time, which rotation does not move, and when it is not used', async () => {
    const client = await clientWith({ ...ROTATING, token_lifetime: 10 * 86_400, idle_token_lifetime: 4 * 86_400 });
    let token = await obtain({ ...client });
    const idle = await obtain({ ...client });
    for (const _ of [1, 2, 3]) {
      world.advance(3 * DAY);
      token = (await refresh(world, token, { ...client })).json().refresh_token;
    }
    expect((await refresh(world, idle, { ...client })).json()).toEqual(REFUSED);
    world.advance(DAY - SECOND);
    token = (await refresh(world, token, { ...client })).json().refresh_token;
    world.advance(SECOND);
    expect((await refresh(world, token, { ...client })).json()).toEqual(REFUSED);
  });
});

describe('a refresh token that does not rotate', () => {
  const FIXED = {
    rotation_type: 'non-rotating',
    expiration_type: 'expiring',
    token_lifetime: 30 * 86_400,
    idle_token_lifetime: 86_400,
  };

  it('stays the same, and use keeps it from idling out', async () => {
    const client = await clientWith(FIXED);
    const token = await obtain({ ...client });
    for (const _ of [1, 2]) {
      world.advance(DAY - SECOND);
      const body = (await refresh(world, token, { ...client })).json();
      expect(body.access_token).toBeTruthy();
      expect(body).not.toHaveProperty('refresh_token');
    }
    world.advance(DAY);
    expect((await refresh(world, token, { ...client })).json()).toEqual(REFUSED);
  });

  it('is swapped for a rotating one when rotation is switched on, and the other way', async () => {
    const client = await clientWith(FIXED);
    const fixed = await obtain({ ...client });
    const api = world.api('update:clients');
    await api.patch(`/clients/${client.client_id}`, { refresh_token: { ...FIXED, ...ROTATING } });
    const rotating = (await refresh(world, fixed, { ...client })).json().refresh_token;
    expect(rotating).toBeTruthy();
    await api.patch(`/clients/${client.client_id}`, { refresh_token: FIXED });
    const again = (await refresh(world, rotating, { ...client })).json().refresh_token;
    expect(again).toBeTruthy();
    expect((await refresh(world, again, { ...client })).json()).not.toHaveProperty('refresh_token');
    expect((await refresh(world, rotating, { ...client })).json()).toEqual(REUSED);
  });
});

describe('the scope of a refresh', () => {
  it('may be narrowed, for that access token alone, and never widened', async () => {
    let token = await obtain({ scope: 'openid offline_access read:items' });
    const ask = async (scope?: string) => {
      const body = (await refresh(world, token, { scope })).json();
      token = body.refresh_token;
      return body;
    };
    const narrow = await ask('read:items');
    expect(narrow.scope).toBe('read:items');
    expect(narrow).not.toHaveProperty('id_token');
    expect((await ask('read:items write:items')).scope).toBe('read:items');
    expect(await ask('write:items')).not.toHaveProperty('scope');
    expect((await ask()).scope).toBe('openid offline_access read:items');
  });

  it('holds no permission that came after the login, and none that was taken away', async () => {
    const user = await createTestUser(world, 'rbac');
    const api = world.api();
    const identifier = 'urn:rbac';
    const scopes = ['read', 'write'].map((value) => ({ value }));
    await api.post('/resource-servers', { identifier, scopes, enforce_policies: true, allow_offline_access: true });
    const permission = (name: string) => ({
      permissions: [{ resource_server_identifier: identifier, permission_name: name }],
    });
    await api.post(`/users/${user.id}/permissions`, permission('read'));
    const spa = { client_id: world.spa_client.client_id, client_secret: undefined };
    const login = await world.visitor().logIn({
      parameters: { audience: identifier, scope: 'openid offline_access read write' },
      username: user.email,
      password: user.password,
    });
    const tokens = (await redeem(world, login)).json();
    expect(tokens.scope).toBe('openid offline_access read');
    await api.post(`/users/${user.id}/permissions`, permission('write'));
    const refreshed = (await refresh(world, tokens.refresh_token, spa)).json();
    expect(refreshed.scope).toBe('openid offline_access read');
    await api.delete(`/users/${user.id}/permissions`, permission('read'));
    expect((await refresh(world, refreshed.refresh_token, spa)).json().scope).toBe('openid offline_access');
  });

  it("reaches no API that became the tenant's default after the login", async () => {
    const token = await obtain({ audience: undefined, scope: 'openid offline_access read:items' });
    await world.api().patch('/tenants/settings', { default_audience: API });
    const body = (await refresh(world, token)).json();
    await world.api().patch('/tenants/settings', { default_audience: '' });
    expect(body.scope).toBe('openid offline_access');
    expect(body.access_token.split('.')).toHaveLength(1);
  });
});
