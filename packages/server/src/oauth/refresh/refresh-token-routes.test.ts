import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, createTestUser, decodeJwt, passwordGrant, redeem, refresh } from '../../../test/protocol.ts';
import { startWorld, type World } from '../../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

let serial = 0;

/** A user with a rotating refresh token of the SPA client. */
async function holder(user?: { id: string; email: string; password: string }) {
  const person = user ?? (await createTestUser(world, `holder-${++serial}`));
  const login = await world.visitor().logIn({ username: person.email, password: person.password });
  const tokens = (await redeem(world, login)).json();
  const listed = (await world.api().get(`/users/${person.id}/refresh-tokens`)).json().tokens;
  const sid = decodeJwt(tokens.id_token).claims.sid;
  const token = listed.find(({ session_id }: { session_id: string }) => session_id === sid);
  return { person, sid, token, id: String(token.id), text: String(tokens.refresh_token) };
}

const spa = () => ({ client_id: world.spa_client.client_id, client_secret: undefined });
const refreshed = async (text: string) => refresh(world, text, spa());

/** An end user's token for the Management API. */
async function endUser(scope: string, person: { email: string; password: string }) {
  const audience = `${world.issuer}api/v2/`;
  const granted = await passwordGrant(world, { username: person.email, password: person.password, audience, scope });
  const authorization = `Bearer ${granted.json().access_token}`;
  return (method: 'GET' | 'POST' | 'DELETE', path: string, json?: unknown) =>
    world.request({ method, path: `/api/v2${path}`, headers: { authorization }, ...(json !== undefined && { json }) });
}

describe('GET /api/v2/refresh-tokens/{id}', () => {
  it('shows a token of a user without the token', async () => {
    const { person, sid, id, text } = await holder();
    const response = await world.api('read:refresh_tokens').get(`/refresh-tokens/${id}`);
    expect([response.statusCode, response.json()]).toEqual([
      200,
      {
        id: expect.stringMatching(/^rt_[A-Za-z0-9]{22}$/),
        user_id: person.id,
        client_id: world.spa_client.client_id,
        session_id: sid,
        created_at: expect.any(String),
        idle_expires_at: expect.any(String),
        expires_at: expect.any(String),
        last_exchanged_at: null,
        rotating: true,
        device: {
          initial_ip: '127.0.0.1',
          initial_user_agent: 'lightMyRequest',
          last_ip: '127.0.0.1',
          last_user_agent: 'lightMyRequest',
        },
        resource_servers: [{ audience: `${world.origin}/userinfo`, scopes: 'openid profile email offline_access' }],
      },
    ]);
    expect(response.body).not.toContain(text);
    expect((await refreshed(id)).statusCode).toBe(403);
  });

  it('keeps id, age and metadata over the rotations of a token', async () => {
    const { id, text } = await holder();
    const before = (
      await world.api('update:refresh_tokens').patch(`/refresh-tokens/${id}`, { refresh_token_metadata: { a: 1 } })
    ).json();
    world.advance(60_000);
    const second = (await refreshed(text)).json().refresh_token;
    await refreshed(second);
    const after = (await world.api().get(`/refresh-tokens/${id}`)).json();
    expect(after).toEqual({
      ...before,
      last_exchanged_at: world.now().toISOString(),
      idle_expires_at: expect.any(String),
    });
    expect(after.refresh_token_metadata).toEqual({ a: 1 });
    const emptied = await world.api().patch(`/refresh-tokens/${id}`, { refresh_token_metadata: null });
    expect(emptied.json()).not.toHaveProperty('refresh_token_metadata');
  });

  it('does not know what was revoked, has expired or never was', async () => {
    const revoked = await holder();
    await world.request({ path: '/oauth/revoke', form: { ...spa(), client_secret: '', token: revoked.text } });
    for (const id of [revoked.id, 'rt_nothing', '%25']) {
      expect(await answer(world.api().get(`/refresh-tokens/${id}`))).toMatchObject({
        status: 404,
        body: { errorCode: 'inexistent_refresh_token' },
      });
    }
  });
});

describe('ending refresh tokens', () => {
  it('DELETE /refresh-tokens/{id} ends the family, whichever of it is out', async () => {
    const { person, id, text } = await holder();
    const other = await holder(person);
    const second = (await refreshed(text)).json().refresh_token;
    expect((await world.api('delete:refresh_tokens').delete(`/refresh-tokens/${id}`)).statusCode).toBe(204);
    expect((await refreshed(second)).statusCode).toBe(403);
    expect((await refreshed(other.text)).statusCode).toBe(200);
    expect((await world.api().delete(`/refresh-tokens/${id}`)).statusCode).toBe(204);
  });

  it.each<[string, (one: Awaited<ReturnType<typeof holder>>) => object, [number, number]]>([
    ['ids', ({ id }) => ({ ids: [id, 'rt_unknown'] }), [403, 200]],
    ['a user', ({ person }) => ({ user_id: person.id }), [403, 403]],
    ['a user at a client', ({ person }) => ({ user_id: person.id, client_id: world.spa_client.client_id }), [403, 403]],
    ['a user at another client', ({ person }) => ({ user_id: person.id, client_id: 'x'.repeat(32) }), [200, 200]],
    ['a user at an API', ({ person }) => ({ user_id: person.id, audience: world.api.name }), [200, 200]],
  ])('POST /refresh-tokens/revoke takes %s', async (_what, body, [first, second]) => {
    const one = await holder();
    const two = await holder(one.person);
    const stranger = await holder();
    expect(await answer(world.api('delete:refresh_tokens').post('/refresh-tokens/revoke', body(one)))).toEqual({
      status: 202,
      body: {},
    });
    const statuses = [await refreshed(one.text), await refreshed(two.text), await refreshed(stranger.text)];
    expect(statuses.map(({ statusCode }) => statusCode)).toEqual([first, second, 200]);
  });

  it.each([
    ['nothing', {}],
    ['an API alone', { audience: 'https://api.example/' }],
    ['ids of a user', { ids: ['rt_a'], user_id: 'auth0|a' }],
    ['no ids', { ids: [] }],
    ['too many ids', { ids: Array.from({ length: 101 }, (_, index) => `rt_${index}`) }],
  ])('POST /refresh-tokens/revoke refuses %s', async (_what, body) => {
    const { text } = await holder();
    const response = await world.api().post('/refresh-tokens/revoke', body);
    expect([response.statusCode, response.json().errorCode]).toEqual([400, 'invalid_body']);
    expect((await refreshed(text)).statusCode).toBe(200);
  });

  it('DELETE /users/{user_id}/refresh-tokens ends those of one user', async () => {
    const one = await holder();
    const stranger = await holder();
    const path = `/users/${encodeURIComponent(one.person.id)}/refresh-tokens`;
    expect(await answer(world.api().delete(path))).toEqual({ status: 202, body: {} });
    expect([(await refreshed(one.text)).statusCode, (await refreshed(stranger.text)).statusCode]).toEqual([403, 200]);
    expect((await world.api().get(path)).json()).toEqual({ tokens: [] });
    expect((await world.api().delete('/users/auth0%7Cnobody/refresh-tokens')).statusCode).toBe(404);
  });
});

describe('POST /oauth/revoke', () => {
  it.each([
    [false, 200],
    [true, 403],
  ])('ends the other tokens of user and client where revoke_refresh_token_grant is %s', async (flag, status) => {
    await world.api().patch('/tenants/settings', { flags: { revoke_refresh_token_grant: flag } });
    const one = await holder();
    const two = await holder(one.person);
    await world.request({ path: '/oauth/revoke', form: { client_id: world.spa_client.client_id, token: one.text } });
    const statuses = [await refreshed(one.text), await refreshed(two.text)].map(({ statusCode }) => statusCode);
    await world.api().patch('/tenants/settings', { flags: { revoke_refresh_token_grant: false } });
    expect(statuses).toEqual([403, status]);
  });
});

describe('GET /api/v2/refresh-tokens', () => {
  it('lists the tokens of a user, at a client, by checkpoint', async () => {
    const { person } = await holder();
    await holder(person);
    await holder(person);
    const path = `/refresh-tokens?user_id=${encodeURIComponent(person.id)}`;
    const first = (await world.api().get(`${path}&take=2`)).json();
    const rest = (await world.api().get(`${path}&take=2&from=${first.next}`)).json();
    expect([first.refresh_tokens.length, rest.refresh_tokens.length, rest.next]).toEqual([2, 1, undefined]);
    expect((await world.api().get(`${path}&client_id=${'x'.repeat(32)}`)).json()).toEqual({ refresh_tokens: [] });
    expect((await world.api().get('/refresh-tokens')).statusCode).toBe(400);
  });
});

describe('/api/v2/device-credentials', () => {
  it('shows refresh tokens by user, client and type', async () => {
    const { person, id } = await holder();
    const path = `/device-credentials?user_id=${encodeURIComponent(person.id)}`;
    const expected = {
      id,
      type: 'rotating_refresh_token',
      user_id: person.id,
      client_id: world.spa_client.client_id,
      device_name: 'lightMyRequest',
    };
    expect((await world.api('read:device_credentials').get(path)).json()).toEqual([expected]);
    expect((await world.api().get(`${path}&type=refresh_token`)).json()).toEqual([]);
    expect((await world.api().get(`${path}&type=rotating_refresh_token&include_totals=true`)).json()).toEqual({
      start: 0,
      limit: 50,
      total: 1,
      device_credentials: [expected],
    });
  });

  it('lets a user register a key of a device, once, and take it away', async () => {
    const person = await createTestUser(world, 'key-owner');
    const call = await endUser('create:current_user_device_credentials delete:current_user_device_credentials', person);
    const key = { device_name: 'Phone', type: 'public_key', value: 'the key', device_id: 'abc-1' };
    const made = await call('POST', '/device-credentials', key);
    expect([made.statusCode, made.json()]).toEqual([201, { id: expect.stringMatching(/^dcr_\w{16}$/) }]);
    expect((await call('POST', '/device-credentials', key)).statusCode).toBe(409);
    const listed = await world.api().get(`/device-credentials?type=public_key&user_id=${person.id}`);
    expect(listed.json()).toEqual([
      {
        id: made.json().id,
        type: 'public_key',
        device_name: 'Phone',
        device_id: 'abc-1',
        user_id: person.id,
        client_id: world.password_client.client_id,
      },
    ]);
    expect(listed.body).not.toContain('the key');
    expect((await call('DELETE', `/device-credentials/${made.json().id}`)).statusCode).toBe(204);
    expect((await call('DELETE', `/device-credentials/${made.json().id}`)).statusCode).toBe(204);
  });

  it("lets a user end own refresh tokens and nobody else's", async () => {
    const own = await holder();
    const victim = await holder();
    const call = await endUser('delete:current_user_device_credentials', own.person);
    const refused = await call('DELETE', `/device-credentials/${victim.id}`);
    expect([refused.statusCode, refused.json().errorCode]).toEqual([403, 'insufficient_scope']);
    expect((await call('DELETE', `/device-credentials/${own.id}`)).statusCode).toBe(204);
    expect([(await refreshed(own.text)).statusCode, (await refreshed(victim.text)).statusCode]).toEqual([403, 200]);
  });

  it("keeps at most 100 keys of a user, however many come at once, and another user's beside them", async () => {
    const person = await createTestUser(world, 'key-hoarder');
    const call = await endUser('create:current_user_device_credentials', person);
    const key = (device: number) => ({
      device_name: 'Phone',
      type: 'public_key',
      value: 'key',
      device_id: `d-${device}`,
    });
    await world.database.pool.query(
      `insert into device_credentials (tenant_id, credential_id, user_id, client_id, device_id, device_name, value)
       select 'dev', 'dcr_' || n, $1, $2, 'old-' || n, 'Phone', 'key' from generate_series(1, 97) n`,
      [person.id, world.password_client.client_id],
    );
    const answers = await Promise.all(Array.from({ length: 6 }, (_, n) => call('POST', '/device-credentials', key(n))));
    expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([201, 201, 201, 403, 403, 403]);
    const other = await endUser('create:current_user_device_credentials', await createTestUser(world, 'key-modest'));
    expect((await other('POST', '/device-credentials', key(1))).statusCode).toBe(201);
  });

  it('registers no key for a machine or an unknown client', async () => {
    const person = await createTestUser(world, 'key-thief');
    const call = await endUser('create:current_user_device_credentials', person);
    const key = { device_name: 'Phone', type: 'public_key', value: 'the key', device_id: 'abc-1' };
    expect(
      (await world.api('create:current_user_device_credentials').post('/device-credentials', key)).statusCode,
    ).toBe(403);
    expect((await call('POST', '/device-credentials', { ...key, client_id: 'x'.repeat(32) })).statusCode).toBe(400);
    expect((await call('POST', '/device-credentials', { ...key, value: 'x'.repeat(9_000) })).statusCode).toBe(400);
    expect((await world.api().get(`/device-credentials?user_id=${person.id}`)).json()).toEqual([]);
  });
});
