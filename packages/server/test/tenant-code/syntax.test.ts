import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCustomDirectory, logInAt } from '../custom-databases/custom-directory.ts';
import { created, eventsOf, passwordGrant } from '../protocol.ts';
import { setRules } from '../rules/rules.ts';
import { type ManagementClient, startWorld, type World } from '../world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const GENERIC = { error: 'access_denied', error_description: 'The login could not be completed' };
const GOOD = 'function (user, context, callback) {\n  callback(null, user, context);\n}';
const BROKEN = `function (user, context, callback) {
  const key = 'sk_live_0123456789';
  if (key === user.key context.idToken.key = 'sk_live_0123456789';
  callback(null, user, context);
}`;

describe('a rule that can not be compiled', () => {
  it('is stored as it is, and the log says which one, where and in what line, without secrets', async () => {
    await created(world.api().put('/rules-configs/KEY', { value: 'sk_live_0123456789' }));
    await setRules(world, [
      ['first', GOOD],
      ['Checks the key', BROKEN],
    ]);
    const events = await eventsOf(world, async () => {
      const refused = await passwordGrant(world);
      expect({ status: refused.statusCode, body: refused.json() }).toEqual({ status: 403, body: GENERIC });
    });
    const failed = events.find(({ type }) => type === 'fepft');
    const source = "  if (key === user.key context.idToken.key = '*****';";
    expect(failed).toMatchObject({
      details: {
        rule: {
          name: 'Checks the key',
          failure: 'threw',
          error_name: 'SyntaxError',
          error_message: "Unexpected identifier 'context' (Checks the key, line 3, column 24)",
          line: 3,
          column: 24,
          source,
          stack: expect.stringContaining(`at Checks the key:3:24\n      ${source.trim()}\n`),
        },
      },
    });
    expect(JSON.stringify(events)).not.toContain('sk_live');
  });

  it('is seen in the live console', async () => {
    await setRules(world, [['Shown live', BROKEN]]);
    await passwordGrant(world);
    // What the executions before printed may still be on its way.
    const kept = async () =>
      (
        await world.database.pool.query(
          "select lines from console_output where tenant_id = 'dev' and lines::text like '%Shown live%'",
        )
      ).rows;
    await expect.poll(kept).toMatchObject([
      {
        lines: [
          {
            level: 'error',
            part: { name: 'Shown live' },
            text: expect.stringMatching(/^SyntaxError: .*\n.*Shown live:3:24\n +if \(key/),
          },
        ],
      },
    ]);
  });

  it('is not taken for one that reads bad JSON', async () => {
    await setRules(world, [['Reads', 'function (user, context, callback) {\n\n  JSON.parse("{");\n}']]);
    const events = await eventsOf(world, async () => void (await passwordGrant(world)));
    const failed = events.find(({ type }) => type === 'fepft');
    expect(failed).toMatchObject({
      details: { rule: { error_name: 'SyntaxError', stack: expect.stringMatching(/Reads.*:3:8/) } },
    });
    expect(failed?.details).not.toHaveProperty('rule.source');
    await setRules(world, []);
  });
});

describe('other code that can not be compiled', () => {
  it('of a custom database is found by its line in the log', async () => {
    const login = 'function login(email, password, callback) {\n  callback(null { user_id: 1 });\n}';
    const directory = await createCustomDirectory(world, 'broken', { login });
    const events = await eventsOf(world, async () => {
      expect((await logInAt(world, directory.name, 'who@legacy.test', 'x')).json()).toEqual(GENERIC);
    });
    expect(events.find(({ type }) => type === 'f')).toMatchObject({
      details: { script: { name: 'login', line: 2, column: 12, source: '  callback(null { user_id: 1 });' } },
    });
  });

  it('of a hook is found by its line in the log', async () => {
    const script = 'module.exports = function (client, scope, audience, context, cb) {\n  cb(null {});\n};';
    const hook = await created(
      world.api().post('/hooks', { name: 'machines', triggerId: 'credentials-exchange', enabled: true, script }),
    );
    const { client_id, client_secret } = world.password_client;
    const identifier = 'https://machines.example.com';
    await created(world.api().post('/resource-servers', { identifier }));
    await created(world.api().post('/client-grants', { client_id, audience: identifier, scope: [] }));
    const events = await eventsOf(world, async () => {
      const refused = await world.token({
        grant_type: 'client_credentials',
        client_id,
        client_secret,
        audience: identifier,
      });
      expect(refused.body).not.toContain('Unexpected');
      expect(refused.body).not.toContain('missing )');
    });
    expect(JSON.stringify(events)).toContain('"line":2');
    expect(events.find(({ type }) => type === 'feccft')).toMatchObject({
      details: { hook: { name: 'machines', line: 2, column: 6, source: '  cb(null {});' } },
    });
    await world.api().delete(`/hooks/${hook.id}`);
  });
});

describe('an action', () => {
  const POST_LOGIN = [{ id: 'post-login', version: 'v3' }];
  let manage: ManagementClient;
  beforeAll(() => {
    manage = world.api();
  });
  let serial = 0;
  const made = (body: object) =>
    created(manage.post('/actions/actions', { name: `Action ${++serial}`, supported_triggers: POST_LOGIN, ...body }));

  it('fails where the code can not be compiled, says where, and is never deployed', async () => {
    const code = 'exports.onExecutePostLogin = async (event, api) => {\n  api.access.deny(;\n};';
    const errors = [
      { id: 'syntax_error', msg: "SyntaxError: Unexpected token ';' (line 2, column 19): api.access.deny(;" },
    ];
    const action = await made({ code });
    expect(action).toMatchObject({ status: 'failed', code, errors });
    expect(action).not.toHaveProperty('built_at');
    const path = `/actions/actions/${action.id}`;
    expect((await manage.get(path)).json()).toMatchObject({ status: 'failed', errors });
    expect((await manage.get('/actions/actions')).json().actions).toContainEqual(
      expect.objectContaining({ id: action.id, status: 'failed', errors }),
    );
    expect((await manage.post(`${path}/deploy`)).json()).toEqual({
      statusCode: 400,
      error: 'Bad Request',
      message: `The action could not be built. ${errors[0]?.msg}`,
      errorCode: 'action_build_failed',
    });
    expect((await manage.post(`${path}/test`, { payload: {} })).statusCode).toBe(400);
    const bindings = [{ ref: { type: 'action_id', value: action.id } }];
    expect((await manage.patch('/actions/triggers/post-login/bindings', { bindings })).statusCode).toBe(400);
    const both = { name: 'Never compiled', supported_triggers: POST_LOGIN, deploy: true, code };
    expect((await manage.post('/actions/actions', both)).json().errorCode).toBe('action_build_failed');
    expect((await manage.get('/actions/actions?actionName=Never%20compiled')).json().actions).toEqual([]);

    // A change of something else mends nothing; mended code does, and a deployed version keeps running beside a broken draft.
    expect((await manage.patch(path, { name: 'Renamed' })).json().status).toBe('failed');
    const mended = (await manage.patch(path, { code: code.replace('(;', '();') })).json();
    expect(mended.status).toBe('built');
    expect(mended).not.toHaveProperty('errors');
    expect((await manage.post(`${path}/deploy`)).json()).toMatchObject({ status: 'built', deployed: true });
    const broken = (await manage.patch(path, { code })).json();
    expect(broken).toMatchObject({ status: 'failed', deployed_version: { status: 'built' } });
    expect((await manage.post(`${path}/deploy`)).statusCode).toBe(400);
  });

  it('is not failed for ever by a fault of code that another server has changed since', async () => {
    const action = await made({ code: 'exports.onExecutePostLogin = (;' });
    const source = { ...action, code: 'exports.onExecutePostLogin = async () => {};' };
    // As a process of the version before writes it: it knows nothing of the fault.
    await world.database.pool.query(
      "update actions set source = jsonb_set(source, '{code}', to_jsonb($1::text)) where id = $2",
      [source.code, action.id],
    );
    expect((await manage.get(`/actions/actions/${action.id}`)).json().status).toBe('built');
    // And the other way round: what it has made broken is found at the latest when it is deployed.
    await world.database.pool.query(
      "update actions set source = jsonb_set(source, '{code}', to_jsonb('x = (;'::text)), code_fault = null where id = $1",
      [action.id],
    );
    expect((await manage.post(`/actions/actions/${action.id}/deploy`)).json().errorCode).toBe('action_build_failed');
  });

  it("is not published as a module of the tenant's own either", async () => {
    const module = { name: 'tools', code: 'module.exports = (;', publish: true };
    expect((await manage.post('/actions/modules', module)).json()).toMatchObject({
      statusCode: 412,
      message: expect.stringContaining('(line 1, column 19): module.exports = (;'),
    });
    const draft = await created(manage.post('/actions/modules', { ...module, publish: false }));
    expect((await manage.post(`/actions/modules/${draft.id}/versions`)).statusCode).toBe(412);
  });
});
