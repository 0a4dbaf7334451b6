import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  API,
  type Ask,
  allow,
  answerOf,
  type ConsentWorld,
  isConsentPage,
  startConsentWorld,
} from '../../test/consent-world.ts';
import { redeem, refresh } from '../../test/protocol.ts';
import type { World } from '../../test/world.ts';

let consents: ConsentWorld;
let world: World;
beforeAll(async () => {
  consents = await startConsentWorld();
  world = consents.world;
});
afterAll(() => world.stop());

describe('/api/v2/grants', () => {
  /** A user who allowed, and the refresh token that the application got. */
  async function allowed(changes: Ask = {}) {
    const arrived = await consents.arrive(consents.request(changes));
    const code = answerOf(await allow(arrived.visitor, arrived.page)).get('code') ?? '';
    const { client_id } = consents.strangers;
    const { refresh_token } = (await redeem(world, { ...arrived, code }, { client_id })).json();
    const [consent] = await consents.consentsOf(arrived.person.id);
    const renew = () => world.token({ grant_type: 'refresh_token', client_id, refresh_token });
    return { ...arrived, consent, renew };
  }

  it('lists consents by page, user, client and audience', async () => {
    await allowed();
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
    expect(await count(`user_id=${user}&client_id=${consents.strangers.client_id}&audience=${API}`)).toBe(1);
    expect(await count(`user_id=${user}&audience=https://elsewhere.example`)).toBe(0);
    expect(await count(`user_id=${user}&client_id=${world.spa_client.client_id}`)).toBe(0);
    expect(await count('per_page=1&page=1')).toBe(1);
    expect((await world.api('read:users').get('/grants')).statusCode).toBe(403);
  });

  it('withdraws a consent: its refresh tokens end, those of other APIs stay, and the user is asked again', async () => {
    const { visitor, consent, renew } = await allowed();
    const profile = await visitor.authorize(consents.request({ audience: '', scope: 'openid offline_access' }));
    const code = answerOf(await allow(visitor, profile.response)).get('code') ?? '';
    const { client_id } = consents.strangers;
    const other = (await redeem(world, { code, verifier: profile.verifier }, { client_id })).json();
    expect((await world.api('delete:grants').delete(`/grants/${consent.id}`)).statusCode).toBe(204);
    expect((await renew()).json()).toMatchObject({ error: 'invalid_grant' });
    const renewed = { grant_type: 'refresh_token', client_id, refresh_token: other.refresh_token };
    expect((await world.token(renewed)).statusCode).toBe(200);
    expect(isConsentPage((await visitor.authorize(consents.request())).response)).toBe(true);
    expect((await world.api().delete(`/grants/${consent.id}`)).statusCode).toBe(204);
  });

  it('withdraws all of a user', async () => {
    const { person, renew } = await allowed();
    const { email, password } = person;
    const own = (await passwordTokens(email, password)).refresh_token;
    const bystander = await allowed();
    expect((await world.api().delete('/grants')).statusCode).toBe(400);
    expect((await world.api().delete(`/grants?user_id=${encodeURIComponent(person.id)}`)).statusCode).toBe(204);
    expect(await consents.consentsOf(person.id)).toEqual([]);
    expect((await renew()).statusCode).toBe(403);
    expect((await refresh(world, own)).statusCode).toBe(403);
    expect((await bystander.renew()).statusCode).toBe(200);
  });

  it('of a code in flight withdraws that code, too: whoever comes first, nothing is left of what was withdrawn', async () => {
    const { person, visitor } = await allowed();
    for (let round = 0; round < 10; round++) {
      const [consent] = await consents.consentsOf(person.id);
      const [{ response, answer, verifier }] = await Promise.all([
        visitor.authorize(consents.request()),
        world.api().delete(`/grants/${consent.id}`),
      ]);
      const code = answer?.get('code');
      if (code) {
        const redeemed = await redeem(world, { code, verifier }, { client_id: consents.strangers.client_id });
        expect(redeemed.statusCode).toBe(403);
      }
      const asked = isConsentPage(response) ? response : (await visitor.authorize(consents.request())).response;
      await allow(visitor, asked);
    }
  });

  it('ends with the user, the application and the API', async () => {
    const count = async () => Number((await world.database.pool.query('select count(*) from consents')).rows[0].count);
    const { person } = await allowed();
    const before = await count();
    await world.api().delete(`/users/${encodeURIComponent(person.id)}`);
    expect(await count()).toBe(before - 1);
    const other = await consents.stranger();
    const arrived = await consents.arrive(consents.request({ client_id: other.client_id }));
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
