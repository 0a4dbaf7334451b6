import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  API,
  type Ask,
  allow,
  answerOf,
  type ConsentWorld,
  isConsentPage,
  SCOPE,
  startConsentWorld,
} from '../../test/consent-world.ts';
import { created, createTestClient, enableDirectory, eventsOf, redeem } from '../../test/protocol.ts';
import { CALLBACK } from '../../test/visitor.ts';
import type { World } from '../../test/world.ts';

let consents: ConsentWorld;
let world: World;
beforeAll(async () => {
  consents = await startConsentWorld();
  world = consents.world;
});
afterAll(() => world.stop());

describe("a stranger's application", () => {
  it('gets its tokens after the user has seen and allowed what it may do, and once is enough', async () => {
    const { person, visitor, verifier, page } = await consents.arrive(
      consents.request({ scope: `${SCOPE} delete:everything` }),
    );
    expect(isConsentPage(page)).toBe(true);
    for (const text of ['Meridian Travel', 'Bookings', 'Read your bookings', 'your name and picture', person.email])
      expect(page.body).toContain(text);
    expect(page.body).not.toContain('delete:everything');
    const code = answerOf(await allow(visitor, page)).get('code') ?? '';
    const tokens = (await redeem(world, { code, verifier }, { client_id: consents.strangers.client_id })).json();
    expect(tokens.scope).toBe('openid profile offline_access read:bookings');
    for (const prompt of ['none', '']) {
      const { answer } = await visitor.authorize(consents.request({ prompt }));
      expect([prompt, answer?.has('code')]).toEqual([prompt, true]);
    }
  });

  it('gets consent_required without a page', async () => {
    const { visitor } = await consents.arrive();
    const records = await eventsOf(world, async () => {
      const { answer } = await visitor.authorize(consents.request({ prompt: 'none', state: 'xyz' }));
      expect(Object.fromEntries(answer ?? [])).toMatchObject({ error: 'consent_required', state: 'xyz' });
    });
    expect(records).toMatchObject([{ type: 'fsa', description: 'Consent required' }]);
  });

  it('asks again for all when it wants more, and for nothing when it wants less', async () => {
    const { person, visitor, page } = await consents.arrive();
    await allow(visitor, page);
    const wider = await visitor.authorize(consents.request({ scope: 'openid read:bookings change:bookings' }));
    expect(isConsentPage(wider.response)).toBe(true);
    expect(wider.response.body).toContain('Read your bookings');
    expect(wider.response.body).toContain('change:bookings');
    await allow(visitor, wider.response);
    expect((await visitor.authorize(consents.request({ scope: 'openid change:bookings' }))).answer?.has('code')).toBe(
      true,
    );
    const [consent, ...others] = await consents.consentsOf(person.id);
    expect(others).toEqual([]);
    expect([...consent.scope].sort()).toEqual(
      ['change:bookings', 'offline_access', 'openid', 'profile', 'read:bookings'].sort(),
    );
    expect(consent).toMatchObject({ user_id: person.id, clientID: consents.strangers.client_id, audience: API });
  });

  it('asks again with prompt=consent, once', async () => {
    const { visitor, page } = await consents.arrive();
    await allow(visitor, page);
    const asked = await visitor.authorize(consents.request({ prompt: 'consent' }));
    expect(isConsentPage(asked.response)).toBe(true);
    expect(answerOf(await allow(visitor, asked.response)).has('code')).toBe(true);
  });

  it('asks at each API, and for the profile alone, by itself', async () => {
    const { person, visitor, page } = await consents.arrive(consents.request({ audience: '', scope: 'openid email' }));
    expect(page.body).toContain('See your email address');
    expect(page.body).not.toContain('Bookings');
    await allow(visitor, page);
    expect(await consents.consentsOf(person.id)).toMatchObject([
      { audience: `${world.origin}/userinfo`, scope: ['openid', 'email'] },
    ]);
    expect(isConsentPage((await visitor.authorize(consents.request())).response)).toBe(true);
  });

  it('is told where the user declines, and the login is over', async () => {
    const { person, visitor, page } = await consents.arrive(consents.request({ state: 'xyz' }));
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
    expect(await consents.consentsOf(person.id)).toEqual([]);
  });

  it('gets no more than was allowed, though the user may do more by the time the code is redeemed', async () => {
    const identifier = 'https://growing.example';
    const { id } = await created(
      world.api().post('/resource-servers', { identifier, name: 'Growing', scopes: [{ value: 'read:a' }] }),
    );
    const { visitor, verifier, page } = await consents.arrive(
      consents.request({ audience: identifier, scope: 'openid read:a admin:a' }),
    );
    const code = answerOf(await allow(visitor, page)).get('code') ?? '';
    await world.api().patch(`/resource-servers/${id}`, { scopes: [{ value: 'read:a' }, { value: 'admin:a' }] });
    const tokens = (await redeem(world, { code, verifier }, { client_id: consents.strangers.client_id })).json();
    expect(tokens.scope).toBe('openid read:a');
  });

  it('is shown again where the API has got more since the page was shown', async () => {
    const identifier = 'https://moving.example';
    const { id } = await created(
      world.api().post('/resource-servers', { identifier, name: 'Moving', scopes: [{ value: 'read:a' }] }),
    );
    const { person, visitor, page } = await consents.arrive(
      consents.request({ audience: identifier, scope: 'openid read:a admin:a' }),
    );
    await world.api().patch(`/resource-servers/${id}`, { scopes: [{ value: 'read:a' }, { value: 'admin:a' }] });
    const again = await visitor.submit(page, { action: 'accept' });
    expect(isConsentPage(again)).toBe(true);
    expect(again.body).toContain('admin:a');
    expect(await consents.consentsOf(person.id)).toEqual([]);
  });

  it('has the connections of the whole domain and those enabled for it, and no others', async () => {
    const { client_id } = await createTestClient(
      world,
      { app_type: 'spa', is_first_party: false, callbacks: [CALLBACK] },
      { mayLogIn: false },
    );
    const ask = async () => (await world.visitor().authorize(consents.request({ client_id }))).response;
    expect(answerOf(await ask()).get('error_description')).toBe('no connections enabled for the client');
    const [directory] = (await world.api().get(`/connections?name=${world.connection}`)).json();
    const known = world.visitor();
    await known.logIn();
    expect((await known.authorize(consents.request({ client_id, prompt: 'none' }))).answer?.get('error')).toBe(
      'login_required',
    );
    await world.api().patch(`/connections/${directory.id}`, { is_domain_connection: true });
    expect((await ask()).body).toContain('name="password"');
    expect((await known.authorize(consents.request({ client_id, prompt: 'none' }))).answer?.get('error')).toBe(
      'consent_required',
    );
    await world.api().patch(`/connections/${directory.id}`, { is_domain_connection: false });
    await enableDirectory(world, client_id, true);
    expect((await ask()).body).toContain('name="password"');
  });
});

describe('an application of our own', () => {
  const asks = async (parameters: Ask) => isConsentPage((await consents.arrive(parameters)).page);
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
