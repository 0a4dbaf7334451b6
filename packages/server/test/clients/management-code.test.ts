import { Management, ManagementClient } from 'auth0';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startReceiver } from '../log-streams/receiver.ts';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { trustAuthority } from './trust-authority.ts';

let server: ServerProcess;
let auth0: ManagementClient;
beforeAll(async () => {
  server = await startServerProcess();
  trustAuthority(server.caFile);
  const { client_id: clientId, client_secret: clientSecret } = server.firstRun.management;
  auth0 = new ManagementClient({ domain: new URL(server.origin).host, clientId, clientSecret });
});
afterAll(() => server?.stop());

describe('the ManagementClient of auth0 7', () => {
  it('creates a log stream, which delivers, and filters, pauses and deletes it', async () => {
    const receiver = await startReceiver();
    const name = 'Audit';
    const sink = {
      httpEndpoint: `${receiver.origin}/`,
      httpContentFormat: 'JSONARRAY' as const,
      httpAuthorization: 'Bearer x',
    };
    const { id = '', status } = await auth0.logStreams.create({ name, type: 'http', sink });
    expect(status).toBe('active');
    expect(await auth0.logStreams.list()).toMatchObject([{ id, name, sink }]);
    await auth0.roles.create({ name: 'Seen by the stream' });
    await vi.waitFor(
      () => expect(receiver.requests.map(({ body }) => body).join()).toContain('Seen by the stream'),
      60_000,
    );
    expect(receiver.requests[0]?.headers.authorization).toBe('Bearer x');
    const filters = [{ type: 'category' as const, name: 'auth.login.fail' as const }];
    expect(await auth0.logStreams.update(id, { filters, status: 'paused' })).toMatchObject({
      filters,
      status: 'paused',
    });
    expect(await auth0.logStreams.get(id)).toMatchObject({ id, status: 'paused' });
    await auth0.logStreams.delete(id);
    await expect(auth0.logStreams.get(id)).rejects.toBeInstanceOf(Management.NotFoundError);
    await receiver.close();
  });

  it('creates, lists, reorders and deletes rules, and sets their configuration', async () => {
    const script = 'function (user, context, callback) { callback(null, user, context); }';
    const { id = '', order } = await auth0.rules.create({ name: 'First', script });
    const second = await auth0.rules.create({ name: 'Second', script, enabled: false });
    expect([order, second.order]).toEqual([1, 2]);
    expect(await auth0.rules.update(id, { order: 3 })).toMatchObject({ name: 'First', order: 3 });
    expect((await auth0.rules.list()).data.map(({ name }) => name)).toEqual(['Second', 'First']);
    expect((await auth0.rules.list({ enabled: true })).data).toMatchObject([{ id }]);
    await expect(auth0.rules.create({ name: 'First', script })).rejects.toBeInstanceOf(Management.ConflictError);
    expect(await auth0.rulesConfigs.set('COLOUR', { value: 'green' })).toEqual({ key: 'COLOUR', value: 'green' });
    expect(await auth0.rulesConfigs.list()).toEqual([{ key: 'COLOUR' }]);
    await auth0.rulesConfigs.delete('COLOUR');
    await auth0.rules.delete(id);
    await expect(auth0.rules.get(id)).rejects.toBeInstanceOf(Management.NotFoundError);
  });

  it('creates a hook, gives it secrets and takes them away', async () => {
    const { id = '' } = await auth0.hooks.create({
      name: 'Exchange',
      script: 'module.exports = (client, scope, audience, context, cb) => cb(null, {});',
      triggerId: 'credentials-exchange',
    });
    expect(await auth0.hooks.update(id, { enabled: true })).toMatchObject({ id, enabled: true });
    await auth0.hooks.secrets.create(id, { KEY: 'one' });
    await auth0.hooks.secrets.update(id, { KEY: 'two' });
    expect(await auth0.hooks.secrets.get(id)).toEqual({ KEY: '_VALUE_NOT_SHOWN_' });
    await auth0.hooks.secrets.delete(id, ['KEY']);
    expect(await auth0.hooks.secrets.get(id)).toEqual({});
    expect((await auth0.hooks.list({ triggerId: 'credentials-exchange' })).data).toMatchObject([{ id }]);
    await auth0.hooks.delete(id);
    await expect(auth0.hooks.get(id)).rejects.toBeInstanceOf(Management.NotFoundError);
  });

  it('creates an action, waits until it is built, deploys and binds it, goes back to an older version and deletes it', async () => {
    const created = await auth0.actions.create({
      name: 'Enrich',
      supported_triggers: [{ id: 'post-login', version: 'v3' }],
      code: 'exports.onExecutePostLogin = async () => {};',
      secrets: [{ name: 'KEY', value: 'one' }],
    });
    const id = created.id ?? '';
    expect((await auth0.actions.get(id)).status).toBe('built');
    const first = await auth0.actions.deploy(id);
    await auth0.actions.update(id, { code: 'exports.onExecutePostLogin = async () => { /* two */ };' });
    expect((await auth0.actions.deploy(id)).number).toBe(2);
    expect((await auth0.actions.versions.list(id)).data.map(({ number }) => number)).toEqual([2, 1]);
    const back = await auth0.actions.versions.deploy(id, first.id ?? '', { update_draft: true });
    expect(back).toMatchObject({ number: 3, deployed: true, code: created.code });
    expect((await auth0.actions.versions.get(id, back.id ?? '')).deployed).toBe(true);

    const { bindings } = await auth0.actions.triggers.bindings.updateMany('post-login', {
      bindings: [{ ref: { type: 'action_name', value: 'Enrich' }, display_name: 'Enrich the token' }],
    });
    expect(bindings).toMatchObject([{ display_name: 'Enrich the token', action: { id } }]);
    expect((await auth0.actions.triggers.bindings.list('post-login')).data).toHaveLength(1);
    expect((await auth0.actions.list({ triggerId: 'post-login', deployed: true })).data).toMatchObject([{ id }]);
    expect((await auth0.actions.triggers.list()).triggers?.map((trigger) => trigger.id)).toContain('post-login');
    await expect(auth0.actions.delete(id)).rejects.toMatchObject({ statusCode: 409 });
    await auth0.actions.delete(id, { force: true });
    await expect(auth0.actions.get(id)).rejects.toBeInstanceOf(Management.NotFoundError);
  });

  it('creates a module, publishes it, uses it in an action and rolls it back', async () => {
    const { id = '', latest_version: first } = await auth0.actions.modules.create({
      name: 'tools',
      code: 'exports.one = 1;',
      publish: true,
    });
    await auth0.actions.modules.update(id, { code: 'exports.two = 2;' });
    expect((await auth0.actions.modules.versions.create(id)).version_number).toBe(2);
    const action = await auth0.actions.create({
      name: 'Uses tools',
      supported_triggers: [{ id: 'post-login' }],
      modules: [{ module_id: id }],
      deploy: true,
    });
    expect((await auth0.actions.modules.listActions(id)).data).toMatchObject([{ action_id: action.id }]);
    const back = await auth0.actions.modules.rollback(id, { module_version_id: first?.id ?? '' });
    expect(back).toMatchObject({ code: 'exports.one = 1;', all_changes_published: false });
    expect((await auth0.actions.modules.list()).data).toHaveLength(1);
    expect((await auth0.actions.modules.versions.list(id)).data).toHaveLength(2);
    expect((await auth0.actions.modules.versions.get(id, first?.id ?? '')).version_number).toBe(1);
    await auth0.actions.delete(action.id ?? '');
    await auth0.actions.modules.delete(id);
    await expect(auth0.actions.modules.get(id)).rejects.toBeInstanceOf(Management.NotFoundError);
    await expect(auth0.actions.executions.get('unknown')).rejects.toBeInstanceOf(Management.NotFoundError);
  });

  it('tries an action, binds it, and it adds its claims to tokens of people and of machines', async () => {
    const { password_client, user, api } = server.firstRun;
    const tokens = async (form: Record<string, string>) => {
      const body = new URLSearchParams({ ...password_client, ...form });
      const response = await fetch(`${server.origin}/oauth/token`, { method: 'POST', body });
      return (await response.json()) as Record<string, string>;
    };
    const deployed = async (triggerId: 'post-login' | 'credentials-exchange', code: string) => {
      const { id = '' } = await auth0.actions.create({
        name: triggerId,
        supported_triggers: [{ id: triggerId }],
        code,
      });
      const { payload } = await auth0.actions.test(id, { payload: { user: { email: 'tried@example.org' } } });
      await auth0.actions.deploy(id);
      await auth0.actions.triggers.bindings.updateMany(triggerId, {
        bindings: [{ ref: { type: 'action_id', value: id } }],
      });
      return payload;
    };
    expect(
      await deployed(
        'post-login',
        `exports.onExecutePostLogin = async (event, api) => api.idToken.setCustomClaim('who', event.user.email);`,
      ),
    ).toMatchObject({ commands: [{ name: 'idToken.setCustomClaim', arguments: ['who', 'tried@example.org'] }] });
    await deployed(
      'credentials-exchange',
      `exports.onExecuteCredentialsExchange = async (event, api) => api.accessToken.setCustomClaim('plan', 'gold');`,
    );
    const { email: username, password } = user;
    const login = await tokens({ grant_type: 'password', username, password, scope: 'openid' });
    expect(claimsOf(login.id_token)).toMatchObject({ who: username });
    const machine = await tokens({ grant_type: 'client_credentials', audience: api.identifier });
    expect(claimsOf(machine.access_token)).toMatchObject({ plan: 'gold' });
  });
});

function claimsOf(token: string | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString());
}
