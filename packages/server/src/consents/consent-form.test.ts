import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Ask,
  answerOf,
  type ConsentWorld,
  isConsentPage,
  type Page,
  SCOPE,
  startConsentWorld,
} from '../../test/consent-world.ts';
import { enableDirectory } from '../../test/protocol.ts';
import type { World } from '../../test/world.ts';

let consents: ConsentWorld;
let world: World;
beforeAll(async () => {
  consents = await startConsentWorld();
  world = consents.world;
});
afterAll(() => world.stop());

const hidden = (page: Page) =>
  Object.fromEntries(
    [...page.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, n, v]) => [n, v]),
  );

describe('the consent form', () => {
  it.each<[string, Ask, Ask, number]>([
    ['without the token of our page', { _csrf: '' }, {}, 403],
    ['with an invented token', { _csrf: 'a'.repeat(43) }, {}, 403],
    ['from another site', {}, { origin: 'https://evil.example.com' }, 403],
    ['from a page that hides where it is', {}, { origin: 'null' }, 403],
    ['with the state of no login', { state: 'a'.repeat(43) }, {}, 400],
  ])('%s allows nothing', async (_what, changes, headers, status) => {
    const { person, visitor, page } = await consents.arrive();
    const fields = { ...hidden(page), action: 'accept', ...changes };
    expect((await visitor.post('/u/consent', fields, headers)).statusCode).toBe(status);
    expect(await consents.consentsOf(person.id)).toEqual([]);
  });

  it('of another browser allows nothing: not with its own cookie, and not with the cookies of the victim’s login', async () => {
    const attacker = await consents.arrive();
    const victim = await consents.arrive();
    const fields = { ...hidden(attacker.page), action: 'accept' };
    expect((await victim.visitor.post('/u/consent', fields)).statusCode).toBe(400);
    // The attacker plants the cookie of their own login: the session of it is still the victim's, and not the one that logged in.
    const [name = ''] = [...attacker.visitor.cookies.keys()].filter((cookie) => cookie.endsWith('-login'));
    victim.visitor.cookies.set(name, attacker.visitor.cookies.get(name) ?? '');
    expect((await victim.visitor.post('/u/consent', fields)).statusCode).toBe(400);
    for (const { id } of [attacker.person, victim.person]) expect(await consents.consentsOf(id)).toEqual([]);
  });

  it('can’t come before the login', async () => {
    const visitor = world.visitor();
    const { response } = await visitor.authorize(consents.request());
    const { state = '', _csrf = '' } = hidden(response);
    expect((await visitor.post('/u/consent', { state, _csrf, action: 'accept', SCOPE })).statusCode).toBe(400);
    expect((await visitor.get(`/u/consent?state=${state}`)).headers.location).toBe(`/u/login?state=${state}`);
  });

  it('needs the session of its login: after a logout it allows nothing', async () => {
    const { person, visitor, page } = await consents.arrive();
    await visitor.get(`/v2/logout?client_id=${world.spa_client.client_id}`);
    expect((await visitor.submit(page, { action: 'accept' })).statusCode).toBe(400);
    expect(await consents.consentsOf(person.id)).toEqual([]);
  });

  it('allows nothing to an application that may not be used any more', async () => {
    const gone = await consents.stranger();
    const { person, visitor, page } = await consents.arrive(consents.request({ client_id: gone.client_id }));
    await enableDirectory(world, gone.client_id, false);
    expect(answerOf(await visitor.submit(page, { action: 'accept' })).get('error')).toBe('invalid_request');
    await world.api().delete(`/clients/${gone.client_id}`);
    expect((await visitor.submit(page, { action: 'accept' })).statusCode).toBe(400);
    expect(await consents.consentsOf(person.id)).toEqual([]);
  });

  it('with an answer that is none is shown again', async () => {
    const { visitor, page } = await consents.arrive();
    expect(isConsentPage(await visitor.submit(page, { action: 'perhaps' }))).toBe(true);
  });

  it('that comes ten times at once is one consent', async () => {
    const { person, visitor, page } = await consents.arrive();
    const answers = await Promise.all(Array.from({ length: 10 }, () => visitor.submit(page, { action: 'accept' })));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 10 }, () => 303));
    expect(await consents.consentsOf(person.id)).toHaveLength(1);
  });
});
