import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { created, createTestClient, createTestUser, decodeJwt, eventsOf, type TestClient } from '../protocol.ts';
import { type ManagementClient, startWorld, type World } from '../world.ts';
import { action, deployAction, setActions } from './actions.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';

let world: World;
let manage: ManagementClient;
let client: TestClient;
let serial = 0;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
  client = await createTestClient(world, { token_exchange: { allow_any_profile_of_type: ['custom_authentication'] } });
});
beforeEach(() => setActions(world, 'post-login', []));
afterAll(() => world.stop());

/** A type of token for which an action with these statements is responsible. */
async function typeOf(body: string): Promise<string> {
  const subject_token_type = `urn:acme:token-${++serial}`;
  await created(
    manage.post('/token-exchange-profiles', {
      name: `Profile ${serial}`,
      type: 'custom_authentication',
      subject_token_type,
      action_id: await deployAction(world, 'custom-token-exchange', action('onExecuteCustomTokenExchange', body)),
    }),
  );
  return subject_token_type;
}

const exchange = (subject_token_type: string, changes: Record<string, string> = {}) =>
  world.token({ grant_type: GRANT, ...client, subject_token: 'x', subject_token_type, scope: 'openid', ...changes });

const named = (id: string, profile: object = {}, options: object = {}) =>
  `api.authentication.setUserByConnection('${world.connection}', ${JSON.stringify({
    user_id: id,
    email: `${id}@example.org`,
    ...profile,
  })}, ${JSON.stringify({ creationBehavior: 'create_if_not_exists', ...options })});`;

const usersOf = async (id: string) => (await manage.get(`/users-by-email?email=${id}@example.org`)).json();

/** An API that applications need a grant for, and have none. */
async function closedApi(): Promise<string> {
  const identifier = `https://closed-${++serial}.example.org`;
  const policy = { user: { policy: 'require_client_grant' }, client: { policy: 'require_client_grant' } };
  await created(manage.post('/resource-servers', { identifier, subject_type_authorization: policy }));
  return identifier;
}

describe('a refused exchange', () => {
  it('leaves no user, whatever refuses it, also where two come at once', async () => {
    const audience = await closedApi();
    const bodies = [
      [named('refused'), { audience }],
      [`${named('refused')} api.access.deny('no_way', 'Not you.');`, {}],
      [`${named('refused')} throw new Error('later');`, {}],
      [`${named('refused')} api.authentication.setOrganization('org_1');`, {}],
      [`${named('refused')} api.authentication.setActor({ name: 'nobody' });`, {}],
      [`${named('refused')} api.user.setAppMetadata('big', 'x'.repeat(17_000));`, {}],
      [named('refused', { email: 'no address' }), {}],
    ] as const;
    const events = await eventsOf(world, async () => {
      for (const [body, changes] of bodies) {
        const type = await typeOf(body);
        const answers = await Promise.all([exchange(type, changes), exchange(type, changes)]);
        for (const answer of answers) expect(answer.statusCode, answer.body).toBeGreaterThanOrEqual(400);
        for (const answer of answers) expect(answer.json().error).toMatch(/^(?:invalid_request|access_denied|no_way)$/);
      }
    });
    expect(await usersOf('refused')).toEqual([]);
    expect(events.map(({ type }) => type)).not.toContain('ss');
    expect((await manage.get('/users/auth0%7Crefused')).statusCode).toBe(404);
  });

  it('changes nothing of the user who is there', async () => {
    const user = await createTestUser(world, 'steady');
    const audience = await closedApi();
    const id = user.id.slice('auth0|'.length);
    const before = (await manage.get(`/users/${user.id}`)).json();
    const change = `${named(id, { email: user.email, name: 'Eve' }, { updateBehavior: 'replace' })}
      api.user.setAppMetadata('role', 'admin');`;
    const type = await typeOf(change);
    const answers = await Promise.all([exchange(type, { audience }), exchange(type, { audience })]);
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([403, 403]);
    expect((await exchange(await typeOf(`${change} api.access.deny('no_way', 'No.');`))).statusCode).toBe(400);
    await setActions(world, 'post-login', [action('onExecutePostLogin', `api.access.deny('Not today.');`)]);
    expect((await exchange(type)).json().error_description).toBe('Not today.');
    expect((await manage.get(`/users/${user.id}`)).json()).toEqual(before);
    await setActions(world, 'post-login', []);
    expect((await exchange(type)).statusCode).toBe(200);
    expect((await manage.get(`/users/${user.id}`)).json()).toMatchObject({
      name: 'Eve',
      app_metadata: { role: 'admin' },
    });
  });

  it('names the user by an address that somebody else has: nobody is made, and nobody is taken over', async () => {
    const owner = await createTestUser(world, 'owner');
    const answer = await exchange(await typeOf(named('stranger', { email: owner.email, email_verified: true })));
    expect([answer.statusCode, answer.json().error]).toEqual([400, 'invalid_request']);
    expect((await manage.get(`/users-by-email?email=${owner.email}`)).json()).toHaveLength(1);
  });
});

describe('an exchange that is granted', () => {
  it('makes one user where two come at once, and gives tokens to both', async () => {
    const type = await typeOf(`${named('both')} api.user.setUserMetadata('colour', 'blue');`);
    const events = await eventsOf(world, async () => {
      const answers = await Promise.all([exchange(type), exchange(type)]);
      for (const answer of answers) expect(answer.statusCode, answer.body).toBe(200);
      for (const answer of answers) expect(decodeJwt(answer.json().id_token).claims.sub).toBe('auth0|both');
    });
    expect(await usersOf('both')).toMatchObject([{ logins_count: 2, user_metadata: { colour: 'blue' } }]);
    expect(events.map(({ type }) => type).filter((type) => type === 'ss')).toHaveLength(1);
  });

  it('shows post-login actions the user as it becomes, and what they set of its metadata stays theirs', async () => {
    await setActions(world, 'post-login', [
      action(
        'onExecutePostLogin',
        `api.idToken.setCustomClaim('seen', [event.user.name, event.user.app_metadata, event.transaction.metadata,
           event.transaction.subject_token_type]);
         api.user.setAppMetadata('by', 'the login');`,
      ),
    ]);
    const body = (name: string) =>
      `${named('shown', { name }, { updateBehavior: 'replace' })}
       api.user.setAppMetadata('by', 'the exchange'); api.user.setAppMetadata('kept', '${name}');
       api.transaction.setMetadata('from', 'the exchange');`;
    for (const name of ['First', 'Second']) {
      const type = await typeOf(body(name));
      let answer = await exchange(type);
      const events = await eventsOf(world, async () => {
        answer = await exchange(type);
      });
      expect(answer.statusCode, answer.body).toBe(200);
      const both = [expect.any(String), expect.any(String)];
      expect(events).toContainEqual(
        expect.objectContaining({
          type: 'secte',
          details: expect.objectContaining({ actions: { executions: both } }),
        }),
      );
      const { seen } = decodeJwt(answer.json().id_token).claims;
      const [shown, metadata, transaction, exchanged] = Object(seen);
      expect([shown, metadata.kept, transaction, exchanged]).toEqual([name, name, { from: 'the exchange' }, type]);
      expect(await usersOf('shown')).toMatchObject([{ name, app_metadata: { by: 'the login', kept: name } }]);
    }
  });

  it('replaces names, and refuses where an address, a name to log in with or their proofs are others', async () => {
    const user = await createTestUser(world, 'replaced');
    const id = user.id.slice('auth0|'.length);
    const replace = async (profile: object) =>
      exchange(await typeOf(named(id, { email: user.email, ...profile }, { updateBehavior: 'replace' })));
    for (const profile of [
      { email: 'other@example.org' },
      { email_verified: false },
      { phone_number: '+491234' },
      { username: 'other' },
    ]) {
      const answer = await replace({ name: 'Eve', ...profile });
      expect([answer.statusCode, answer.json().error_description]).toEqual([
        400,
        expect.stringContaining(Object.keys(profile)[0] ?? ''),
      ]);
    }
    expect((await manage.get(`/users/${user.id}`)).json()).toMatchObject({ email: user.email, email_verified: true });
    expect((await manage.get(`/users/${user.id}`)).json().name).not.toBe('Eve');
    const same = { email: user.email.toUpperCase(), email_verified: true, given_name: 'Ada' };
    expect((await replace(same)).statusCode).toBe(200);
    const after = (await manage.get(`/users/${user.id}`)).json();
    expect(after).toMatchObject({ email: user.email, given_name: 'Ada' });
    expect(after).not.toHaveProperty('name');
  });

  it('changes the profile of a linked identity, and not that of its user', async () => {
    const main = await createTestUser(world, 'main');
    const password = 'Correct-horse-5';
    const enabled_clients = [client.client_id];
    const connection = await created(
      manage.post('/connections', { name: 'partners', strategy: 'auth0', enabled_clients }),
    );
    const linked = { connection: 'partners', user_id: 'linked', email: 'linked@example.com', email_verified: true };
    await created(manage.post('/users', { ...linked, password }));
    await created(
      manage.post(`/users/${main.id}/identities`, {
        provider: 'auth0',
        user_id: 'linked',
        connection_id: connection.id,
      }),
    );
    const body = `api.authentication.setUserByConnection('partners', { user_id: 'linked', name: 'Linked' }, { updateBehavior: 'replace' });`;
    const answer = await exchange(await typeOf(body));
    expect(decodeJwt(answer.json().id_token).claims.sub).toBe(main.id);
    const { name, identities } = (await manage.get(`/users/${main.id}`)).json();
    expect(name).not.toBe('Linked');
    expect(identities[1].profileData).toMatchObject({ name: 'Linked', email: 'linked@example.com' });
  });
});

describe('api.authentication.setActor', () => {
  const audience = () => world.main.api.identifier;

  it('names who acts in both tokens, to post-login actions and at introspection, and gives no refresh token', async () => {
    const user = await createTestUser(world, 'acted');
    const actor = { sub: 'agent|7', org: 'support', act: { sub: 'service|1', level: 2, human: false } };
    await setActions(world, 'post-login', [
      action('onExecutePostLogin', `api.idToken.setCustomClaim('seen', event.transaction.actor);`),
    ]);
    const type = await typeOf(
      `api.authentication.setUserById('${user.id}'); api.authentication.setActor(${JSON.stringify(actor)});`,
    );
    const tokens = (await exchange(type, { audience: audience(), scope: 'openid offline_access' })).json();
    expect(decodeJwt(tokens.access_token).claims).toMatchObject({ sub: user.id, act: actor });
    expect(decodeJwt(tokens.id_token).claims).toMatchObject({ sub: user.id, act: actor, seen: actor });
    expect(tokens).not.toHaveProperty('refresh_token');
    expect(tokens.scope).not.toContain('offline_access');
  });

  it.each([
    ['is nobody', {}],
    ['is a name alone', 'agent|7'],
    ['has an empty sub', { sub: '' }],
    ['has members that are no plain values', { sub: 'a', list: [1] }],
    ['has too many of them', { sub: 'a', one: 1, two: 2, three: 3, four: 4, five: 5, six: 6 }],
    [
      'is a chain of six',
      { sub: '1', act: { sub: '2', act: { sub: '3', act: { sub: '4', act: { sub: '5', act: { sub: '6' } } } } } },
    ],
    ['acts for nobody in between', { sub: 'a', act: { name: 'b' } }],
  ])('refuses the exchange where the actor %s', async (_what, actor) => {
    const type = await typeOf(
      `api.authentication.setUserById('auth0|both'); api.authentication.setActor(${JSON.stringify(actor)});`,
    );
    const answer = await exchange(type);
    expect([answer.statusCode, answer.json()]).toMatchObject([
      400,
      { error: 'invalid_request', error_description: expect.stringContaining('actor') },
    ]);
  });
});
