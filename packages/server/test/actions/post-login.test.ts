import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestUser, decodeJwt, eventsOf, passwordGrant, redeem, refresh, userinfo } from '../protocol.ts';
import { rule, setRules } from '../rules/rules.ts';
import { type ManagementClient, startWorld, type World } from '../world.ts';
import { action, setActions } from './actions.ts';

let world: World;
let manage: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
});
afterAll(() => world.stop());

const NAME = 'https://example.com/claim';
const postLogin = (...bodies: string[]) =>
  setActions(
    world,
    'post-login',
    bodies.map((body) => action('onExecutePostLogin', body)),
  );
const claimsOf = (token: unknown) => decodeJwt(token).claims;
const api = () => world.main.api.identifier;

describe('actions at post-login', () => {
  it('add claims to both tokens, after the rules, and know which rules ran', async () => {
    const [id] = await setRules(world, [rule(`context.idToken['${NAME}'] = 'rule';`)]);
    await postLogin(
      `api.idToken.setCustomClaim('ran', api.rules.wasExecuted('${id}')).accessToken.setCustomClaim('${NAME}', event.user.email);
       event.user.email = 'changed';`,
      `api.idToken.setCustomClaim('email_seen', event.user.email);`,
    );
    const { id_token, access_token } = (await passwordGrant(world, { scope: 'openid', audience: api() })).json();
    expect(claimsOf(id_token)).toMatchObject({ [NAME]: 'rule', ran: true, email_seen: world.user.email });
    expect(claimsOf(access_token)).toMatchObject({ [NAME]: world.user.email });
    await setRules(world, []);
  });

  it('run at the login page and at each refresh', async () => {
    await postLogin(`api.idToken.setCustomClaim('protocol', event.transaction.protocol);`);
    const { code, verifier } = await world.visitor().logIn({ parameters: { scope: 'openid offline_access' } });
    const tokens = (await redeem(world, { code, verifier })).json();
    expect(claimsOf(tokens.id_token)).toMatchObject({ protocol: 'oidc-basic-profile' });
    const renewed = await refresh(world, tokens.refresh_token, {
      client_id: world.spa_client.client_id,
      client_secret: undefined,
    });
    expect(claimsOf(renewed.json().id_token)).toMatchObject({ protocol: 'oauth2-refresh-token' });
  });

  it('deny a login in their words; those after them do not run, and metadata is kept all the same', async () => {
    const user = await createTestUser(world, 'denied');
    await postLogin(
      `api.user.setAppMetadata('attempts', 1); api.access.deny('Not on Sundays.');`,
      `api.user.setAppMetadata('second', true);`,
    );
    const events = await eventsOf(world, async () => {
      const response = await passwordGrant(world, { username: user.email, password: user.password });
      expect([response.statusCode, response.json()]).toEqual([
        403,
        { error: 'access_denied', error_description: 'Not on Sundays.' },
      ]);
    });
    expect((await manage.get(`/users/${user.id}`)).json().app_metadata).toEqual({ attempts: 1 });
    expect(events).toMatchObject([{ type: 'fepft', details: { actions: { executions: [expect.any(String)] } } }]);
  });

  it('deny a login with a secret of theirs, and the log does not have it', async () => {
    const code = action('onExecutePostLogin', `api.access.deny('Ask with ' + event.secrets.KEY);`);
    await setActions(world, 'post-login', [{ code, secrets: [{ name: 'KEY', value: 'key-of-a-partner' }] }]);
    const events = await eventsOf(world, async () => {
      expect((await passwordGrant(world)).json().error_description).toBe('Ask with key-of-a-partner');
    });
    expect(events).toMatchObject([{ type: 'fepft', description: 'Ask with *****' }]);
    expect(JSON.stringify(events)).not.toContain('key-of-a-partner');
  });

  it('change metadata of the user: actions that follow see it, null deletes, and all is stored at once', async () => {
    const user = await createTestUser(world, 'metadata');
    await postLogin(
      `api.user.setUserMetadata('colour', 'blue'); api.user.setAppMetadata('plan', 'gold'); api.user.setAppMetadata('gone', 1);`,
      `api.idToken.setCustomClaim('seen', [event.user.user_metadata.colour, event.user.app_metadata.plan]);
       api.user.setAppMetadata('gone', null);`,
    );
    const response = await passwordGrant(world, { username: user.email, password: user.password, scope: 'openid' });
    expect(claimsOf(response.json().id_token)).toMatchObject({ seen: ['blue', 'gold'] });
    expect((await manage.get(`/users/${user.id}`)).json()).toMatchObject({
      user_metadata: { colour: 'blue' },
      app_metadata: { plan: 'gold' },
    });
  });

  it('RUL.29: keep no more than 16 KB of metadata: the login ends, and application and log are told why', async () => {
    const user = await createTestUser(world, 'large');
    await postLogin(`api.user.setAppMetadata('plan', 'gold'); api.user.setUserMetadata('notes', 'x'.repeat(16_400));`);
    const events = await eventsOf(world, async () => {
      const refused = await passwordGrant(world, { username: user.email, password: user.password });
      expect([refused.statusCode, refused.json()]).toEqual([
        403,
        {
          error: 'access_denied',
          error_description: 'The login could not be completed: the metadata of the user would be too large',
        },
      ]);
    });
    expect(events).toMatchObject([
      { type: 'fepft', details: { error: 'user_metadata would be larger than 16384 bytes' } },
    ]);
    expect((await manage.get(`/users/${user.id}`)).json()).not.toHaveProperty('app_metadata');
  });

  it('add and remove scopes that the API has, and no others', async () => {
    const [first = '', second = ''] = world.main.api.scopes;
    await postLogin(
      `api.accessToken.addScope('${second}'); api.accessToken.addScope('invented:scope'); api.accessToken.removeScope('${first}');`,
    );
    const response = await passwordGrant(world, { audience: api(), scope: `openid ${first}` });
    expect(claimsOf(response.json().access_token).scope).toBe(`openid ${second}`);
  });

  it('demand a second factor, and no tokens come without one', async () => {
    for (const body of [`api.multifactor.enable('any');`, `api.authentication.challengeWith({ type: 'otp' });`]) {
      await postLogin(body);
      const response = await passwordGrant(world);
      expect([response.statusCode, response.json().error]).toEqual([403, 'mfa_required']);
    }
    await postLogin(`api.multifactor.enable('none');`);
    expect((await passwordGrant(world)).statusCode).toBe(200);
    await setRules(world, [rule(`context.multifactor = { provider: 'any' };`)]);
    expect((await passwordGrant(world)).json().error).toBe('mfa_required');
    await setRules(world, []);
  });

  it('end a login where one of them fails or takes too long to say so, and the log alone says why', async () => {
    await postLogin(`console.log('before'); console.log('x'.repeat(1000)); throw new TypeError('internal detail');`);
    const events = await eventsOf(world, async () => {
      const response = await passwordGrant(world);
      expect([response.statusCode, response.json().error]).toEqual([403, 'access_denied']);
      expect(response.body).not.toContain('internal detail');
    });
    expect(events).toMatchObject([
      {
        type: 'actions_execution_failed',
        details: { trigger_id: 'post-login', error: { name: 'TypeError', message: 'internal detail' } },
      },
      { type: 'fepft' },
    ]);
    const { console } = Object(events[0]?.details);
    expect(console).toMatch(/^before\nx+$/);
    expect(console).toHaveLength(256);
  });

  it('get their own secrets, modules of the tenant and versions of their own choice', async () => {
    const module = await manage.post('/actions/modules', {
      name: 'greeting',
      code: `module.exports = (name) => actions.secrets.WORD + ' ' + name;`,
      secrets: [{ name: 'WORD', value: 'Hello' }],
      publish: true,
    });
    expect(module.statusCode, module.body).toBe(201);
    await setActions(world, 'post-login', [
      {
        code: action('onExecutePostLogin', `api.idToken.setCustomClaim('secrets', event.secrets);`),
        secrets: [{ name: 'ONE', value: '1' }],
      },
      {
        code: action(
          'onExecutePostLogin',
          `api.idToken.setCustomClaim('others', event.secrets);
           api.idToken.setCustomClaim('greeting', require('actions:greeting')('Ada'));
           api.idToken.setCustomClaim('lodash', require('lodash').VERSION);`,
        ),
        secrets: [{ name: 'TWO', value: '2' }],
        modules: [{ module_name: 'greeting' }],
        dependencies: [{ name: 'lodash', version: '4.17.21' }],
      },
    ]);
    const { id_token } = (await passwordGrant(world, { scope: 'openid' })).json();
    expect(claimsOf(id_token)).toMatchObject({
      secrets: { ONE: '1' },
      others: { TWO: '2' },
      greeting: 'Hello Ada',
      lodash: '4.17.21',
    });
  });

  it('keep a few things in a cache, within bounds', async () => {
    await postLogin(
      `const known = api.cache.get('key');
       api.idToken.setCustomClaim('known', known ? known.value : 'nothing');
       api.idToken.setCustomClaim('results', [
         api.cache.set('key', 'kept', { ttl: 60000 }).type,
         api.cache.set('k'.repeat(65), 'v').code,
         api.cache.set('big', 'v'.repeat(4097)).code,
         api.cache.set('old', 'v', { expires_at: 1 }).code,
         api.cache.delete('never').code,
       ]);`,
    );
    const results = [
      'success',
      'CacheKeySizeExceeded',
      'CacheValueSizeExceeded',
      'ItemAlreadyExpired',
      'CacheKeyDoesNotExist',
    ];
    const login = async () => claimsOf((await passwordGrant(world, { scope: 'openid' })).json().id_token);
    expect(await login()).toMatchObject({ known: 'nothing', results });
    expect(await login()).toMatchObject({ known: 'kept', results });
  });

  it('can not make tokens lie about what the protocol says, nor forge commands of others', async () => {
    await postLogin(
      `api.idToken.setCustomClaim('sub', 'somebody-else'); api.idToken.setCustomClaim('exp', 1);
       api.accessToken.setCustomClaim('permissions', ['all']); api.accessToken.setCustomClaim('aud', 'x');`,
    );
    const { id_token, access_token } = (await passwordGrant(world, { scope: 'openid', audience: api() })).json();
    expect(claimsOf(id_token).sub).toBe(claimsOf(access_token).sub);
    expect(claimsOf(id_token).sub).toMatch(/^auth0\|/);
    expect(claimsOf(access_token)).not.toHaveProperty('permissions');
  });

  it('are asked about silent logins, which they can refuse', async () => {
    await postLogin();
    const visitor = world.visitor();
    await visitor.logIn();
    await postLogin(`if (event.transaction.prompt.includes('none')) api.access.deny('Not silently.');`);
    const { answer } = await visitor.authorize({ prompt: 'none' });
    expect(answer?.get('error_description')).toBe('Not silently.');
    await postLogin();
  });

  it('show their namespaced claims at /userinfo', async () => {
    await postLogin(`api.idToken.setCustomClaim('${NAME}', 'seen');`);
    const { access_token } = (await passwordGrant(world, { scope: 'openid' })).json();
    expect((await userinfo(world, access_token)).json()).toMatchObject({ [NAME]: 'seen' });
    await postLogin();
  });
});

describe('actions and the session of a browser', () => {
  it('note things in it, which later logins find, and take them back', async () => {
    await postLogin(
      `api.session.setMetadata('step', 'one'); api.session.setMetadata('gone', 'x'); api.session.deleteMetadata('gone');`,
      `api.idToken.setCustomClaim('noted', event.session.metadata);`,
    );
    const visitor = world.visitor();
    const first = await visitor.logIn({ parameters: { scope: 'openid' } });
    expect(claimsOf((await redeem(world, first)).json().id_token).noted).toEqual({ step: 'one' });
    await postLogin(`api.idToken.setCustomClaim('noted', event.session.metadata); api.session.evictMetadata();`);
    const silent = async () => {
      const { answer, verifier } = await visitor.authorize({ prompt: 'none', scope: 'openid' });
      const code = answer?.get('code') ?? '';
      return claimsOf((await redeem(world, { code, verifier })).json().id_token).noted;
    };
    expect(await silent()).toEqual({ step: 'one' });
    expect(await silent()).toEqual({});
    await postLogin();
  });

  it('end it, with the refresh tokens that came of it', async () => {
    const visitor = world.visitor();
    const login = await visitor.logIn({ parameters: { scope: 'openid offline_access' } });
    const { refresh_token } = (await redeem(world, login)).json();
    await postLogin(`api.session.revoke('Log in again.');`);
    const { answer } = await visitor.authorize({ prompt: 'none' });
    expect(answer?.get('error_description')).toBe('Log in again.');
    await postLogin();
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('error')).toBe('login_required');
    const spa = { client_id: world.spa_client.client_id, client_secret: undefined };
    expect((await refresh(world, refresh_token, spa)).json().error).toBe('invalid_grant');
  });
});
