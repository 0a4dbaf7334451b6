import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ManagementClient, startWorld, type World } from '../../../test/world.ts';

let world: World;
let manage: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
});
afterAll(() => world.stop());

let serial = 0;

async function made(body: object = {}) {
  const required = { name: `Action ${++serial}`, supported_triggers: [{ id: 'post-login' }] };
  const response = await manage.post('/actions/actions', { ...required, ...body });
  expect(response.statusCode, response.body).toBe(201);
  return response.json();
}

describe('POST /api/v2/actions/actions/{id}/test', () => {
  it('runs the draft with the event of the request, and refuses one that can not be built', async () => {
    const code = `exports.onExecutePostLogin = async ({ user, secrets }, api) => {
      console.log('hello', user.name);
      api.idToken.setCustomClaim('key', secrets.KEY).access.deny('no');
    };`;
    const action = await made({ code, secrets: [{ name: 'KEY', value: 'opens' }] });
    const response = await manage.post(`/actions/actions/${action.id}/test`, { payload: { user: { name: 'Ada' } } });
    expect([response.statusCode, response.json()]).toMatchObject([
      200,
      {
        payload: {
          commands: [
            { name: 'idToken.setCustomClaim', arguments: ['key', 'opens'] },
            { name: 'access.deny', arguments: ['no'] },
          ],
          logs: [{ level: 'log', text: 'hello Ada' }],
        },
      },
    ]);
    const broken = await made({ code: 'exports.onExecutePostLogin = async () => { throw new RangeError("far"); };' });
    const tried = await manage.post(`/actions/actions/${broken.id}/test`, { payload: {} });
    expect(tried.json().payload).toMatchObject({ commands: [], error: { name: 'RangeError', message: 'far' } });
    const failed = await made({ dependencies: [{ name: 'left-pad', version: '1.3.0' }] });
    const refused = await manage.post(`/actions/actions/${failed.id}/test`, { payload: {} });
    expect(refused.json().errorCode).toBe('action_build_failed');
    expect((await manage.post('/actions/actions/unknown/test', { payload: {} })).json().message).toBe(
      'That action does not exist.',
    );
  });
});

describe('GET /api/v2/actions/executions/{id}', () => {
  it('tells what the actions of a flow did, for ten days, in bounds', async () => {
    const { actionExecutions } = world.app.stores;
    const time = world.now();
    const result = { actionName: 'Enrich', startedAt: time.toISOString(), endedAt: time.toISOString() };
    const execution = { id: 'an-execution', triggerId: 'post-login', createdAt: time, updatedAt: time };
    await actionExecutions.keep('dev', { ...execution, status: 'suspended', results: [result] });
    const error = { id: 'TypeError', message: `\0${'x'.repeat(5_000)}` };
    await actionExecutions.keep('dev', { ...execution, status: 'final', results: [result, { ...result, error }] });
    const told = (await manage.get('/actions/executions/an-execution')).json();
    expect(told).toMatchObject({
      id: 'an-execution',
      trigger_id: 'post-login',
      status: 'final',
      results: [{ action_name: 'Enrich', started_at: result.startedAt }, { error: { id: 'TypeError' } }],
    });
    expect(told.results[1].error.msg.length).toBeLessThan(2_100);
    const other = world.apiAt(await world.createTenant('elsewhere'));
    const unknown = { statusCode: 404, error: 'Not Found', message: 'That execution does not exist.' };
    expect((await other.get('/actions/executions/an-execution')).json()).toEqual(unknown);
    world.advance(10 * 86_400_000 + 1);
    expect((await world.api().get('/actions/executions/an-execution')).json()).toEqual(unknown);
  });
});
