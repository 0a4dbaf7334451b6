import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, created } from '../../test/protocol.ts';
import { type ManagementClient, startWorld, type World } from '../../test/world.ts';

let world: World;
let manage: ManagementClient;
let stranger: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
  manage = world.api();
  stranger = world.apiAt(await world.createTenant('acme', { environment: 'production' }));
});
afterAll(() => world.stop());

describe('/client-grants', () => {
  it('give a client scopes of the Management API by the identifier of the origin that was asked', async () => {
    const audience = world.managementAudience;
    const { client_id } = await created(manage.post('/clients', { name: 'Backend', app_type: 'non_interactive' }));
    const made = await manage.post('/client-grants', { client_id, audience, scope: ['read:users'] });
    expect(made.statusCode).toBe(201);
    const grant = made.json();
    expect(grant).toMatchObject({ client_id, audience, scope: ['read:users'], subject_type: 'client' });
    const listed = await manage.get(`/client-grants?audience=${encodeURIComponent(audience)}&take=10`);
    const own = expect.objectContaining({ client_id: world.management.client_id, audience });
    expect(listed.json()).toEqual({ client_grants: [own, grant] });
    expect((await manage.get('/client-grants?default_for=third_party_clients')).json()).toEqual([]);
    const organizations = `/client-grants/${grant.id}/organizations?take=50`;
    expect((await manage.get(organizations)).json()).toEqual({ organizations: [] });
    expect(await answer(stranger.get(`/client-grants/${grant.id}`))).toMatchObject({
      status: 404,
      body: { errorCode: 'inexistent_client_grant', message: 'The grant does not exist.' },
    });
    expect((await manage.delete(`/client-grants/${grant.id}`)).statusCode).toBe(204);
    expect((await manage.get(`/client-grants/${grant.id}`)).statusCode).toBe(404);
  });

  it.each(['page=-1', 'per_page=-1', 'per_page=1000000', 'take=0', 'from=x'])(
    'answer 400 to /client-grants?%s',
    async (query) => {
      expect((await manage.get(`/client-grants?${query}`)).statusCode).toBe(400);
    },
  );
});

describe('a page far past the end', () => {
  it('is empty', async () => {
    expect((await manage.get('/client-grants?page=99999999999999')).json()).toEqual([]);
  });
});
