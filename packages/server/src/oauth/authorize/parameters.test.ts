import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestClient, eventTypesOf, type TestClient } from '../../../test/protocol.ts';
import { CALLBACK, type Visitor } from '../../../test/visitor.ts';
import { startWorld, type World } from '../../../test/world.ts';
import { MOST_EXTENSIONS } from './extension-parameters.ts';

const MULTIFACTOR = 'http://schemas.openid.net/pape/policies/2007/06/multi-factor';

let world: World;
let browser: Visitor;
let strangers: TestClient;
beforeAll(async () => {
  world = await startWorld();
  browser = world.visitor();
  await browser.logIn();
  strangers = await createTestClient(world, {
    app_type: 'spa',
    is_first_party: false,
    callbacks: [CALLBACK],
    grant_types: ['authorization_code', 'implicit', 'refresh_token'],
  });
});
afterAll(() => world.stop());

const errorOf = async (parameters: Record<string, string>, visitor = browser) => {
  const { answer } = await visitor.authorize(parameters);
  return [answer?.get('error'), answer?.get('error_description')];
};

describe('acr_values with the multi-factor policy', () => {
  it('gives no code without a second factor: silently as auth0-spa-js expects it, in the open as a clear error', async () => {
    const types = await eventTypesOf(world, async () => {
      for (const acr_values of [MULTIFACTOR, `urn:other ${MULTIFACTOR}`]) {
        expect(await errorOf({ acr_values, prompt: 'none' })).toEqual([
          'login_required',
          'Multifactor authentication required',
        ]);
        expect(await errorOf({ acr_values })).toEqual([
          'access_denied',
          'Multifactor authentication required, and there is no factor that a user could give',
        ]);
      }
    });
    expect(types).toEqual(['fsa', 'f', 'fsa', 'f']);
  });

  it('is nothing that another name contains', async () => {
    expect((await browser.authorize({ acr_values: `${MULTIFACTOR}x` })).answer?.has('code')).toBe(true);
  });
});

describe('prompt', () => {
  it.each(['none login', 'none consent', 'select_account none', 'login none consent'])(
    'none stands alone: %s is an error',
    async (prompt) => {
      expect((await errorOf({ prompt }))[0]).toBe('invalid_request');
    },
  );

  it.each(['login consent', '  login   login '])('%s asks for the login again', async (prompt) => {
    expect((await browser.authorize({ prompt })).response.body).toContain('type="password"');
  });
});

describe('ext- parameters', () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`ext-${n}`, 'x']));

  it('travel with the login up to a number and a size', async () => {
    const visitor = world.visitor();
    const { response } = await visitor.authorize({ 'ext-campaign': 'spring', ...many(MOST_EXTENSIONS - 1) });
    expect(response.body).toContain('type="password"');
    const { rows } = await world.database.pool.query('select request from login_transactions order by created_at desc');
    expect(rows[0].request).toMatchObject({ 'ext-campaign': 'spring' });
  });

  it.each<[string, Record<string, string>]>([
    ['too many', many(MOST_EXTENSIONS + 1)],
    ['too large', { 'ext-a': 'x'.repeat(6_000), 'ext-b': 'x'.repeat(6_000), 'ext-c': 'x'.repeat(6_000) }],
    ['too long a name', { [`ext-${'x'.repeat(200)}`]: 'x' }],
  ])('are refused where there are %s', async (_what, parameters) => {
    expect((await errorOf(parameters))[0]).toBe('invalid_request');
  });
});

describe('an application of strangers', () => {
  const ask = (parameters: Record<string, string>) =>
    errorOf({ client_id: strangers.client_id, prompt: 'none', ...parameters });

  it.each([
    'screen_hint',
    'invitation',
    'id_token_hint',
    'claims',
    'login_ticket',
    'ext-x',
    'access_token',
    'request',
    'request_uri',
  ])('may not send %s', async (name) => {
    expect(await ask({ [name]: 'x' })).toEqual([
      'invalid_request',
      `Parameter is not allowed for third-party applications: ${name}`,
    ]);
  });

  it('gets codes alone, and with PKCE', async () => {
    expect((await ask({ response_type: 'token' }))[0]).toBe('unsupported_response_type');
    expect((await ask({ response_type: 'code id_token', nonce: 'n' }))[0]).toBe('unsupported_response_type');
    expect((await ask({ code_challenge: '', code_challenge_method: '' }))[0]).toBe('invalid_request');
  });

  it('may send the standard ones and the telemetry of its library', async () => {
    const parameters = { nonce: 'n', ui_locales: 'de', login_hint: 'a', max_age: '60', auth0Client: 'e30' };
    expect((await ask(parameters))[0]).not.toBe('invalid_request');
  });

  it('of a permissive kind may do what it could before', async () => {
    const client = await createTestClient(world, {
      is_first_party: false,
      third_party_security_mode: 'permissive',
      callbacks: [CALLBACK],
      grant_types: ['authorization_code'],
    });
    const { client_id } = client;
    expect((await ask({ client_id, screen_hint: 'signup' }))[0]).not.toBe('invalid_request');
  });
});

describe('what nobody knows', () => {
  it('is passed over for applications of our own', async () => {
    const parameters = { utm_source: 'x', 'no such': 'thing', device: 'y', protocol: 'oauth2', access_type: 'offline' };
    expect((await browser.authorize(parameters)).answer?.has('code')).toBe(true);
  });
});
