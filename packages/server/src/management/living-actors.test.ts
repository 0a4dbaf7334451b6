import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestUser, passwordGrant } from '../../test/protocol.ts';
import { startWorld, type World } from '../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

it("ends a user's token for the Management API with the user's right to log in", async () => {
  const { id, email, password } = await createTestUser(world, 'ending');
  const audience = `${world.issuer}api/v2/`;
  const granted = await passwordGrant(world, { username: email, password, audience, scope: 'read:current_user' });
  const authorization = `Bearer ${granted.json().access_token}`;
  const path = `/users/${encodeURIComponent(id)}`;
  const status = async () => (await world.request({ path: `/api/v2${path}`, headers: { authorization } })).statusCode;
  expect(await status()).toBe(200);

  await world.api().patch(path, { blocked: true });
  expect(await status()).toBe(401);
  await world.api().patch(path, { blocked: false });
  expect(await status()).toBe(200);
  await world.api().delete(path);
  expect(await status()).toBe(401);
});
