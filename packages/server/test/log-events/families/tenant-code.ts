import { expect } from 'vitest';
import { action, deployAction, setActions } from '../../actions/actions.ts';
import { createPersonDirectory, TABLE } from '../../custom-databases/custom-directory.ts';
import { linkMailedTo } from '../../mails.ts';
import { created, createTestClient, createTestUser, passwordGrant } from '../../protocol.ts';
import { startWorld } from '../../world.ts';
import { family, fromPhone } from '../family.ts';
import { ada, backend, details, directory, operator, spa } from '../record.ts';

const NEW = 'A-quite-new-horse-9';
const TYPE = 'urn:acme:legacy-session';
const FAILS = 'module.exports = (user, context, cb) => cb(new Error("no ledger"));';

async function start() {
  const world = fromPhone(await startWorld());
  const person = await createPersonDirectory(world, {});
  const user = await createTestUser(world, 'grace');
  const client = await createTestClient(world, {
    name: 'Exchanges',
    token_exchange: { allow_any_profile_of_type: ['custom_authentication'] },
  });
  const hook = (triggerId: string) =>
    created(world.api().post('/hooks', { name: triggerId, triggerId, enabled: true, script: FAILS }));
  return {
    world,
    person,
    user,
    client,
    hook,
    /** Who comes from the other database. */
    migrated: {
      ...directory({ connection: person.name }),
      user_id: `auth0|${person.name}`,
      user_name: person.email,
      identity_user_id: person.name,
    },
  };
}

const ofHook = (name: string) =>
  details({
    hook: expect.objectContaining({ name, failure: 'threw', error: expect.objectContaining({ name: 'Error' }) }),
  });

export const tenantCode = family('tenant code', start, {
  sui: {
    cause: ({ person }) => person.logIn(),
    has: ({ world, migrated }) => ({
      ...backend(world),
      ...migrated,
      ...details({ title: 'Import of one user', mode: 'remote' }),
    }),
  },
  fcp: {
    async cause({ world, person }) {
      const change_password = 'function (email, password, cb) { cb(new Error("away")); }';
      await person.change({ customScripts: { ...TABLE, change_password } });
      await world.request({
        path: '/dbconnections/change_password',
        json: { client_id: world.spa_client.client_id, connection: person.name, email: person.email },
      });
      const visitor = world.visitor();
      const form = await visitor.follow(await visitor.get(await linkMailedTo(world, person.email)));
      return visitor.submit(form, { password: NEW, password_again: NEW });
    },
    has: ({ world, migrated }) => ({
      ...spa(world),
      ...migrated,
      description: 'The database script change_password failed: away',
      ...details({
        title: 'Change password',
        script: expect.objectContaining({ name: 'change_password', failure: 'threw' }),
      }),
    }),
  },
  fpurh: {
    async cause({ world, hook }) {
      await hook('post-user-registration');
      const { client_id } = world.spa_client;
      const json = { client_id, connection: world.connection, email: 'new@example.org', password: NEW };
      await world.request({ path: '/dbconnections/signup', json });
    },
    has: ({ world }) => ({
      ...spa(world),
      ...directory(world),
      user_id: expect.stringMatching(/^auth0\|/),
      user_name: 'new@example.org',
      description: 'no ledger',
      ...ofHook('post-user-registration'),
    }),
  },
  fcph: {
    async cause({ world, user, hook }) {
      await hook('post-change-password');
      await world.api().patch(`/users/${user.id}`, { password: NEW, connection: world.connection });
    },
    has: ({ world, user }) => ({
      ...operator(world),
      ...directory(world),
      user_id: user.id,
      user_name: user.email,
      description: 'no ledger',
      ...ofHook('post-change-password'),
    }),
  },
  secte: {
    async cause({ world, user, client }) {
      const body = `api.authentication.setUserById('${user.id}');`;
      await created(
        world.api().post('/token-exchange-profiles', {
          name: 'Legacy',
          type: 'custom_authentication',
          subject_token_type: TYPE,
          action_id: await deployAction(world, 'custom-token-exchange', action('onExecuteCustomTokenExchange', body)),
        }),
      );
      return world.token({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        ...client,
        subject_token: 'a-session-of-old',
        subject_token_type: TYPE,
        scope: 'openid',
        audience: world.main.api.identifier,
      });
    },
    has: ({ world, user, client }) => ({
      client_id: client.client_id,
      client_name: 'Exchanges',
      ...directory(world),
      user_id: user.id,
      user_name: user.email,
      audience: world.main.api.identifier,
      scope: 'openid',
      ...details({ actions: { executions: [expect.any(String)] } }),
    }),
  },
  actions_execution_failed: {
    async cause({ world }) {
      await setActions(world, 'post-login', [action('onExecutePostLogin', `throw new Error('no ledger');`)]);
      await passwordGrant(world);
    },
    has: ({ world }) => ({
      ...backend(world),
      ...directory(world),
      ...ada(world),
      description: expect.stringContaining('no ledger'),
      ...details({
        trigger_id: 'post-login',
        action_id: expect.any(String),
        action_name: expect.any(String),
        execution_id: expect.any(String),
        failure: 'threw',
        error: expect.objectContaining({ name: 'Error', message: 'no ledger' }),
      }),
    }),
  },
  w: {
    async cause({ world }) {
      await setActions(world, 'post-login', [action('onExecutePostLogin', `api.prompt.render('ap_1');`)]);
      await passwordGrant(world);
    },
    has: ({ world }) => ({
      ...backend(world),
      ...directory(world),
      ...ada(world),
      description: expect.stringContaining('asked for what has no effect here: prompt.render'),
      ...details({ actions: { executions: [expect.any(String)] } }),
    }),
  },
});
