import { afterAll, beforeAll, expect, it } from 'vitest';
import { created, createTestClient, createTestUser, passwordGrant, userinfo } from '../../test/protocol.ts';
import { startWorld, type World } from '../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const statusOf = async (path: string, token: unknown) =>
  (await world.request({ path: `/api/v2${path}`, headers: { authorization: `Bearer ${token}` } })).statusCode;

/** A user with a token of their own for the Management API. */
async function userWithToken(name: string) {
  const { id, email, password } = await createTestUser(world, name);
  const audience = `${world.issuer}api/v2/`;
  const granted = await passwordGrant(world, {
    username: email,
    password,
    audience,
    scope: 'openid read:current_user',
  });
  const token: string = granted.json().access_token;
  const path = `/users/${encodeURIComponent(id)}`;
  return { path, token, status: () => statusOf(path, token) };
}

it.each<[string, (path: string) => Promise<unknown>]>([
  ['is blocked', (path) => world.api().patch(path, { blocked: true })],
  ['has a new password', (path) => world.api().patch(path, { password: 'Another-horse-entirely-8' })],
  ['is logged out everywhere', (path) => world.api().post(`${path}/revoke-access`, {})],
  ['is deleted', (path) => world.api().delete(path)],
])("ends a user's token for the Management API where the user %s", async (what, end) => {
  const { path, status } = await userWithToken(what.replaceAll(' ', '-'));
  expect(await status()).toBe(200);
  await end(path);
  expect(await status()).toBe(401);
});

it('opens nothing of a user who is made again under the id of the deleted one', async () => {
  const { path, token, status } = await userWithToken('again');
  expect(await status()).toBe(200);
  expect((await userinfo(world, token)).statusCode).toBe(200);
  await world.api().delete(path);
  const [, user_id = ''] = decodeURIComponent(path).split('auth0|');
  const body = { connection: world.connection, email: 'again@example.org', password: 'Correct-horse-again-7', user_id };
  expect(await created(world.api().post('/users', body))).toMatchObject({ user_id: `auth0|${user_id}` });
  expect(await status()).toBe(401);
  expect((await userinfo(world, token)).statusCode).toBe(401);
});

it("ends a machine's token with its application", async () => {
  const client = await createTestClient(world, { app_type: 'non_interactive', grant_types: ['client_credentials'] });
  const grant = { client_id: client.client_id, audience: world.managementAudience, scope: ['read:users'] };
  await created(world.api().post('/client-grants', grant));
  const asked = { grant_type: 'client_credentials', audience: world.managementAudience, ...client };
  const { access_token } = (await world.token(asked)).json();
  expect(await statusOf('/users', access_token)).toBe(200);
  await world.api().delete(`/clients/${client.client_id}`);
  expect(await statusOf('/users', access_token)).toBe(401);
});
