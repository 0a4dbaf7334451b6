import type { Response } from 'light-my-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkMailedTo, pathOf } from '../mails.ts';
import { created, createTestClient, redeem } from '../protocol.ts';
import { HEAD_ROUTES } from '../tenancy/protocol-routes.ts';
import { rowsOf } from '../tenancy/tenant-rows.ts';
import { CALLBACK, type Visitor } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

/** HEAD with all that the browser has; it must leave everything as it was. */
async function head(path: string, { cookies }: Pick<Visitor, 'cookies'>): Promise<Response> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const before = await rowsOf(world.database.pool, world.tenant);
  const response = await world.request({ method: 'HEAD', path, headers: { ...(cookie && { cookie }) } });
  expect([response.body, response.headers['set-cookie'], response.headers.location]).toEqual([
    '',
    undefined,
    undefined,
  ]);
  expect(await rowsOf(world.database.pool, world.tenant)).toEqual(before);
  return response;
}

describe('HEAD, as mail scanners and link checkers send it', () => {
  it('leaves a pushed request to the GET that follows', async () => {
    await world.api().patch('/tenants/settings', { pushed_authorization_requests_supported: true });
    const web = await createTestClient(world, { app_type: 'regular_web', callbacks: [CALLBACK] });
    const form = { ...web, response_type: 'code', redirect_uri: CALLBACK, scope: 'openid' };
    const { request_uri } = await created(world.request({ path: '/oauth/par', form }));
    const visitor = world.visitor();
    const path = `/authorize?${new URLSearchParams({ client_id: web.client_id, request_uri: String(request_uri) })}`;
    expect((await head(path, visitor)).statusCode).toBe(200);
    expect((await visitor.get(path)).headers.location).toMatch(/^\/u\/login\?state=/);
  });

  it('begins no login and issues no code, neither at /authorize nor at /authorize/resume', async () => {
    const visitor = world.visitor();
    const { response: page, verifier } = await visitor.authorize();
    const login = { username: world.user.email, password: world.user.password };
    const { location } = (await visitor.submit(page, login)).headers;
    expect(location).toMatch(/^\/authorize\/resume\?/);
    await head(String(location), visitor);
    const answer = new URL(String((await visitor.get(String(location))).headers.location));
    const code = answer.searchParams.get('code') ?? '';
    expect((await redeem(world, { code, verifier })).statusCode).toBe(200);
    const { client_id } = world.spa_client;
    await head(
      `/authorize?${new URLSearchParams({ client_id, redirect_uri: CALLBACK, response_type: 'token' })}`,
      visitor,
    );
  });

  it('ends no session, at either logout', async () => {
    const visitor = world.visitor();
    const { code, verifier } = await visitor.logIn();
    const { id_token } = (await redeem(world, { code, verifier })).json();
    for (const path of ['/v2/logout', '/oidc/logout', `/oidc/logout?id_token_hint=${id_token}`]) {
      await head(path, visitor);
      const silent = await visitor.authorize({ prompt: 'none' });
      expect([path, silent.answer?.get('error')]).toEqual([path, null]);
    }
  });

  it('uses up no link of a mail', async () => {
    const user = { email: 'scanned@example.org', password: 'Correct horse 8 battery' };
    const { user_id } = await created(world.api().post('/users', { connection: world.connection, ...user }));
    const isVerified = async () =>
      (await world.api().get(`/users-by-email?email=${user.email}`)).json()[0].email_verified;
    const { ticket } = await created(world.api().post('/tickets/email-verification', { user_id }));
    const verification = pathOf(String(ticket));
    await head(verification, world.visitor());
    expect(await isVerified()).toBe(false);
    expect((await world.visitor().get(verification)).statusCode).toBe(200);
    expect(await isVerified()).toBe(true);

    const asked = { client_id: world.spa_client.client_id, email: user.email, connection: world.connection };
    await world.request({ path: '/dbconnections/change_password', json: asked });
    const reset = await linkMailedTo(world, user.email);
    const visitor = world.visitor();
    await head(reset, visitor);
    const page = await visitor.follow(await visitor.get(reset));
    expect(page.body).toContain('name="password_again"');
  });

  it.each(HEAD_ROUTES)('%s changes nothing, whatever it brings', async (route) => {
    const visitor = world.visitor();
    await visitor.logIn();
    const path = route.replace('HEAD ', '').replace('{}', `${world.spa_client.client_id}.js`);
    const query = { client_id: world.spa_client.client_id, state: 'x'.repeat(43), ticket: 'y', user_code: 'BCDF-GHJK' };
    await head(`${path}?${new URLSearchParams(query)}`, visitor);
  });
});
