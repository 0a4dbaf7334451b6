import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, created, createTestClient, defined, eventsOf, type TestClient } from '../../../test/protocol.ts';
import { startWorld, type World } from '../../../test/world.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const TYPE = 'urn:acme:legacy-session';
const PROFILE = { name: 'Legacy', subject_token_type: TYPE, action_id: '', type: 'custom_authentication' };
const newAction = async (trigger = 'custom-token-exchange', at = world.main) =>
  String(
    (
      await created(
        world.apiAt(at).post('/actions/actions', { name: `Of ${trigger}`, supported_triggers: [{ id: trigger }] }),
      )
    ).id,
  );

let world: World;
let client: TestClient;
beforeAll(async () => {
  world = await startWorld();
  PROFILE.action_id = await newAction();
  await created(world.api().post('/token-exchange-profiles', PROFILE));
  client = await application();
});
afterAll(() => world.stop());

const application = (body: Record<string, unknown> = {}) =>
  createTestClient(world, { token_exchange: { allow_any_profile_of_type: ['custom_authentication'] }, ...body });

const exchange = (changes: Record<string, string | undefined> = {}, by = client) =>
  world.token(defined({ grant_type: GRANT, ...by, subject_token: 'a-session', subject_token_type: TYPE, ...changes }));

describe('/api/v2/token-exchange-profiles', () => {
  it('makes, shows, changes, lists and deletes profiles', async () => {
    const api = world.api();
    const made = await created(
      api.post('/token-exchange-profiles', { ...PROFILE, subject_token_type: 'https://acme.example/token' }),
    );
    expect(made).toEqual({
      id: expect.stringMatching(/^tep_\w{16}$/),
      name: 'Legacy',
      type: 'custom_authentication',
      subject_token_type: 'https://acme.example/token',
      action_id: PROFILE.action_id,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    const path = `/token-exchange-profiles/${made.id}`;
    expect((await api.get(path)).json()).toEqual(made);
    expect((await api.patch(path, { name: 'Renamed' })).json()).toMatchObject({
      ...made,
      name: 'Renamed',
      updated_at: expect.any(String),
    });
    const first = (await api.get('/token-exchange-profiles?take=1')).json();
    expect(first).toMatchObject({ token_exchange_profiles: [{ subject_token_type: TYPE }], next: expect.any(String) });
    const rest = (await api.get(`/token-exchange-profiles?take=1&from=${first.next}`)).json();
    expect(rest).toEqual({ token_exchange_profiles: [expect.objectContaining({ id: made.id })] });
    expect((await api.delete(path)).statusCode).toBe(204);
    expect(await answer(api.get(path))).toEqual({
      status: 404,
      body: { statusCode: 404, error: 'Not Found', message: 'Token exchange profile not found.' },
    });
    expect((await api.patch(path, { name: 'Gone' })).statusCode).toBe(404);
    expect((await api.delete(path)).statusCode).toBe(204);
  });

  it.each([
    'http://auth0.com/own',
    'https://auth0.com/own',
    'https://tenant.okta.com/own',
    'urn:ietf:params:oauth:token-type:access_token',
    'urn:auth0:own',
    'urn:okta:own',
    'http://acme.example/token',
    'mailto:a@example.com',
  ])('refuses the subject_token_type %s', async (subject_token_type) => {
    const response = await world.api().post('/token-exchange-profiles', { ...PROFILE, subject_token_type });
    expect([response.statusCode, response.json().errorCode]).toEqual([400, 'invalid_body']);
  });

  it('refuses an action that is not there, of another trigger, or of another tenant', async () => {
    const foreign = await newAction('custom-token-exchange', await world.createTenant('neighbour'));
    const answers = await Promise.all(
      ['an-action', foreign, await newAction('post-login')].map((action_id) =>
        world.api().post('/token-exchange-profiles', { ...PROFILE, subject_token_type: 'urn:acme:lost', action_id }),
      ),
    );
    expect(answers.map((response) => [response.statusCode, response.json().message])).toEqual([
      [400, "Payload validation error: 'There is no such action' on property action_id."],
      [400, "Payload validation error: 'There is no such action' on property action_id."],
      [
        400,
        "Payload validation error: 'The action does not support the trigger custom-token-exchange' on property action_id.",
      ],
    ]);
  });

  it('gives a type to one profile, also where two ask at once', async () => {
    const api = world.api();
    const body = { ...PROFILE, subject_token_type: 'urn:acme:twice' };
    const answers = await Promise.all([1, 2, 3].map(() => api.post('/token-exchange-profiles', body)));
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([201, 409, 409]);
    const other = await created(
      api.post('/token-exchange-profiles', { ...PROFILE, subject_token_type: 'urn:acme:other' }),
    );
    const taken = await api.patch(`/token-exchange-profiles/${other.id}`, { subject_token_type: 'urn:acme:twice' });
    expect(taken.statusCode).toBe(409);
  });

  it('is bounded', async () => {
    const tenant = await world.createTenant('bounded');
    const api = world.apiAt(tenant);
    const profile = { ...PROFILE, action_id: await newAction('custom-token-exchange', tenant) };
    for (let index = 0; index < 100; index++)
      await created(api.post('/token-exchange-profiles', { ...profile, subject_token_type: `urn:acme:${index}` }));
    const response = await api.post('/token-exchange-profiles', { ...profile, subject_token_type: 'urn:acme:more' });
    expect(response.statusCode).toBe(403);
  });
});

describe('the grant token-exchange', () => {
  it('ends, with an event, where the action would run', async () => {
    const [event] = await eventsOf(world, async () => {
      expect(await answer(exchange())).toEqual({
        status: 400,
        body: {
          error: 'invalid_request',
          error_description: 'The action of the token exchange profile "Legacy" could not be run',
        },
      });
    });
    expect(event).toMatchObject({ type: 'fecte', client_id: client.client_id });
    expect(JSON.stringify(event)).not.toContain('a-session');
  });

  it.each<[string, Record<string, string | undefined>, number, string]>([
    ['no subject_token', { subject_token: undefined }, 400, 'invalid_request'],
    ['no subject_token_type', { subject_token_type: undefined }, 400, 'invalid_request'],
    ['a type that no profile has', { subject_token_type: 'urn:acme:unknown' }, 400, 'invalid_request'],
    ['a type in another spelling', { subject_token_type: TYPE.toUpperCase() }, 400, 'invalid_request'],
    [
      'another kind of token requested',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
      400,
      'invalid_request',
    ],
    ['an actor_token without its type', { actor_token: 'x' }, 400, 'invalid_request'],
    ['an actor_token_type without a token', { actor_token_type: 'urn:x:y' }, 400, 'invalid_request'],
    ['a resource', { resource: 'https://api.example.com/' }, 400, 'invalid_target'],
    ['an unknown audience', { audience: 'https://unknown.example/' }, 403, 'access_denied'],
    ['a wrong secret', { client_secret: 'wrong' }, 401, 'access_denied'],
  ])('refuses %s', async (_what, changes, status, error) => {
    const events = await eventsOf(world, async () => {
      const response = await exchange(changes);
      expect([response.statusCode, response.json().error]).toEqual([status, error]);
    });
    expect(events.map(({ type }) => type)).toEqual(['fecte']);
  });

  it('is for first-party applications that may use profiles of the type', async () => {
    const refused = {
      status: 403,
      body: {
        error: 'unauthorized_client',
        error_description: '"custom_authentication" Token Exchange Profile is not allowed for the client.',
      },
    };
    const others = [
      { token_exchange: undefined },
      { token_exchange: { allow_any_profile_of_type: [] } },
      { is_first_party: false },
    ];
    for (const body of others) expect(await answer(exchange({}, await application(body)))).toEqual(refused);
  });

  it('sees a new profile and the end of one at once', async () => {
    const type = 'urn:acme:for-a-moment';
    const made = await created(
      world.api().post('/token-exchange-profiles', { ...PROFILE, name: 'Brief', subject_token_type: type }),
    );
    expect((await exchange({ subject_token_type: type })).json().error_description).toContain('"Brief"');
    await world.api().delete(`/token-exchange-profiles/${made.id}`);
    expect((await exchange({ subject_token_type: type })).json().error_description).toContain(
      'No token exchange profile',
    );
  });
});
