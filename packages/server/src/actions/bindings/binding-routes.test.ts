import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ManagementClient, startWorld, type World } from '../../../test/world.ts';
import { createTenantCache } from '../../tenants/tenant-cache.ts';
import { createDeployedActions } from '../deployed-actions.ts';

const BINDINGS = '/actions/triggers/post-login/bindings';

let world: World;
let manage: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
});
afterAll(() => world.stop());

let serial = 0;

async function deployed(body: object = {}, triggerId = 'post-login') {
  const response = await manage.post('/actions/actions', {
    name: `Action ${++serial}`,
    supported_triggers: [{ id: triggerId }],
    code: `exports.serial = ${serial};`,
    deploy: true,
    ...body,
  });
  expect(response.statusCode, response.body).toBe(201);
  return response.json();
}

const byId = ({ id }: { id: string }) => ({ ref: { type: 'action_id', value: id } });
const namesOf = (answer: { bindings: { display_name: string }[] }) => answer.bindings.map((one) => one.display_name);
const running = (triggerId = 'post-login') => deployedActions().atTrigger('dev', triggerId);

function deployedActions() {
  const cache = createTenantCache({ isCurrent: () => false });
  return createDeployedActions({ cache, stores: world.app.stores });
}

describe('GET /api/v2/actions/triggers', () => {
  it('lists the triggers with their versions and runtimes', async () => {
    const { triggers } = (await manage.get('/actions/triggers')).json();
    expect(triggers).toContainEqual({
      id: 'post-login',
      version: 'v3',
      status: 'CURRENT',
      runtimes: expect.arrayContaining(['node18', 'node22']),
      default_runtime: 'node22',
      binding_policy: 'trigger-bound',
      compatible_triggers: [],
    });
    expect(triggers).toContainEqual(expect.objectContaining({ id: 'post-login', version: 'v2', status: 'DEPRECATED' }));
    const ids = new Set(triggers.map(({ id }: { id: string }) => id));
    expect(ids).toContain('custom-token-exchange');
    const current = triggers.filter(({ status }: { status: string }) => status === 'CURRENT');
    expect(current).toHaveLength(ids.size);
  });
});

describe('/api/v2/actions/triggers/{trigger_id}/bindings', () => {
  it('are what the trigger runs, in their order: named by action, by id and by binding', async () => {
    const [first, second] = [await deployed(), await deployed()];
    const made = await manage.patch(BINDINGS, {
      bindings: [{ ref: { type: 'action_name', value: second.name }, display_name: 'Second' }, byId(first)],
    });
    expect(made.statusCode, made.body).toBe(200);
    expect(made.json().bindings[0]).toEqual({
      id: expect.any(String),
      trigger_id: 'post-login',
      display_name: 'Second',
      action: second,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    expect(namesOf(made.json())).toEqual(['Second', first.name]);
    const list = (await manage.get(`${BINDINGS}?per_page=1&page=1`)).json();
    expect(list).toMatchObject({ total: 2, page: 1, per_page: 1, bindings: [{ action: { id: first.id } }] });
    expect((await running()).map(({ id }) => id)).toEqual([second.id, first.id]);

    const [{ id: kept }] = made.json().bindings;
    const bindings = [byId(first), { ref: { type: 'binding_id', value: kept }, display_name: 'Kept' }];
    const changed = (await manage.patch(BINDINGS, { bindings })).json();
    expect([namesOf(changed), changed.bindings[1].id]).toEqual([[first.name, 'Kept'], kept]);
    expect((await manage.patch(BINDINGS, {})).json().bindings).toHaveLength(2);
    expect((await manage.patch(BINDINGS, { bindings: [] })).json()).toEqual({ bindings: [] });
    expect(await running()).toEqual([]);
  });

  it('refuses an action that is not there, not deployed, of another trigger, or twice', async () => {
    const draft = await deployed({ deploy: false });
    const other = await deployed({}, 'credentials-exchange');
    const good = await deployed();
    await manage.patch(BINDINGS, { bindings: [byId(good)] });
    for (const [bindings, problem] of [
      [[byId({ id: 'unknown' })], 'There is no such action'],
      [[{ ref: { type: 'action_name', value: 'unknown' } }], 'There is no such action'],
      [[{ ref: { type: 'binding_id', value: good.id } }], 'There is no such action'],
      [[{ ref: {} }], 'There is no such action'],
      [[byId(draft)], `Trying to create a binding for an action that has not been deployed yet: ${draft.name}`],
      [[byId(other)], 'does not support the trigger post-login'],
      [[byId(good), byId(good)], 'An action is bound once to a trigger'],
      [Array.from({ length: 21 }, () => byId(good)), 'Array is too long (21), maximum 20'],
    ] as const) {
      const response = await manage.patch(BINDINGS, { bindings });
      expect([response.statusCode, response.json().message]).toEqual([400, expect.stringContaining(problem)]);
    }
    expect((await manage.get(BINDINGS)).json().bindings).toMatchObject([{ action: { id: good.id } }]);
    const exchange = await manage.patch('/actions/triggers/custom-token-exchange/bindings', {
      bindings: [byId(good)],
    });
    expect(exchange.json().message).toContain('can not be bound to the trigger custom-token-exchange');
    expect((await manage.get('/actions/triggers/no-trigger/bindings')).json().errorCode).toBe('invalid_uri');
  });

  it('keep an action from being deleted, unless that is forced: then they go with it', async () => {
    const action = await deployed();
    await manage.patch(BINDINGS, { bindings: [byId(action)] });
    const path = `/actions/actions/${action.id}`;
    expect((await manage.delete(path)).json()).toEqual({
      statusCode: 409,
      error: 'Conflict',
      message: 'Unable to delete an action bound to a trigger.',
    });
    expect((await manage.delete(`${path}?force=true`)).statusCode).toBe(204);
    expect((await manage.get(BINDINGS)).json()).toMatchObject({ bindings: [], total: 0 });
    expect(await running()).toEqual([]);
  });

  it('of two lists that come at once one wins whole', async () => {
    const [a, b, c] = [await deployed(), await deployed(), await deployed()];
    const lists = [
      [a, b, c],
      [c, b, a],
    ];
    const answers = await Promise.all(lists.map((list) => manage.patch(BINDINGS, { bindings: list.map(byId) })));
    for (const { statusCode, body } of answers) expect(statusCode, body).toBe(200);
    const order = (await running()).map(({ id }) => id);
    expect([order]).toEqual([expect.toBeOneOf(lists.map((list) => list.map(({ id }) => id)))]);
  });
});

describe('what runs at a trigger', () => {
  it('is the deployed version with its secrets and those of its binding, never the draft', async () => {
    const secrets = [
      { name: 'KEY', value: 'of the action' },
      { name: 'OTHER', value: 'stays' },
    ];
    const action = await deployed({ code: 'exports.first = 1;', secrets });
    const bound = { ...byId(action), secrets: [{ name: 'KEY', value: 'of the binding' }] };
    await manage.patch(BINDINGS, { bindings: [bound] });
    await manage.patch(`/actions/actions/${action.id}`, { code: 'exports.draft = 1;', secrets: [] });
    const [ran] = await running();
    expect(ran).toMatchObject({
      id: action.id,
      name: action.name,
      versionId: action.deployed_version.id,
      code: 'exports.first = 1;',
      secrets: { KEY: 'of the binding', OTHER: 'stays' },
      modules: [],
    });
    await manage.post(`/actions/actions/${action.id}/deploy`);
    const [next] = await running();
    expect([next?.code, next?.hash === ran?.hash]).toEqual(['exports.draft = 1;', false]);
    expect((await manage.get(BINDINGS)).body).not.toContain('of the binding');
  });

  it('of a trigger that a profile is bound to is found by the id of the action', async () => {
    const action = await deployed({}, 'custom-token-exchange');
    expect(await deployedActions().byId('dev', action.id, 'custom-token-exchange')).toMatchObject({ id: action.id });
    expect(await deployedActions().byId('dev', action.id, 'post-login')).toBeUndefined();
    expect(await deployedActions().byId('acme', action.id, 'custom-token-exchange')).toBeUndefined();
  });
});
