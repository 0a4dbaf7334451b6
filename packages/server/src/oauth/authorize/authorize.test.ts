import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  created,
  createTestClient,
  decodeJwt,
  enableDirectory,
  eventTypesOf,
  redeem,
  type TestClient,
} from '../../../test/protocol.ts';
import { CALLBACK } from '../../../test/visitor.ts';
import { askAuthorize, redirectedTo } from '../../../test/web-authorization.ts';
import { startWorld, type World } from '../../../test/world.ts';

const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

let world: World;
let web: TestClient;
beforeAll(async () => {
  world = await startWorld();
  web = await createTestClient(world, {
    app_type: 'regular_web',
    callbacks: ['https://app.example.com/callback'],
    grant_types: ['authorization_code'],
  });
});
afterAll(() => world.stop());

const ask = (parameters: Record<string, string>, extra?: string) => askAuthorize(world, web, parameters, extra);

describe('a request that is not understood', () => {
  it('of an unknown client, or of none, ends on a page', async () => {
    const types = await eventTypesOf(world, async () => {
      for (const client_id of ['unknown', '']) {
        const response = await ask({ client_id });
        expect(response.statusCode).toBe(400);
        expect(response.headers).not.toHaveProperty('location');
      }
    });
    expect(types).toEqual(['f', 'f']);
  });

  it('of an address that no Location header can carry ends on a page', async () => {
    const response = await ask({
      client_id: world.spa_client.client_id,
      redirect_uri: 'http://localhost:5555/\u{1f600}',
      prompt: 'none',
    });
    expect(response.statusCode).toBe(403);
    expect(response.headers).not.toHaveProperty('location');
  });

  it.each<[string, Record<string, string>, string, string]>([
    ['no response type', { response_type: '' }, 'invalid_request', 'Missing required parameter: response_type'],
    ['an unknown type', { response_type: 'code x' }, 'unsupported_response_type', 'Unsupported response type: code x'],
    [
      'a type that stands twice',
      { response_type: 'code code' },
      'unsupported_response_type',
      'Unsupported response type: code code',
    ],
    [
      'an unknown mode',
      { response_mode: 'smoke' },
      'invalid_request',
      'response_mode does not exist, or not for this response_type',
    ],
    ['an unknown prompt', { prompt: 'x' }, 'invalid_request', 'prompt must be none, login, consent or select_account'],
    [
      'none with login',
      { prompt: 'none login' },
      'invalid_request',
      'prompt=none may not be combined with other prompts',
    ],
    ['max_age that is no number', { max_age: '-1' }, 'invalid_request', 'max_age must be a number of seconds'],
    [
      'plain PKCE',
      { code_challenge: CHALLENGE, code_challenge_method: 'plain' },
      'invalid_request',
      'code_challenge_method must be S256',
    ],
    ['PKCE without a method', { code_challenge: CHALLENGE }, 'invalid_request', 'code_challenge_method must be S256'],
    [
      'a short challenge',
      { code_challenge: 'abc', code_challenge_method: 'S256' },
      'invalid_request',
      'code_challenge must be a base64url encoded SHA-256',
    ],
    [
      'a method without a challenge',
      { code_challenge_method: 'S256' },
      'invalid_request',
      'Missing required parameter: code_challenge',
    ],
    ['an unknown audience', { audience: 'urn:none' }, 'access_denied', 'Service not found: urn:none'],
    ['an unknown connection', { connection: 'none' }, 'invalid_request', 'the connection was not found'],
    [
      "the administrators' connection",
      { connection: 'gatewright-admins' },
      'invalid_request',
      'the connection is not enabled for the client',
    ],
    [
      'a request object without signature',
      { request: 'eyJhbGciOiJub25lIn0.e30.' },
      'request_not_supported',
      'The client has no key for signed requests (signed_request_object.credentials)',
    ],
    [
      'a request_uri',
      { request_uri: 'http://169.254.169.254/' },
      'request_uri_not_supported',
      'The parameter request_uri takes pushed requests alone',
    ],
    [
      'an organization',
      { organization: 'org_1' },
      'invalid_request',
      'parameter organization is not allowed for this client',
    ],
  ])('with %s goes back to the client, once recorded', async (_what, parameters, error, error_description) => {
    const types = await eventTypesOf(world, async () => {
      const response = await ask(parameters);
      expect(response.statusCode).toBe(302);
      expect(redirectedTo(response)).toEqual({ error, error_description, state: 'st&te=1 ü', iss: world.issuer });
    });
    expect(types).toEqual(['f']);
  });

  it.each(['scope', 'state', 'nonce', 'response_type', 'prompt', 'code_challenge'])(
    'with %s twice goes back to the client',
    async (name) => {
      const parameters = redirectedTo(await ask({ [name]: 'openid' }, `&${name}=other`));
      expect(parameters).toMatchObject({
        error: 'invalid_request',
        error_description: `Parameter must not be repeated: ${name}`,
      });
      expect(parameters.state).toBe(name === 'state' ? undefined : 'st&te=1 ü');
    },
  );

  it('of a public client needs PKCE', async () => {
    const { client_id } = world.spa_client;
    expect(redirectedTo(await ask({ client_id, redirect_uri: CALLBACK }), CALLBACK)).toMatchObject({
      error: 'invalid_request',
    });
  });

  it('of a client without the grant type is refused', async () => {
    await world.api().patch(`/clients/${web.client_id}`, { grant_types: ['client_credentials'] });
    expect(redirectedTo(await ask({}))).toMatchObject({
      error: 'unauthorized_client',
      error_description: "Grant type 'authorization_code' not allowed for the client.",
    });
    await world.api().patch(`/clients/${web.client_id}`, { grant_types: ['authorization_code'] });
  });

  it('of a client without a connection is told so when a person would have to log in', async () => {
    const client = await createTestClient(world, { callbacks: [CALLBACK] }, { mayLogIn: false });
    const types = await eventTypesOf(world, async () => {
      const { response } = await world.visitor().authorize({ client_id: client.client_id });
      expect(redirectedTo(response, CALLBACK)).toMatchObject({
        error_description: 'no connections enabled for the client',
      });
    });
    expect(types).toEqual(['f']);
  });
});

describe('single sign-on', () => {
  it('answers silently or not by prompt, and each answer is one event', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    const silent = await eventTypesOf(world, async () => {
      expect((await visitor.authorize({ prompt: 'none' })).answer?.get('code')).toBeTruthy();
    });
    expect(silent).toEqual(['ssa']);
    const open = await eventTypesOf(world, async () => {
      expect((await visitor.authorize()).answer?.get('code')).toBeTruthy();
    });
    expect(open).toEqual(['s']);
    for (const prompt of ['login', 'select_account', 'consent', 'login consent']) {
      expect((await visitor.authorize({ prompt })).response.body).toContain('<form');
    }
    const refused = await eventTypesOf(world, async () => {
      const { answer } = await world.visitor().authorize({ prompt: 'none' });
      expect(answer?.get('error_description')).toBe('Login required');
    });
    expect(refused).toEqual(['fsa']);
  });

  it('is as fresh as max_age wants, and the ID token tells the time of the login', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    const loginTime = Math.floor(world.now().getTime() / 1000);
    world.advance(60_000);
    const within = await visitor.logIn({ parameters: { max_age: '60' } });
    expect(decodeJwt((await redeem(world, within)).json().id_token).claims.auth_time).toBe(loginTime);
    for (const max_age of ['0', '59']) {
      expect((await visitor.authorize({ max_age })).response.body).toContain('<form');
      expect((await visitor.authorize({ max_age, prompt: 'none' })).answer?.get('error')).toBe('login_required');
    }
    const again = await visitor.logIn({ parameters: { max_age: '59' } });
    expect(decodeJwt((await redeem(world, again)).json().id_token).claims.auth_time).toBe(loginTime + 60);
  });

  it('ends for a client whose connection was taken away, and for a user who was blocked', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    await enableDirectory(world, world.spa_client.client_id, false);
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('error')).toBe('login_required');
    await enableDirectory(world, world.spa_client.client_id, true);
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('code')).toBeTruthy();
    const [user] = (await world.api().get(`/users-by-email?email=${world.user.email}`)).json();
    await world.api().patch(`/users/${user.user_id}`, { blocked: true });
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('error')).toBe('login_required');
    await world.api().patch(`/users/${user.user_id}`, { blocked: false });
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('error')).toBe('login_required');
  });

  it('does not answer for another connection than the one that was asked for', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    await created(
      world
        .api()
        .post('/connections', { name: 'Second', strategy: 'auth0', enabled_clients: [world.spa_client.client_id] }),
    );
    expect(
      (await visitor.authorize({ connection: world.connection, prompt: 'none' })).answer?.get('code'),
    ).toBeTruthy();
    expect((await visitor.authorize({ connection: 'Second', prompt: 'none' })).answer?.get('error')).toBe(
      'login_required',
    );
  });
});

describe('the answer', () => {
  it('of form_post is a page that posts to the application', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    const { response } = await visitor.authorize({ response_mode: 'form_post' });
    expect(response.statusCode).toBe(200);
    expect(response.headers['cache-control']).toBe('no-store');
    expect(response.body).toContain(`action="${CALLBACK}"`);
    for (const name of ['code', 'state', 'iss']) expect(response.body).toContain(`name="${name}"`);
  });

  it('bears the issuer, unless the tenant switched that off', async () => {
    const visitor = world.visitor();
    expect((await visitor.logIn()).answer?.get('iss')).toBe(world.issuer);
    await world.api().patch('/tenants/settings', { authorization_response_iss_parameter_supported: false });
    const { answer } = await visitor.authorize();
    await world.api().patch('/tenants/settings', { authorization_response_iss_parameter_supported: true });
    expect(answer?.has('iss')).toBe(false);
    expect(answer?.get('code')).toBeTruthy();
  });

  it('is the same to a POST of the request', async () => {
    const response = await world.request({
      path: '/authorize',
      form: { response_type: 'code', client_id: web.client_id, state: 'x', prompt: 'none' },
    });
    expect(redirectedTo(response)).toMatchObject({ error: 'login_required', state: 'x' });
  });

  it.each([
    ['login', '/u/login'],
    ['signup', '/u/signup'],
    ['reset-password', '/u/reset-password/request'],
    ['telepathy', '/u/login'],
  ])('of a page has the hinted address, and for screen_hint=%s begins at %s', async (screen_hint, page) => {
    const { response } = await world.visitor().authorize({ login_hint: 'ada@example.org', screen_hint });
    expect(response.body).toContain(`action="${page}?state=`);
    expect(response.body).toContain('value="ada@example.org"');
  });
});
