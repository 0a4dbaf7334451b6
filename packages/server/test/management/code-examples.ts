import type { ManagementClient, World } from '../world.ts';
import type { Example } from './examples.ts';

/** One of each thing that runs code of the tenant. */
export interface CodeThings {
  readonly rule: string;
  readonly configKey: string;
  readonly hook: string;
  readonly action: string;
  readonly actionVersion: string;
  readonly module: string;
  readonly moduleVersion: string;
  readonly execution: string;
}

const RULE = 'function (user, context, callback) { callback(null, user, context); }';
const HOOK = 'module.exports = function (user, context, cb) { cb(null, { user }); };';
const ACTION = 'exports.onExecutePostLogin = async (event, api) => {};';

/** All of them under one id: nothing has it, or a test asks for names only. */
export function codeThingsNamed(id: string): CodeThings {
  return {
    rule: id,
    configKey: id,
    hook: id,
    action: id,
    actionVersion: id,
    module: id,
    moduleVersion: id,
    execution: id,
  };
}

export async function codeOf(world: World, manage: ManagementClient, name: string): Promise<CodeThings> {
  const made = async (path: string, body: unknown) => {
    const response = await manage.post(path, body);
    if (response.statusCode >= 300) throw new Error(`POST ${path} answers ${response.body}`);
    return response.json();
  };
  const configKey = `PARTS_OF_${name}`;
  const rule = await made('/rules', { name: `Rule of ${name}`, script: RULE });
  await manage.put(`/rules-configs/${configKey}`, { value: 'x' });
  const hook = await made('/hooks', { name: `Hook of ${name}`, script: HOOK, triggerId: 'credentials-exchange' });
  await manage.post(`/hooks/${hook.id}/secrets`, { SECRET1: 'x' });
  const module = await made('/actions/modules', {
    name: `module-of-${name}`,
    code: 'x',
    dependencies: [{ name: 'lodash', version: '4.17.21' }],
    secrets: [{ name: 'SECRET', value: 'x' }],
    publish: true,
  });
  const action = await made('/actions/actions', {
    name: `Action of ${name}`,
    supported_triggers: [{ id: 'post-login' }],
    code: ACTION,
    dependencies: [{ name: 'lodash', version: '4.17.21' }],
    secrets: [{ name: 'SECRET', value: 'x' }],
    modules: [{ module_id: module.id }],
    deploy: true,
  });
  await manage.patch('/actions/triggers/post-login/bindings', {
    bindings: [{ ref: { type: 'action_id', value: action.id } }],
  });
  const time = world.now();
  const execution = { id: `execution-of-${name}`, triggerId: 'post-login', createdAt: time, updatedAt: time };
  await world.app.stores.actionExecutions.keep(name, { ...execution, status: 'final', results: [] });
  return {
    rule: rule.id,
    configKey,
    hook: hook.id,
    action: action.id,
    actionVersion: action.deployed_version.id,
    module: module.id,
    moduleVersion: module.latest_version.id,
    execution: execution.id,
  };
}

/** What can be asked about them; in this order, each is a success. */
export function codeExamples(things: CodeThings, another: string): Readonly<Record<string, Example>> {
  const { rule, configKey, hook, execution } = things;
  const action = `/actions/actions/${things.action}`;
  const module = `/actions/modules/${things.module}`;
  const bindings = '/actions/triggers/post-login/bindings';
  return {
    'GET /rules': { path: '/rules' },
    'GET /rules/{id}': { path: `/rules/${rule}` },
    'GET /rules-configs': { path: '/rules-configs' },
    'GET /hooks': { path: '/hooks' },
    'GET /hooks/{id}': { path: `/hooks/${hook}` },
    'GET /hooks/{id}/secrets': { path: `/hooks/${hook}/secrets` },
    'GET /actions/actions': { path: '/actions/actions' },
    'GET /actions/actions/{id}': { path: action },
    'GET /actions/actions/{action_id}/versions': { path: `${action}/versions` },
    'GET /actions/actions/{action_id}/versions/{id}': { path: `${action}/versions/${things.actionVersion}` },
    'GET /actions/executions/{id}': { path: `/actions/executions/${execution}` },
    'GET /actions/triggers': { path: '/actions/triggers' },
    'GET /actions/triggers/{trigger_id}/bindings': { path: bindings },
    'GET /actions/modules': { path: '/actions/modules' },
    'GET /actions/modules/{id}': { path: module },
    'GET /actions/modules/{id}/actions': { path: `${module}/actions` },
    'GET /actions/modules/{id}/versions': { path: `${module}/versions` },
    'GET /actions/modules/{id}/versions/{version_id}': { path: `${module}/versions/${things.moduleVersion}` },

    'POST /rules': { path: '/rules', body: { name: another, script: RULE } },
    'PATCH /rules/{id}': { path: `/rules/${rule}`, body: { enabled: false } },
    'PUT /rules-configs/{key}': { path: `/rules-configs/${configKey}`, body: { value: 'changed' } },
    'POST /hooks': { path: '/hooks', body: { name: another, script: HOOK, triggerId: 'post-change-password' } },
    'PATCH /hooks/{id}': { path: `/hooks/${hook}`, body: { enabled: true } },
    'POST /hooks/{id}/secrets': { path: `/hooks/${hook}/secrets`, body: { [another]: 'x' } },
    'PATCH /hooks/{id}/secrets': { path: `/hooks/${hook}/secrets`, body: { SECRET1: 'changed' } },
    'POST /actions/actions': {
      path: '/actions/actions',
      body: { name: another, supported_triggers: [{ id: 'post-login' }], secrets: [{ name: 'SECRET', value: 'x' }] },
    },
    'PATCH /actions/actions/{id}': { path: action, body: { code: 'exports.changed = true;' } },
    'POST /actions/actions/{id}/test': { path: `${action}/test`, body: { payload: {} } },
    'POST /actions/actions/{id}/deploy': { path: `${action}/deploy` },
    'POST /actions/actions/{action_id}/versions/{id}/deploy': {
      path: `${action}/versions/${things.actionVersion}/deploy`,
      body: { update_draft: true },
    },
    'PATCH /actions/triggers/{trigger_id}/bindings': {
      path: bindings,
      body: { bindings: [{ ref: { type: 'action_id', value: things.action }, display_name: 'Changed' }] },
    },
    'POST /actions/modules': { path: '/actions/modules', body: { name: another, code: 'x' } },
    'PATCH /actions/modules/{id}': { path: module, body: { code: 'changed' } },
    'POST /actions/modules/{id}/versions': { path: `${module}/versions` },
    'POST /actions/modules/{id}/rollback': {
      path: `${module}/rollback`,
      body: { module_version_id: things.moduleVersion },
    },

    'DELETE /rules/{id}': { path: `/rules/${rule}` },
    'DELETE /rules-configs/{key}': { path: `/rules-configs/${configKey}` },
    'DELETE /hooks/{id}/secrets': { path: `/hooks/${hook}/secrets`, body: ['SECRET1'] },
    'DELETE /hooks/{id}': { path: `/hooks/${hook}` },
    'DELETE /actions/actions/{id}': { path: `${action}?force=true` },
    'DELETE /actions/modules/{id}': { path: module },
  };
}
