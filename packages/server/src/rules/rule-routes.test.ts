import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ManagementClient, startWorld, type World, type WorldTenant } from '../../test/world.ts';
import { createTenantCache } from '../tenants/tenant-cache.ts';
import { LONGEST_PROGRAM, LONGEST_SCRIPT, MOST_RULES } from './rule.ts';
import { createRulesPrograms } from './rules-program.ts';

const SCRIPT = 'function (user, context, callback) { callback(null, user, context); }';

let world: World;
let manage: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
});
afterAll(() => world.stop());

async function made(body: object): Promise<Record<string, unknown>> {
  const response = await manage.post('/rules', { script: SCRIPT, ...body });
  expect(response.statusCode, response.body).toBe(201);
  return response.json();
}

async function clear(at: ManagementClient = manage): Promise<void> {
  for (const { id } of (await at.get('/rules?per_page=100')).json()) await at.delete(`/rules/${id}`);
}

describe('/api/v2/rules', () => {
  it('makes a rule, reads, changes and deletes it', async () => {
    await clear();
    const rule = await made({ name: 'Add a claim' });
    expect(rule).toEqual({
      id: expect.stringMatching(/^rul_[A-Za-z0-9]{16}$/),
      name: 'Add a claim',
      script: SCRIPT,
      order: 1,
      enabled: true,
      stage: 'login_success',
    });
    const path = `/rules/${rule.id}`;
    expect((await manage.get(path)).json()).toEqual(rule);
    const changed = { ...rule, name: 'Add claims', enabled: false, order: 7 };
    const change = { name: 'Add claims', enabled: false, order: 7 };
    expect((await manage.patch(path, change)).json()).toEqual(changed);
    expect((await manage.get(`${path}?fields=name,order`)).json()).toEqual({ name: 'Add claims', order: 7 });
    expect((await manage.delete(path)).statusCode).toBe(204);
    expect((await manage.delete(path)).statusCode).toBe(204);
    const told = {
      statusCode: 404,
      error: 'Not Found',
      message: 'The rule does not exist',
      errorCode: 'inexistent_rule',
    };
    expect((await manage.get(path)).json()).toEqual(told);
    expect((await manage.patch(path, change)).json()).toEqual(told);
  });

  it('lists rules in the order in which they run, all of them, enabled ones or others', async () => {
    await clear();
    await made({ name: 'second', order: 20 });
    await made({ name: 'first', order: 3 });
    await made({ name: 'third', enabled: false });
    const namesOf = async (query: string) =>
      (await manage.get(`/rules?${query}`)).json().map(({ name }: { name: string }) => name);
    expect(await namesOf('')).toEqual(['first', 'second', 'third']);
    expect(await namesOf('enabled=true')).toEqual(['first', 'second']);
    expect(await namesOf('enabled=false')).toEqual(['third']);
    expect((await manage.get('/rules?include_totals=true&per_page=1&page=1&fields=name,order')).json()).toEqual({
      start: 1,
      limit: 1,
      total: 3,
      rules: [{ name: 'second', order: 20 }],
    });
  });

  it('refuses a name and an order that another rule has, when it is made and when it is changed', async () => {
    await clear();
    await made({ name: 'one', order: 1 });
    const two = await made({ name: 'two', order: 2 });
    const conflict = (what: string) => ({
      statusCode: 409,
      error: 'Conflict',
      message: `A rule with the same ${what} already exists`,
      errorCode: 'rule_conflict',
    });
    expect((await manage.post('/rules', { name: 'one', script: SCRIPT })).json()).toEqual(conflict('name'));
    expect((await manage.post('/rules', { name: 'new', script: SCRIPT, order: 2 })).json()).toEqual(conflict('order'));
    expect((await manage.patch(`/rules/${two.id}`, { name: 'one' })).json()).toEqual(conflict('name'));
    expect((await manage.patch(`/rules/${two.id}`, { order: 1 })).json()).toEqual(conflict('order'));
  });

  it('numbers rules that are made at once one after the other', async () => {
    await clear();
    const responses = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((name) => manage.post('/rules', { name, script: SCRIPT })),
    );
    expect(responses.map(({ statusCode }) => statusCode)).toEqual([201, 201, 201, 201, 201]);
    expect(responses.map((response) => response.json().order).sort()).toEqual([1, 2, 3, 4, 5]);
  });

  it('takes the stage that exports carry, and no other', async () => {
    await clear();
    expect(await made({ name: 'exported', stage: 'login_success' })).toMatchObject({ stage: 'login_success' });
    const old = await manage.post('/rules', { name: 'old', script: SCRIPT, stage: 'user_registration' });
    expect(old.json().message).toBe(
      "Payload validation error: 'No enum match for: user_registration' on property stage.",
    );
  });

  it('bounds a script, all scripts together and the number of rules', async () => {
    await clear();
    const long = await manage.post('/rules', { name: 'long', script: 'x'.repeat(LONGEST_SCRIPT + 1) });
    expect(long.json().message).toBe(
      "Payload validation error: 'String is too long (100001 chars), maximum 100000' on property script.",
    );
    const full = 'x'.repeat(LONGEST_SCRIPT);
    for (let n = 0; n < LONGEST_PROGRAM / LONGEST_SCRIPT; n++) await made({ name: `full ${n}`, script: full });
    expect((await manage.post('/rules', { name: 'more', script: 'x' })).json().message).toContain('1000001 chars');
    const [{ id }] = (await manage.get('/rules')).json();
    expect((await manage.patch(`/rules/${id}`, { script: SCRIPT })).statusCode).toBe(200);
    expect((await manage.patch(`/rules/${id}`, { script: full })).statusCode).toBe(200);
    await clear();
    await world.database.pool.query(
      `insert into rules (tenant_id, id, name, script, position, is_enabled)
       select 'dev', 'rul_' || n, 'rule ' || n, 'x', n, true from generate_series(1, $1::int) n`,
      [MOST_RULES],
    );
    expect((await manage.post('/rules', { name: 'more', script: SCRIPT })).json()).toMatchObject({
      statusCode: 403,
      errorCode: 'too_many_entities',
    });
  });
});

describe('/api/v2/rules-configs', () => {
  it('takes values, answers their keys, and gives no value back, not in the log and not from the table', async () => {
    const value = 'whsec_4711_of_rules';
    const put = await manage.put('/rules-configs/SLACK_HOOK', { value });
    expect([put.statusCode, put.json()]).toEqual([200, { key: 'SLACK_HOOK', value }]);
    await manage.put('/rules-configs/API_KEY', { value: 'first' });
    await manage.put('/rules-configs/API_KEY', { value: 'second' });
    expect((await manage.get('/rules-configs')).json()).toEqual([{ key: 'API_KEY' }, { key: 'SLACK_HOOK' }]);
    const { rows } = await world.database.pool.query(
      `select body::text as text from log_events union all select encode(value, 'escape') from rules_configs`,
    );
    const stored = rows.map(({ text }) => text).join('\n');
    expect(stored).toContain('/api/v2/rules-configs/SLACK_HOOK');
    expect(stored).not.toContain(value);
    expect((await manage.delete('/rules-configs/API_KEY')).statusCode).toBe(204);
    expect((await manage.delete('/rules-configs/API_KEY')).statusCode).toBe(204);
    expect((await manage.get('/rules-configs')).json()).toEqual([{ key: 'SLACK_HOOK' }]);
  });

  it('refuses a key of other characters and a value without end', async () => {
    expect((await manage.put('/rules-configs/a%2Fb', { value: 'x' })).json()).toMatchObject({
      statusCode: 400,
      errorCode: 'invalid_uri',
    });
    expect((await manage.put('/rules-configs/LONG', { value: 'x'.repeat(8_193) })).statusCode).toBe(400);
  });
});

describe('what a login runs', () => {
  it('is the enabled rules in their order, with a hash that follows them, and the values of their tenant', async () => {
    const other = await world.createTenant('other');
    const theirs = world.apiAt(other);
    await theirs.post('/rules', { name: 'theirs', script: SCRIPT });
    await clear();
    const second = await made({ name: 'second', order: 2 });
    const first = await made({ name: 'first', order: 1 });
    await made({ name: 'off', enabled: false });
    const programOf = async (tenant: WorldTenant = world.main) => {
      const cache = createTenantCache({ isCurrent: () => false });
      return createRulesPrograms({ cache, ...world.app.stores }).rulesProgramOf(tenant.tenant);
    };
    const program = await programOf();
    expect(program?.parts).toEqual([
      { id: first.id, name: 'first', code: SCRIPT },
      { id: second.id, name: 'second', code: SCRIPT },
    ]);
    expect((await programOf())?.hash).toBe(program?.hash);
    await manage.patch(`/rules/${second.id}`, { order: 0 });
    expect((await programOf())?.hash).not.toBe(program?.hash);
    expect((await programOf(other))?.parts).toMatchObject([{ name: 'theirs' }]);
    await clear(theirs);
    expect(await programOf(other)).toBeUndefined();
  });

  it('is read from memory until a rule or a value changes, in this process and in another one', async () => {
    await clear();
    const cache = createTenantCache({ isCurrent: () => true });
    const { rulesProgramOf, rulesConfigurationOf } = createRulesPrograms({ cache, ...world.app.stores });
    expect(await rulesProgramOf('dev')).toBeUndefined();
    await manage.put('/rules-configs/COLOUR', { value: 'green' });
    expect(await rulesConfigurationOf('dev')).toMatchObject({ COLOUR: 'green' });
    const announced = new Promise<string>((resolve) => {
      world.database.pool.connect().then(async (client) => {
        client.on('notification', ({ payload = '' }) => {
          resolve(payload);
          client.release(true);
        });
        await client.query('listen configuration_changed');
        await made({ name: 'new' });
      });
    });
    expect(await announced).toBe('dev');
    expect(await rulesProgramOf('dev')).toBeUndefined();
    cache.forget('dev');
    expect((await rulesProgramOf('dev'))?.parts).toHaveLength(1);
  });
});
