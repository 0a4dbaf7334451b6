import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWorld, type World } from '../../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

it('answers to the JWT of a password login that asked for an API and for no refresh token', async () => {
  const response = await world.token({
    grant_type: 'password',
    ...world.password_client,
    username: world.user.email,
    password: world.user.password,
    scope: 'openid email',
    audience: world.main.api.identifier,
  });
  const userinfo = await world.request({
    path: '/userinfo',
    headers: { authorization: `Bearer ${response.json().access_token}` },
  });
  expect(userinfo.statusCode).toBe(200);
  expect(userinfo.json()).toMatchObject({ email: world.user.email });
});
