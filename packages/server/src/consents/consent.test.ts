import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  created,
  createTestClient,
  createTestUser,
  enableDirectory,
  eventsOf,
  redeem,
  refresh,
  type TestClient,
} from '../../test/protocol.ts';
import { CALLBACK, type Visitor } from '../../test/visitor.ts';
import { startWorld, type World, type WorldTenant } from '../../test/world.ts';

type Page = Awaited<ReturnType<Visitor['get']>>;
type Ask = Readonly<Record<string, string>>;

const API = 'https://bookings.example';
let world: World;
let strangers: TestClient;
beforeAll(async () => {
  world = await startWorld();
  strangers = await stranger();
  await created(
    world.api().post('/resource-servers', {
      identifier: API,
      name: 'Bookings',
      allow_offline_access: true,
      scopes: [{ value: 'read:bookings', description: 'Read your bookings' }, { value: 'change:bookings' }],
    }),
  );
});
afterAll(() => world.stop());

const stranger = (changes: Record<string, unknown> = {}) =>
  createTestClient(world, {
    name: 'Meridian Travel',
    app_type: 'spa',
    is_first_party: false,
    callbacks: [CALLBACK],
    ...changes,
  });
const scope = 'openid profile offline_access read:bookings';
const request = (changes: Ask = {}): Ask => ({ client_id: strangers.client_id, audience: API, scope, ...changes });
let serial = 0;

/** A new user in a browser of their own, brought to where the consent page is expected. */
async function arrive(parameters: Ask = request(), tenant: WorldTenant = world.main) {
  const person = await createTestUser(world, `guest-${++serial}`);
  const visitor = world.visitor(tenant);
  const begun = await visitor.authorize(parameters);
  const login = await visitor.submit(begun.response, { username: person.email, password: person.password });
  return { person, visitor, verifier: begun.verifier, page: await visitor.follow(login) };
}

const isConsentPage = (page: Page) => page.statusCode === 200 && page.body.includes('action="/u/consent?state=');
const allow = async (visitor: Visitor, page: Page) => visitor.follow(await visitor.submit(page, { action: 'accept' }));
const answerOf = (page: Page) => new URL(String(page.headers.location)).searchParams;
const consentsOf = async (userId: string) =>
  (await world.api().get(`/grants?user_id=${encodeURIComponent(userId)}`)).json();
const hidden = (page: Page) =>
  Object.fromEntries(
    [...page.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, n, v]) => [n, v]),
  );

describe("a stranger's application", () => {
  it('gets its tokens after the user has seen and allowed what it may do, and once is enough', async () => {
    const { person, visitor, verifier, page } = await arrive(request({ scope: `${scope} delete:everything` }));
    expect(isConsentPage(page)).toBe(true);
    for (const text of ['Meridian Travel', 'Bookings', 'Read your bookings', 'your name and picture', person.email])
      expect(page.body).toContain(text);
    expect(page.body).not.toContain('delete:everything');
    const code = answerOf(await allow(visitor, page)).get('code') ?? '';
    const tokens = (await redeem(world, { code, verifier }, { client_id: strangers.client_id })).json();
    expect(tokens.scope).toBe('openid profile offline_access read:bookings');
    for (const prompt of ['none', '']) {
      const { answer } = await visitor.authorize(request({ prompt }));
      expect([prompt, answer?.has('code')]).toEqual([prompt, true]);
    }
  });

  it('gets consent_required without a page', async () => {
    const { visitor } = await arrive();
    const records = await eventsOf(world, async () => {
      const { answer } = await visitor.authorize(request({ prompt: 'none', state: 'xyz' }));
      expect(Object.fromEntries(answer ?? [])).toMatchObject({ error: 'consent_required', state: 'xyz' });
    });
    expect(records).toMatchObject([{ type: 'fsa', description: 'Consent required' }]);
  });

  it('asks again for all when it wants more, and for nothing when it wants less', async () => {
    const { person, visitor, page } = await arrive();
    await allow(visitor, page);
    const wider = await visitor.authorize(request({ scope: 'openid read:bookings change:bookings' }));
    expect(isConsentPage(wider.response)).toBe(true);
    expect(wider.response.body).toContain('Read your bookings');
    expect(wider.response.body).toContain('change:bookings');
    await allow(visitor, wider.response);
    expect((await visitor.authorize(request({ scope: 'openid change:bookings' }))).answer?.has('code')).toBe(true);
    const [consent, ...others] = await consentsOf(person.id);
    expect(others).toEqual([]);
    expect([...consent.scope].sort()).toEqual(
      ['change:bookings', 'offline_access', 'openid', 'profile', 'read:bookings'].sort(),
    );
    expect(consent).toMatchObject({ user_id: person.id, clientID: strangers.client_id, audience: API });
  });

  it('asks again with prompt=consent, once', async () => {
    const { visitor, page } = await arrive();
    await allow(visitor, page);
    const asked = await visitor.authorize(request({ prompt: 'consent' }));
    expect(isConsentPage(asked.response)).toBe(true);
    expect(answerOf(await allow(visitor, asked.response)).has('code')).toBe(true);
  });

  it('asks at each API, and for the profile alone, by itself', async () => {
    const { person, visitor, page } = await arrive(request({ audience: '', scope: 'openid email' }));
    expect(page.body).toContain('See your email address');
    expect(page.body).not.toContain('Bookings');
    await allow(visitor, page);
    expect(await consentsOf(person.id)).toMatchObject([
      { audience: `${world.origin}/userinfo`, scope: ['openid', 'email'] },
    ]);
    expect(isConsentPage((await visitor.authorize(request())).response)).toBe(true);
  });

  it('is told where the user declines, and the login is over', async () => {
    const { person, visitor, page } = await arrive(request({ state: 'xyz' }));
    const records = await eventsOf(world, async () => {
      const declined = await visitor.submit(page, { action: 'decline' });
      expect(Object.fromEntries(answerOf(declined))).toMatchObject({
        error: 'access_denied',
        error_description: 'User did not authorize the request',
        state: 'xyz',
      });
    });
    expect(records).toMatchObject([
      { type: 'f', user_id: person.id, description: 'User did not authorize the request' },
    ]);
    expect((await visitor.submit(page, { action: 'accept' })).statusCode).toBe(400);
    expect(await consentsOf(person.id)).toEqual([]);
  });

  it('gets no more than was allowed, though the user may do more by the time the code is redeemed', async () => {
    const identifier = 'https://growing.example';
    const { id } = await created(
      world.api().post('/resource-servers', { identifier, name: 'Growing', scopes: [{ value: 'read:a' }] }),
    );
    const { visitor, verifier, page } = await arrive(request({ audience: identifier, scope: 'openid read:a admin:a' }));
    const code = answerOf(await allow(visitor, page)).get('code') ?? '';
    await world.api().patch(`/resource-servers/${id}`, { scopes: [{ value: 'read:a' }, { value: 'admin:a' }] });
    const tokens = (await redeem(world, { code, verifier }, { client_id: strangers.client_id })).json();
    expect(tokens.scope).toBe('openid read:a');
  });

  it('is shown again where the API has got more since the page was shown', async () => {
    const identifier = 'https://moving.example';
    const { id } = await created(
      world.api().post('/resource-servers', { identifier, name: 'Moving', scopes: [{ value: 'read:a' }] }),
    );
    const { person, visitor, page } = await arrive(request({ audience: identifier, scope: 'openid read:a admin:a' }));
    await world.api().patch(`/resource-servers/${id}`, { scopes: [{ value: 'read:a' }, { value: 'admin:a' }] });
    const again = await visitor.submit(page, { action: 'accept' });
    expect(isConsentPage(again)).toBe(true);
    expect(again.body).toContain('admin:a');
    expect(await consentsOf(person.id)).toEqual([]);
  });

  it('has the connections of the whole domain and those enabled for it, and no others', async () => {
    const { client_id } = await createTestClient(
      world,
      { app_type: 'spa', is_first_party: false, callbacks: [CALLBACK] },
      { mayLogIn: false },
    );
    const ask = async () => (await world.visitor().authorize(request({ client_id }))).response;
    expect(answerOf(await ask()).get('error_description')).toBe('no connections enabled for the client');
    const [directory] = (await world.api().get(`/connections?name=${world.connection}`)).json();
    const known = world.visitor();
    await known.logIn();
    expect((await known.authorize(request({ client_id, prompt: 'none' }))).answer?.get('error')).toBe('login_required');
    await world.api().patch(`/connections/${directory.id}`, { is_domain_connection: true });
    expect((await ask()).body).toContain('name="password"');
    expect((await known.authorize(request({ client_id, prompt: 'none' }))).answer?.get('error')).toBe(
      'consent_required',
    );
    await world.api().patch(`/connections/${directory.id}`, { is_domain_connection: false });
    await enableDirectory(world, client_id, true);
    expect((await ask()).body).toContain('name="password"');
  });
});

describe('an application of our own', () => {
  const asks = async (parameters: Ask) => isConsentPage((await arrive(parameters)).page);
  const clientAt = (callback: string) => createTestClient(world, { app_type: 'spa', callbacks: [callback] });

  it('asks for an API that wants it, and else for none', async () => {
    const identifier = 'https://careful.example';
    await created(
      world.api().post('/resource-servers', {
        identifier,
        name: 'Careful',
        skip_consent_for_verifiable_first_party_clients: false,
      }),
    );
    expect(await asks({ audience: identifier })).toBe(true);
    expect(await asks({ audience: API })).toBe(false);
    expect(await asks({ audience: '' })).toBe(false);
    expect(await asks({ audience: '', prompt: 'consent' })).toBe(true);
  });

  it.each([
    ['https://app.example/callback', false],
    ['http://localhost:5555/callback', false],
    ['com.example.app://callback', true],
  ])('at %s in a development tenant: %s', async (redirect_uri, expected) => {
    const { client_id } = await clientAt(redirect_uri);
    expect(await asks({ client_id, redirect_uri, audience: API })).toBe(expected);
    expect(await asks({ client_id, redirect_uri, audience: '' })).toBe(false);
  });

  it('asks in a production tenant where any program could take the answer: on localhost', async () => {
    const shop = await world.createTenant('shop', { environment: 'production' });
    const ask = async (redirect_uri: string) => {
      const client = await createTestClient(world, { app_type: 'spa', callbacks: [redirect_uri] }, { tenant: shop });
      const visitor = world.visitor(shop);
      const audience = shop.api.identifier;
      const { response } = await visitor.authorize({ client_id: client.client_id, redirect_uri, audience });
      const login = await visitor.submit(response, { username: shop.user.email, password: shop.user.password });
      return isConsentPage(await visitor.follow(login));
    };
    expect(await ask('https://shop.example/callback')).toBe(false);
    for (const host of ['localhost', 'localhost:5555', 'app.localhost:5555', '127.0.0.1:5555', '[::1]:5555'])
      expect([host, await ask(`http://${host}/callback`)]).toEqual([host, true]);
  });
});

describe('the consent form', () => {
  it.each<[string, Ask, Ask, number]>([
    ['without the token of our page', { _csrf: '' }, {}, 403],
    ['with an invented token', { _csrf: 'a'.repeat(43) }, {}, 403],
    ['from another site', {}, { origin: 'https://evil.example.com' }, 403],
    ['from a page that hides where it is', {}, { origin: 'null' }, 403],
    ['with the state of no login', { state: 'a'.repeat(43) }, {}, 400],
  ])('%s allows nothing', async (_what, changes, headers, status) => {
    const { person, visitor, page } = await arrive();
    const fields = { ...hidden(page), action: 'accept', ...changes };
    expect((await visitor.post('/u/consent', fields, headers)).statusCode).toBe(status);
    expect(await consentsOf(person.id)).toEqual([]);
  });

  it('of another browser allows nothing: not with its own cookie, and not with the cookies of the victim’s login', async () => {
    const attacker = await arrive();
    const victim = await arrive();
    const fields = { ...hidden(attacker.page), action: 'accept' };
    expect((await victim.visitor.post('/u/consent', fields)).statusCode).toBe(400);
    // The attacker plants the cookie of their own login: the session of it is still the victim's, and not the one that logged in.
    const [name = ''] = [...attacker.visitor.cookies.keys()].filter((cookie) => cookie.endsWith('-login'));
    victim.visitor.cookies.set(name, attacker.visitor.cookies.get(name) ?? '');
    expect((await victim.visitor.post('/u/consent', fields)).statusCode).toBe(400);
    for (const { id } of [attacker.person, victim.person]) expect(await consentsOf(id)).toEqual([]);
  });

  it('can’t come before the login', async () => {
    const visitor = world.visitor();
    const { response } = await visitor.authorize(request());
    const { state = '', _csrf = '' } = hidden(response);
    expect((await visitor.post('/u/consent', { state, _csrf, action: 'accept', scope })).statusCode).toBe(400);
    expect((await visitor.get(`/u/consent?state=${state}`)).headers.location).toBe(`/u/login?state=${state}`);
  });

  it('needs the session of its login: after a logout it allows nothing', async () => {
    const { person, visitor, page } = await arrive();
    await visitor.get(`/v2/logout?client_id=${world.spa_client.client_id}`);
    expect((await visitor.submit(page, { action: 'accept' })).statusCode).toBe(400);
    expect(await consentsOf(person.id)).toEqual([]);
  });

  it('allows nothing to an application that may not be used any more', async () => {
    const gone = await stranger();
    const { person, visitor, page } = await arrive(request({ client_id: gone.client_id }));
    await enableDirectory(world, gone.client_id, false);
    expect(answerOf(await visitor.submit(page, { action: 'accept' })).get('error')).toBe('invalid_request');
    await world.api().delete(`/clients/${gone.client_id}`);
    expect((await visitor.submit(page, { action: 'accept' })).statusCode).toBe(400);
    expect(await consentsOf(person.id)).toEqual([]);
  });

  it('with an answer that is none is shown again', async () => {
    const { visitor, page } = await arrive();
    expect(isConsentPage(await visitor.submit(page, { action: 'perhaps' }))).toBe(true);
  });

  it('that comes ten times at once is one consent', async () => {
    const { person, visitor, page } = await arrive();
    const answers = await Promise.all(Array.from({ length: 10 }, () => visitor.submit(page, { action: 'accept' })));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 10 }, () => 303));
    expect(await consentsOf(person.id)).toHaveLength(1);
  });
});

describe('/api/v2/grants', () => {
  /** A user who allowed, and the refresh token that the application got. */
  async function allowed(changes: Ask = {}) {
    const arrived = await arrive(request(changes));
    const code = answerOf(await allow(arrived.visitor, arrived.page)).get('code') ?? '';
    const { client_id } = strangers;
    const { refresh_token } = (await redeem(world, { ...arrived, code }, { client_id })).json();
    const [consent] = await consentsOf(arrived.person.id);
    const renew = () => world.token({ grant_type: 'refresh_token', client_id, refresh_token });
    return { ...arrived, consent, renew };
  }

  it('lists consents by page, user, client and audience', async () => {
    const { person, consent } = await allowed();
    const api = world.api('read:grants');
    const user = encodeURIComponent(person.id);
    expect((await api.get(`/grants?user_id=${user}&include_totals=true`)).json()).toEqual({
      start: 0,
      limit: 50,
      total: 1,
      grants: [consent],
    });
    const count = async (query: string) => (await api.get(`/grants?${query}`)).json().length;
    expect(await count(`user_id=${user}&client_id=${strangers.client_id}&audience=${API}`)).toBe(1);
    expect(await count(`user_id=${user}&audience=https://elsewhere.example`)).toBe(0);
    expect(await count(`user_id=${user}&client_id=${world.spa_client.client_id}`)).toBe(0);
    expect(await count('per_page=1&page=1')).toBe(1);
    expect((await world.api('read:users').get('/grants')).statusCode).toBe(403);
  });

  it('withdraws a consent: its refresh tokens end, those of other APIs stay, and the user is asked again', async () => {
    const { visitor, consent, renew } = await allowed();
    const profile = await visitor.authorize(request({ audience: '', scope: 'openid offline_access' }));
    const code = answerOf(await allow(visitor, profile.response)).get('code') ?? '';
    const { client_id } = strangers;
    const other = (await redeem(world, { code, verifier: profile.verifier }, { client_id })).json();
    expect((await world.api('delete:grants').delete(`/grants/${consent.id}`)).statusCode).toBe(204);
    expect((await renew()).json()).toMatchObject({ error: 'invalid_grant' });
    const renewed = { grant_type: 'refresh_token', client_id, refresh_token: other.refresh_token };
    expect((await world.token(renewed)).statusCode).toBe(200);
    expect(isConsentPage((await visitor.authorize(request())).response)).toBe(true);
    expect((await world.api().delete(`/grants/${consent.id}`)).statusCode).toBe(204);
  });

  it('withdraws all of a user', async () => {
    const { person, renew } = await allowed();
    const { email, password } = person;
    const own = (await passwordTokens(email, password)).refresh_token;
    const bystander = await allowed();
    expect((await world.api().delete('/grants')).statusCode).toBe(400);
    expect((await world.api().delete(`/grants?user_id=${encodeURIComponent(person.id)}`)).statusCode).toBe(204);
    expect(await consentsOf(person.id)).toEqual([]);
    expect((await renew()).statusCode).toBe(403);
    expect((await refresh(world, own)).statusCode).toBe(403);
    expect((await bystander.renew()).statusCode).toBe(200);
  });

  it('of a code in flight withdraws that code, too: whoever comes first, nothing is left of what was withdrawn', async () => {
    const { person, visitor } = await allowed();
    for (let round = 0; round < 10; round++) {
      const [consent] = await consentsOf(person.id);
      const [{ response, answer, verifier }] = await Promise.all([
        visitor.authorize(request()),
        world.api().delete(`/grants/${consent.id}`),
      ]);
      const code = answer?.get('code');
      if (code) {
        const redeemed = await redeem(world, { code, verifier }, { client_id: strangers.client_id });
        expect(redeemed.statusCode).toBe(403);
      }
      const asked = isConsentPage(response) ? response : (await visitor.authorize(request())).response;
      await allow(visitor, asked);
    }
  });

  it('ends with the user, the application and the API', async () => {
    const count = async () => Number((await world.database.pool.query('select count(*) from consents')).rows[0].count);
    const { person } = await allowed();
    const before = await count();
    await world.api().delete(`/users/${encodeURIComponent(person.id)}`);
    expect(await count()).toBe(before - 1);
    const other = await stranger();
    const arrived = await arrive(request({ client_id: other.client_id }));
    await allow(arrived.visitor, arrived.page);
    expect(await count()).toBe(before);
    await world.api().delete(`/clients/${other.client_id}`);
    expect(await count()).toBe(before - 1);
    const [api] = (await world.api().get(`/resource-servers?identifiers=${API}`)).json();
    await world.api().delete(`/resource-servers/${api.id}`);
    expect((await world.api().get(`/grants?audience=${API}`)).json()).toEqual([]);
  });

  async function passwordTokens(username: string, password: string) {
    const { client_id, client_secret } = world.password_client;
    const form = { grant_type: 'password', client_id, client_secret, username, password, scope: 'offline_access' };
    return (await world.token(form)).json();
  }
});
