import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALLBACK } from '../../test/visitor.ts';
import { startWorld, type World } from '../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

describe('a login with the authorization code flow', () => {
  it('goes from /authorize over the login page to tokens and userinfo', async () => {
    const visitor = world.visitor();
    const { code, verifier, answer } = await visitor.logIn();
    expect(answer?.get('state')).toBe('some-state');
    const response = await world.token({
      grant_type: 'authorization_code',
      client_id: world.spa_client.client_id,
      code,
      code_verifier: verifier,
      redirect_uri: CALLBACK,
    });
    expect(response.json()).toMatchObject({
      token_type: 'Bearer',
      scope: 'openid profile email offline_access',
      expires_in: 86_400,
    });
    const userinfo = await world.request({
      path: '/userinfo',
      headers: { authorization: `Bearer ${response.json().access_token}` },
    });
    expect(userinfo.json()).toMatchObject({ email: world.user.email, email_verified: true });
    expect((await world.events()).map(({ type }) => type)).toEqual(expect.arrayContaining(['s', 'seacft']));
  });

  it('needs no second login in the same browser, and none at all with prompt=none', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    expect((await visitor.authorize()).answer?.get('code')).toBeTruthy();
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('code')).toBeTruthy();
    expect((await world.visitor().authorize({ prompt: 'none' })).answer?.get('error')).toBe('login_required');
  });

  it('ends with /v2/logout', async () => {
    const visitor = world.visitor();
    await visitor.logIn();
    const response = await visitor.get(
      `/v2/logout?client_id=${world.spa_client.client_id}&returnTo=${encodeURIComponent('http://localhost:5555/')}`,
    );
    expect(response.headers.location).toBe('http://localhost:5555/');
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('error')).toBe('login_required');
  });
});
