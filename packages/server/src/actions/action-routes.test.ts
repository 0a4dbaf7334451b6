import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ManagementClient, startWorld, type World } from '../../test/world.ts';
import { MOST_ACTIONS, MOST_VERSIONS } from './action.ts';

const CODE = 'exports.onExecutePostLogin = async (event, api) => {};';
const POST_LOGIN = [{ id: 'post-login', version: 'v3' }];
const NOT_THERE = { statusCode: 404, error: 'Not Found', message: 'That action does not exist.' };

let world: World;
let manage: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
});
afterAll(() => world.stop());

let serial = 0;

async function made(body: object = {}) {
  const response = await manage.post('/actions/actions', {
    name: `Action ${++serial}`,
    supported_triggers: POST_LOGIN,
    code: CODE,
    ...body,
  });
  expect(response.statusCode, response.body).toBe(201);
  return response.json();
}

async function deployed(body: object = {}) {
  const action = await made(body);
  const response = await manage.post(`/actions/actions/${action.id}/deploy`);
  expect(response.statusCode, response.body).toBe(200);
  return { action, version: response.json() };
}

describe('/api/v2/actions/actions', () => {
  it('makes a draft that is built at once, reads, changes and deletes it', async () => {
    const action = await made({ name: 'Enrich', secrets: [{ name: 'KEY', value: 'a-secret' }], runtime: 'node18' });
    expect(action).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/),
      name: 'Enrich',
      supported_triggers: POST_LOGIN,
      code: CODE,
      runtime: 'node18',
      dependencies: [],
      secrets: [{ name: 'KEY', updated_at: world.now().toISOString() }],
      status: 'built',
      built_at: expect.any(String),
      all_changes_deployed: false,
      created_at: world.now().toISOString(),
      updated_at: world.now().toISOString(),
    });
    const path = `/actions/actions/${action.id}`;
    expect((await manage.get(path)).json()).toEqual(action);
    const changed = (await manage.patch(path, { name: 'Enrich 2', code: 'exports.x = 1;' })).json();
    expect(changed).toEqual({ ...action, name: 'Enrich 2', code: 'exports.x = 1;' });
    expect((await manage.delete(path)).statusCode).toBe(204);
    for (const response of [await manage.get(path), await manage.patch(path, {}), await manage.delete(path)])
      expect(response.json()).toEqual(NOT_THERE);
  });

  it('keeps an action that a token exchange profile names, unless its end is asked for with force: the profile ends, too', async () => {
    const supported_triggers = [{ id: 'custom-token-exchange', version: 'v1' }];
    const code = 'exports.onExecuteCustomTokenExchange = async (event, api) => {};';
    const { action } = await deployed({ supported_triggers, code });
    const profile = { name: 'Legacy', subject_token_type: 'urn:acme:old', type: 'custom_authentication' };
    const made = await manage.post('/token-exchange-profiles', { ...profile, action_id: action.id });
    const path = `/actions/actions/${action.id}`;
    expect((await manage.delete(path)).json()).toMatchObject({
      statusCode: 409,
      message: 'Unable to delete an action that a token exchange profile uses.',
    });
    expect((await manage.get(path)).statusCode).toBe(200);
    expect((await manage.delete(`${path}?force=true`)).statusCode).toBe(204);
    expect((await manage.get(`/token-exchange-profiles/${made.json().id}`)).statusCode).toBe(404);
  });

  it('lists actions with totals, by name, by trigger and by whether they are deployed', async () => {
    const { action } = await deployed({ name: 'Listed', supported_triggers: [{ id: 'credentials-exchange' }] });
    const idsOf = async (query: string) =>
      (await manage.get(`/actions/actions?${query}`)).json().actions.map(({ id }: { id: string }) => id);
    expect(await idsOf('actionName=Listed')).toEqual([action.id]);
    expect(await idsOf('triggerId=credentials-exchange')).toEqual([action.id]);
    expect(await idsOf('triggerId=credentials-exchange&deployed=false')).toEqual([]);
    expect(await idsOf('triggerId=credentials-exchange&installed=true')).toEqual([]);
    const { actions, ...page } = (await manage.get('/actions/actions?per_page=1&page=0')).json();
    expect(actions).toHaveLength(1);
    expect(page).toEqual({ total: expect.any(Number), page: 0, per_page: 1 });
    expect(await idsOf('page=999')).toEqual([]);
    for (const query of ['per_page=0', 'per_page=101', 'page=-1'])
      expect((await manage.get(`/actions/actions?${query}`)).json().errorCode).toBe('invalid_query_string');
  });

  it('refuses a name that is taken, also of two that are made at once', async () => {
    const body = { name: 'Twin', supported_triggers: POST_LOGIN };
    const answers = await Promise.all([manage.post('/actions/actions', body), manage.post('/actions/actions', body)]);
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([201, 409]);
    const other = await made();
    expect((await manage.patch(`/actions/actions/${other.id}`, { name: 'Twin' })).json()).toEqual({
      statusCode: 409,
      error: 'Conflict',
      message: 'An action with the same name already exists.',
      errorCode: 'action_conflict',
    });
  });

  it.each([
    [{ supported_triggers: [{ id: 'post-login', version: 'v9' }] }, 'No trigger post-login v9'],
    [{ supported_triggers: [{ id: 'post-login' }, { id: 'event-stream' }] }, 'An action supports one trigger'],
    [{ runtime: 'node4' }, 'No enum match for: node4'],
    [{ code: 'x'.repeat(100_001) }, 'String is too long (100001 chars), maximum 100000'],
    [{ dependencies: [{ name: '../evil', version: '1.0.0' }] }, 'Not the name of a module'],
    [{ dependencies: [{ name: 'lodash', version: '^4 || *' }] }, 'Not a version: one is exact, or latest'],
    [
      { dependencies: [{ name: 'lodash', registry_url: 'https://evil.example/' }] },
      'Modules come from the module store, and from no registry of their own',
    ],
    [{ dependencies: Array.from({ length: 11 }, () => ({ name: 'lodash' })) }, 'Array is too long (11), maximum 10'],
    [{ secrets: [{ name: 'A', value: 'x'.repeat(4_097) }] }, 'String is too long (4097 chars), maximum 4096'],
    [{ secrets: [{ name: 'x'.repeat(129), value: 'x' }] }, 'String is too long (129 chars), maximum 128'],
    [{ secrets: [{ name: 'A' }] }, 'Missing required property: value'],
    [{ secrets: [{ value: 'A' }] }, 'Missing required property: name'],
    [{ secrets: Array.from({ length: 2 }, () => ({ name: 'A', value: '' })) }, 'Two secrets have the same name'],
    [{ modules: [{ module_id: 'unknown' }] }, 'There is no such version of a module'],
    [{ name: ' ' }, 'String is too short (0 chars), minimum 1'],
  ])('refuses %o', async (body, problem) => {
    const response = await manage.post('/actions/actions', { name: 'Bad', supported_triggers: POST_LOGIN, ...body });
    expect(response.json()).toMatchObject({ statusCode: 400, message: expect.stringContaining(`'${problem}'`) });
  });

  it('has a limit', async () => {
    const other = await world.createTenant('full');
    await world.database.pool.query(
      `insert into actions (tenant_id, id, name, source, is_changed, created_at, updated_at)
       select 'full', 'id ' || n, 'name ' || n, '{}', true, now(), now() from generate_series(1, $1::int) n`,
      [MOST_ACTIONS],
    );
    const response = await world
      .apiAt(other)
      .post('/actions/actions', { name: 'more', supported_triggers: POST_LOGIN });
    expect(response.json()).toMatchObject({ statusCode: 403, errorCode: 'too_many_entities' });
  });
});

describe('the secrets of an action', () => {
  it('are kept, replaced and removed by the whole list, and told to nobody', async () => {
    const { id } = await made({
      secrets: [
        { name: 'KEPT', value: 'kept-as-a-secret' },
        { name: 'GONE', value: 'gone-as-a-secret' },
      ],
    });
    world.advance(1_000);
    const path = `/actions/actions/${id}`;
    const secrets = [{ name: 'KEPT' }, { name: 'NEW', value: 'new-as-a-secret' }];
    const changed = (await manage.patch(path, { secrets })).json();
    const [kept, fresh] = changed.secrets;
    expect([kept.name, fresh.name]).toEqual(['KEPT', 'NEW']);
    expect(Date.parse(fresh.updated_at) - Date.parse(kept.updated_at)).toBe(1_000);
    expect((await manage.patch(path, { name: 'Renamed with secrets' })).json().secrets).toEqual(changed.secrets);
    await manage.post(`${path}/deploy`);
    expect((await world.app.stores.actions.find('dev', id))?.secrets).toMatchObject([
      { name: 'KEPT', value: 'kept-as-a-secret' },
      { name: 'NEW', value: 'new-as-a-secret' },
    ]);
    const { rows } = await world.database.pool.query(
      `select body::text as text from log_events
       union all select concat(actions.*::text, encode(secrets, 'escape')) from actions
       union all select concat(action_versions.*::text, encode(secrets, 'escape')) from action_versions`,
    );
    const written = rows.map(({ text }) => text).join('\n');
    expect(written).toContain('"name": "KEPT"');
    expect(written).not.toContain('as-a-secret');
    expect((await manage.get(`${path}/versions`)).body).not.toContain('as-a-secret');
  });
});

describe('deploying an action', () => {
  it('makes a version of the draft, and the draft goes on changing', async () => {
    const { action, version } = await deployed();
    expect(version).toEqual({
      id: expect.any(String),
      action_id: action.id,
      number: 1,
      code: CODE,
      runtime: 'node22',
      dependencies: [],
      supported_triggers: POST_LOGIN,
      secrets: [],
      status: 'built',
      deployed: true,
      built_at: expect.any(String),
      created_at: expect.any(String),
      updated_at: expect.any(String),
      action: expect.objectContaining({ id: action.id, name: action.name, all_changes_deployed: true }),
    });
    const path = `/actions/actions/${action.id}`;
    const read = (await manage.get(path)).json();
    expect(read).toMatchObject({ all_changes_deployed: true, deployed_version: { id: version.id, deployed: true } });
    expect(read.current_version).toEqual(read.deployed_version);
    expect((await manage.patch(path, { code: CODE, name: 'Same code' })).json().all_changes_deployed).toBe(true);
    const changed = (await manage.patch(path, { code: 'exports.y = 2;' })).json();
    expect(changed).toMatchObject({ all_changes_deployed: false, deployed_version: { code: CODE } });
  });

  it('happens with the creation where that is asked for', async () => {
    expect(await made({ deploy: true })).toMatchObject({
      all_changes_deployed: true,
      deployed_version: { number: 1, deployed: true },
    });
  });

  it('goes back to an older version, as a new one, with the draft or without it', async () => {
    const { action, version: first } = await deployed({ secrets: [{ name: 'A', value: '1' }] });
    const path = `/actions/actions/${action.id}`;
    await manage.patch(path, { code: 'exports.second = true;', secrets: [{ name: 'A', value: '2' }] });
    const second = (await manage.post(`${path}/deploy`)).json();
    const third = (await manage.post(`${path}/versions/${first.id}/deploy`)).json();
    expect(third).toMatchObject({ number: 3, code: CODE, deployed: true });
    expect((await manage.get(path)).json()).toMatchObject({
      code: 'exports.second = true;',
      all_changes_deployed: false,
      deployed_version: { id: third.id },
    });
    const list = (await manage.get(`${path}/versions?per_page=2`)).json();
    expect(list).toMatchObject({ total: 3, page: 0, per_page: 2, versions: [{ number: 3 }, { number: 2 }] });
    expect((await manage.get(`${path}/versions/${second.id}`)).json()).toMatchObject({ number: 2, deployed: false });
    const draft = { update_draft: true };
    expect((await manage.post(`${path}/versions/${first.id}/deploy`, draft)).json().number).toBe(4);
    expect((await manage.get(path)).json()).toMatchObject({ code: CODE, all_changes_deployed: true });
    expect((await world.app.stores.actions.find('dev', action.id))?.secrets).toMatchObject([{ name: 'A', value: '1' }]);
    const unknown = { statusCode: 404, error: 'Not Found', message: 'That action version does not exist.' };
    expect((await manage.get(`${path}/versions/unknown`)).json()).toEqual(unknown);
    expect((await manage.post(`${path}/versions/unknown/deploy`, {})).json()).toEqual(unknown);
    const { version: foreign } = await deployed();
    expect((await manage.post(`${path}/versions/${foreign.id}/deploy`, {})).json()).toEqual(unknown);
  });

  it('numbers versions that are made at once, one of which is deployed, and keeps the newest', async () => {
    const { action } = await deployed();
    const path = `/actions/actions/${action.id}`;
    const answers = await Promise.all(Array.from({ length: 4 }, () => manage.post(`${path}/deploy`)));
    expect(answers.map((answer) => answer.json().number).sort()).toEqual([2, 3, 4, 5]);
    const { versions } = (await manage.get(`${path}/versions`)).json();
    expect(versions.map(({ deployed }: { deployed: boolean }) => deployed)).toEqual([true, false, false, false, false]);
    await world.database.pool.query(
      'update action_versions set number = number + $1 where action_id = $2 and number > 1',
      [MOST_VERSIONS, action.id],
    );
    const newest = (await manage.post(`${path}/deploy`)).json();
    const kept = (await manage.get(`${path}/versions`)).json().versions;
    const numbers = kept.map(({ number }: { number: number }) => number - newest.number);
    expect(numbers).toEqual([0, -1, -2, -3, -4]);
  });

  it('fails where a module is missing, says which and how to add it, and works once it is there', async () => {
    const missing = { name: 'left-pad', version: '1.3.0' };
    const body = { dependencies: [{ name: 'lodash', version: 'latest' }, missing] };
    const action = await made(body);
    expect(action).toMatchObject({ status: 'failed', errors: [{ id: 'module_not_found' }], ...body });
    expect(action).not.toHaveProperty('built_at');
    const refused = (await manage.post(`/actions/actions/${action.id}/deploy`)).json();
    expect(refused).toEqual({
      statusCode: 400,
      error: 'Bad Request',
      message:
        'The action could not be built. The module left-pad@1.3.0 is not in the module store: its operator adds it with gatewright modules add left-pad@1.3.0.',
      errorCode: 'action_build_failed',
    });
    const both = { name: 'Never', supported_triggers: POST_LOGIN, deploy: true, ...body };
    expect((await manage.post('/actions/actions', both)).statusCode).toBe(400);
    expect((await manage.get('/actions/actions?actionName=Never')).json().actions).toEqual([]);
    const mended = await manage.patch(`/actions/actions/${action.id}`, { dependencies: body.dependencies.slice(0, 1) });
    expect(mended.json().status).toBe('built');
    const version = (await manage.post(`/actions/actions/${action.id}/deploy`)).json();
    expect(version.dependencies).toEqual([{ name: 'lodash', version: '4.17.21' }]);
  });
});
