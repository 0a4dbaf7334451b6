import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  answer,
  created,
  createTestClient,
  createTestUser,
  decodeJwt,
  eventTypesOf,
  passwordGrant,
} from '../../../test/protocol.ts';
import { startWorld, type World } from '../../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const retired = (name: string) => ({
  status: 400,
  body: { error: 'invalid_request', error_description: `OIDC conformant clients cannot use ${name}` },
});

describe.each([
  ['/oauth/ro', '/oauth/ro'],
  ['/oauth/access_token', '/oauth/access_token'],
  ['/delegation', '/delegation'],
  ['/users/auth0%7Cx/impersonate', '/impersonate'],
])('POST %s', (path, name) => {
  it('tells a client that it is switched off, and its operator once an hour', async () => {
    const { client_id } = world.password_client;
    const form = { client_id, username: 'x', password: 'x' };
    const ask = () => answer(world.request({ path, form }));
    expect(await eventTypesOf(world, async () => expect(await ask()).toEqual(retired(name)))).toEqual(['depnote']);
    expect(await eventTypesOf(world, async () => Promise.all([ask(), ask(), ask()]))).toEqual([]);
    world.advance(3_600_001);
    expect(await eventTypesOf(world, ask)).toEqual(['depnote']);
  });

  it('tells an unknown client nothing', async () => {
    const types = await eventTypesOf(world, async () => {
      expect(await answer(world.request({ path, json: { client_id: 'nobody' } }))).toEqual({
        status: 403,
        body: { error: 'unauthorized_client', error_description: 'invalid client' },
      });
      expect((await world.request({ path, json: {} })).statusCode).toBe(400);
    });
    expect(types).toEqual([]);
  });
});

describe('/tokeninfo', () => {
  const tokens = async () => (await passwordGrant(world, { scope: 'openid' })).json();
  const get = (id_token: string) => world.request({ path: `/tokeninfo?${new URLSearchParams({ id_token })}` });
  const open = (isOpen: boolean) =>
    created(world.api().patch('/tenants/settings', { flags: { allow_legacy_tokeninfo_endpoint: isOpen } }));

  it('is switched off unless the tenant opens it', async () => {
    const { id_token } = await tokens();
    expect(await answer(get(id_token))).toEqual(retired('/tokeninfo'));
    expect(await answer(world.request({ path: '/tokeninfo', json: { id_token } }))).toEqual(retired('/tokeninfo'));
  });

  it('shows the profile of the one whom an ID token of this tenant is about', async () => {
    await open(true);
    const { id_token } = await tokens();
    const profile = {
      email: world.user.email,
      user_id: expect.stringMatching(/^auth0\|/),
      clientID: world.password_client.client_id,
      identities: [expect.objectContaining({ provider: 'auth0' })],
      created_at: expect.any(String),
    };
    expect((await get(id_token)).json()).toMatchObject(profile);
    expect((await world.request({ path: '/tokeninfo', form: { id_token } })).json()).toMatchObject(profile);
    await open(false);
  });

  it('shows nobody for any other token, nor for an old one', async () => {
    await open(true);
    const { id_token, access_token } = await tokens();
    const [header, payload] = id_token.split('.');
    const jwt = (await passwordGrant(world, { scope: 'openid', audience: 'https://api.example.com/' })).json()
      .access_token;
    const other = await world.createTenant('elsewhere');
    const foreign = (await passwordGrant(world, { scope: 'openid' }, other)).json().id_token;
    for (const token of [access_token, jwt, foreign, `${header}.${payload}.AAAA`, `${header}.${payload}.`, 'x'])
      expect([token, (await get(token)).statusCode]).toEqual([token, 401]);
    expect((await get('')).statusCode).toBe(400);
    world.advance(36_001_000);
    expect((await get(id_token)).statusCode).toBe(401);
    await open(false);
  });

  it('shows no application whom it asks for with a token that it made itself (HS256)', async () => {
    await open(true);
    const client = await createTestClient(world, {
      grant_types: ['password'],
      token_endpoint_auth_method: 'client_secret_post',
      jwt_configuration: { alg: 'HS256' },
    });
    const stranger = await createTestUser(world, 'never-been-there');
    const { id_token } = (await passwordGrant(world, { ...client, scope: 'openid' })).json();
    const forged = await new SignJWT({ ...decodeJwt(id_token).claims, sub: stranger.id })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(Buffer.from(client.client_secret));
    expect((await get(forged)).statusCode).toBe(401);
    await open(false);
  });
});
