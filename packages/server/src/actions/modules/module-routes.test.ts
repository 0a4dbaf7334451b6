import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ManagementClient, startWorld, type World } from '../../../test/world.ts';
import { createTenantCache } from '../../tenants/tenant-cache.ts';
import { createDeployedActions } from '../deployed-actions.ts';

let world: World;
let manage: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
});
afterAll(() => world.stop());

let serial = 0;

async function made(body: object = {}) {
  const response = await manage.post('/actions/modules', { name: `module-${++serial}`, code: 'one', ...body });
  expect(response.statusCode, response.body).toBe(201);
  return response.json();
}

async function action(modules: object[]) {
  const body = { name: `Action ${++serial}`, supported_triggers: [{ id: 'post-login' }], modules };
  return manage.post('/actions/actions', body);
}

describe('/api/v2/actions/modules', () => {
  it('makes a module, reads, changes and deletes it', async () => {
    const module = await made({ name: 'shared', secrets: [{ name: 'KEY', value: 'module-as-a-secret' }] });
    expect(module).toEqual({
      id: expect.any(String),
      name: 'shared',
      code: 'one',
      dependencies: [],
      secrets: [{ name: 'KEY', updated_at: world.now().toISOString() }],
      actions_using_module_total: 0,
      all_changes_published: false,
      created_at: world.now().toISOString(),
      updated_at: world.now().toISOString(),
    });
    const path = `/actions/modules/${module.id}`;
    expect((await manage.get(path)).json()).toEqual(module);
    expect((await manage.get('/actions/modules?per_page=100')).json().modules).toContainEqual(module);
    expect((await manage.post('/actions/modules', { name: 'shared', code: '' })).statusCode).toBe(409);
    expect((await manage.patch(path, { code: 'two' })).json()).toEqual({ ...module, code: 'two' });
    const { rows } = await world.database.pool.query(
      `select body::text as text from log_events union all select encode(secrets, 'escape') from action_modules`,
    );
    expect(rows.map(({ text }) => text).join()).not.toContain('module-as-a-secret');
    expect((await manage.delete(path)).statusCode).toBe(204);
    const told = { statusCode: 404, error: 'Not Found', message: 'That module does not exist.' };
    for (const response of [await manage.get(path), await manage.patch(path, {}), await manage.delete(path)])
      expect(response.json()).toEqual(told);
  });

  it('publishes versions, which stay as they are, and rolls its draft back to one', async () => {
    const module = await made({ publish: true });
    expect(module).toMatchObject({
      all_changes_published: true,
      latest_version_number: 1,
      latest_version: { version_number: 1, code: 'one' },
    });
    const path = `/actions/modules/${module.id}`;
    expect((await manage.patch(path, { code: 'two' })).json().all_changes_published).toBe(false);
    const second = await manage.post(`${path}/versions`);
    expect([second.statusCode, second.json()]).toEqual([
      200,
      {
        id: expect.any(String),
        module_id: module.id,
        version_number: 2,
        code: 'two',
        dependencies: [],
        secrets: [],
        created_at: expect.any(String),
      },
    ]);
    const list = (await manage.get(`${path}/versions`)).json();
    expect(list).toMatchObject({ total: 2, page: 0, per_page: 50, versions: [{ code: 'two' }, { code: 'one' }] });
    const first = list.versions[1];
    expect((await manage.get(`${path}/versions/${first.id}`)).json()).toEqual(first);
    const back = await manage.post(`${path}/rollback`, { module_version_id: first.id });
    expect([back.statusCode, back.json()]).toEqual([
      200,
      expect.objectContaining({ code: 'one', all_changes_published: false, latest_version_number: 2 }),
    ]);
    expect((await manage.post(`${path}/rollback`, { module_version_id: 'unknown' })).json()).toEqual({
      statusCode: 404,
      error: 'Not Found',
      message: 'That module version does not exist.',
    });
  });

  it('is not published without a module that it needs, and says which', async () => {
    const module = await made({ dependencies: [{ name: 'left-pad', version: '1.3.0' }] });
    const refused = await manage.post(`/actions/modules/${module.id}/versions`);
    expect([refused.statusCode, refused.json().message]).toEqual([
      412,
      expect.stringContaining('gatewright modules add left-pad@1.3.0'),
    ]);
  });
});

describe('an action that uses a module', () => {
  it('names its version by id, number or name, runs with it, and keeps it from being deleted', async () => {
    const module = await made({ name: 'tools', publish: true, secrets: [{ name: 'KEY', value: 'of the module' }] });
    const path = `/actions/modules/${module.id}`;
    await manage.patch(path, { code: 'two' });
    await manage.post(`${path}/versions`);
    const first = await action([{ module_id: module.id, module_version_id: module.latest_version.id }]);
    expect(first.json().modules).toEqual([
      {
        module_id: module.id,
        module_name: 'tools',
        module_version_id: module.latest_version.id,
        module_version_number: 1,
      },
    ]);
    expect((await action([{ module_name: 'tools' }])).json().modules[0].module_version_number).toBe(2);
    const numbered = await action([{ module_name: 'tools', module_version_number: 1 }]);
    expect(numbered.json().modules[0].module_version_number).toBe(1);
    for (const use of [{ module_name: 'tools', module_version_number: 9e9 }, { module_name: 'x' }, {}])
      expect((await action([use])).statusCode).toBe(400);

    const { id } = first.json();
    await manage.post(`/actions/actions/${id}/deploy`);
    const used = (await manage.get(`${path}/actions`)).json();
    expect(used).toMatchObject({ total: 3, page: 0, per_page: 50 });
    expect(used.actions[0]).toEqual({
      action_id: id,
      action_name: first.json().name,
      module_version_id: module.latest_version.id,
      module_version_number: 1,
      supported_triggers: [{ id: 'post-login', version: 'v3' }],
    });
    expect((await manage.get(path)).json().actions_using_module_total).toBe(3);
    const cache = createTenantCache({ isCurrent: () => false });
    const running = await createDeployedActions({ cache, stores: world.app.stores }).byId('dev', id, 'post-login');
    expect(running?.modules).toEqual([
      { name: 'tools', code: 'one', dependencies: [], secrets: { KEY: 'of the module' } },
    ]);
    expect((await manage.delete(path)).json()).toMatchObject({ statusCode: 412, errorCode: 'module_in_use' });
    for (const { action_id } of used.actions) await manage.patch(`/actions/actions/${action_id}`, { modules: [] });
    // What runs still needs it.
    expect((await manage.delete(path)).statusCode).toBe(412);
    const { version } = { version: (await manage.get(`/actions/actions/${id}/versions`)).json().versions[0] };
    await manage.post(`/actions/actions/${id}/deploy`);
    expect((await manage.delete(path)).statusCode).toBe(204);
    const back = await manage.post(`/actions/actions/${id}/versions/${version.id}/deploy`, {});
    expect(back.json().message).toContain('The module tools is not there any more.');
  });
});
