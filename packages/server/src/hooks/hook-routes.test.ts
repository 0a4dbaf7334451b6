import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ManagementClient, startWorld, type World } from '../../test/world.ts';

const SCRIPT = 'module.exports = function (user, context, cb) { cb(null, { user }); };';
const NOT_THERE = {
  statusCode: 404,
  error: 'Not Found',
  message: 'Error: Hook does not exist',
  errorCode: 'HookDoesNotExist',
};

let world: World;
let manage: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
});
afterAll(() => world.stop());

async function made(body: object = {}) {
  const response = await manage.post('/hooks', {
    name: 'Greet',
    script: SCRIPT,
    triggerId: 'pre-user-registration',
    ...body,
  });
  expect(response.statusCode, response.body).toBe(201);
  return response.json();
}

describe('/api/v2/hooks', () => {
  it('makes a hook, reads, changes and deletes it', async () => {
    const hook = await made({ dependencies: { lodash: '4.17.21' } });
    expect(hook).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      name: 'Greet',
      script: SCRIPT,
      triggerId: 'pre-user-registration',
      enabled: false,
      dependencies: { lodash: '4.17.21' },
    });
    const path = `/hooks/${hook.id}`;
    expect((await manage.get(path)).json()).toEqual(hook);
    const changed = await manage.patch(path, { name: 'Welcome', dependencies: {} });
    expect([changed.statusCode, changed.json()]).toEqual([200, { ...hook, name: 'Welcome', dependencies: {} }]);
    expect((await manage.delete(path)).statusCode).toBe(204);
    for (const response of [await manage.get(path), await manage.patch(path, {}), await manage.delete(path)])
      expect(response.json()).toEqual(NOT_THERE);
  });

  it('lists hooks without their code, by trigger and by whether they are enabled', async () => {
    const on = await made({ triggerId: 'post-change-password', enabled: true });
    await made({ triggerId: 'post-change-password' });
    const { script: _script, ...listed } = on;
    const query = 'triggerId=post-change-password';
    expect((await manage.get(`/hooks?${query}&enabled=true`)).json()).toEqual([listed]);
    expect((await manage.get(`/hooks?${query}&include_totals=true&per_page=1`)).json()).toMatchObject({
      start: 0,
      limit: 1,
      total: 2,
      hooks: [{ id: on.id }],
    });
    expect((await manage.get(`/hooks?${query}&fields=id,script&per_page=1`)).json()).toEqual([
      { id: on.id, script: SCRIPT },
    ]);
  });

  it('has one enabled hook for a trigger: the one that was enabled last, of many that are at once too', async () => {
    const hooks = await Promise.all(
      ['a', 'b', 'c', 'd'].map((name) => made({ name, triggerId: 'credentials-exchange', enabled: true })),
    );
    const other = await made({ triggerId: 'post-user-registration', enabled: true });
    const enabled = async (triggerId: string) =>
      (await manage.get(`/hooks?enabled=true&triggerId=${triggerId}`)).json().map(({ id }: { id: string }) => id);
    expect(await enabled('credentials-exchange')).toHaveLength(1);
    await Promise.all(hooks.map(({ id }) => manage.patch(`/hooks/${id}`, { enabled: true })));
    expect(await enabled('credentials-exchange')).toHaveLength(1);
    expect((await manage.patch(`/hooks/${hooks[2].id}`, { enabled: true })).json().enabled).toBe(true);
    expect(await enabled('credentials-exchange')).toEqual([hooks[2].id]);
    expect(await enabled('post-user-registration')).toEqual([other.id]);
  });
});

describe('/api/v2/hooks/{id}/secrets', () => {
  it('adds, replaces and removes secrets, whose names alone can be read', async () => {
    const path = `/hooks/${(await made()).id}/secrets`;
    expect((await manage.get(path)).json()).toEqual({});
    const added = await manage.post(path, { API_KEY: 'a-secret-of-a-hook', COLOUR: 'green-as-a-secret' });
    expect([added.statusCode, added.json()]).toEqual([201, {}]);
    expect((await manage.get(path)).json()).toEqual({ API_KEY: '_VALUE_NOT_SHOWN_', COLOUR: '_VALUE_NOT_SHOWN_' });
    expect((await manage.patch(path, { COLOUR: 'blue-as-a-secret' })).statusCode).toBe(201);
    expect((await manage.post(path, { COLOUR: 'red' })).statusCode).toBe(409);
    expect((await manage.patch(path, { SIZE: 'm' })).statusCode).toBe(404);
    expect((await manage.delete(path, ['API_KEY', 'unknown'])).statusCode).toBe(204);
    expect((await manage.get(path)).json()).toEqual({ COLOUR: '_VALUE_NOT_SHOWN_' });
    const { rows } = await world.database.pool.query(
      `select body::text as text from log_events union all select encode(secrets, 'escape') from hooks`,
    );
    expect(rows.map(({ text }) => text).join('\n')).not.toContain('as-a-secret');
    expect(rows.map(({ text }) => text).join('\n')).not.toContain('a-secret-of-a-hook');
  });

  it('loses none of the secrets that are added at once', async () => {
    const path = `/hooks/${(await made()).id}/secrets`;
    const names = ['A', 'B', 'C', 'D', 'E'];
    await Promise.all(names.map((name) => manage.post(path, { [name]: 'x' })));
    expect(Object.keys((await manage.get(path)).json())).toEqual(names);
  });

  it('go with their hook to its trigger, and belong to no other', async () => {
    const hook = await made({ triggerId: 'send-phone-message', enabled: true });
    await manage.post(`/hooks/${hook.id}/secrets`, { TOKEN: 'sesame' });
    const { hooks } = world.app.stores;
    expect(await hooks.enabledOf('dev', 'send-phone-message')).toMatchObject({
      id: hook.id,
      script: SCRIPT,
      secrets: { TOKEN: 'sesame' },
    });
    await manage.patch(`/hooks/${hook.id}`, { enabled: false });
    expect(await hooks.enabledOf('dev', 'send-phone-message')).toBeUndefined();
  });

  it('bounds the number of secrets, their names and their values, and knows no hook that is not there', async () => {
    const path = `/hooks/${(await made()).id}/secrets`;
    const many = Object.fromEntries(Array.from({ length: 31 }, (_, n) => [`S${n}`, 'x']));
    expect((await manage.post(path, many)).statusCode).toBe(403);
    expect((await manage.post(path, { ['x'.repeat(129)]: 'x' })).statusCode).toBe(400);
    expect((await manage.post(path, { LONG: 'x'.repeat(4_097) })).statusCode).toBe(400);
    expect((await manage.get(path)).json()).toEqual({});
    const nowhere = '/hooks/unknown/secrets';
    for (const response of [
      await manage.get(nowhere),
      await manage.post(nowhere, { A: 'x' }),
      await manage.patch(nowhere, { A: 'x' }),
      await manage.delete(nowhere, ['A']),
    ])
      expect(response.json()).toEqual(NOT_THERE);
  });
});
