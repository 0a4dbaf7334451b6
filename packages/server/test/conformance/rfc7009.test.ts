import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../world.ts';
import { basic, passwordTokens, tokensOf, userinfo } from './code-flow.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const revoke = (form: Record<string, string>) => world.request({ path: '/oauth/revoke', form });
const refresh = (refresh_token: string) =>
  world.token({ grant_type: 'refresh_token', ...world.password_client, refresh_token });
const offline = async () => (await passwordTokens(world, { scope: 'openid offline_access' })).json();

describe('POST /oauth/revoke (RFC 7009 section 2)', () => {
  it('ends a refresh token at once, with the access tokens of its grant', async () => {
    const { refresh_token, access_token } = await offline();
    expect((await userinfo(world, access_token)).statusCode).toBe(200);
    const response = await revoke({ ...world.password_client, token: refresh_token });
    expect([response.statusCode, response.body]).toEqual([200, '']);
    expect((await refresh(refresh_token)).json().error).toBe('invalid_grant');
    expect((await userinfo(world, access_token)).statusCode).toBe(401);
  });

  it('ends the successors of a refresh token too', async () => {
    const first = await offline();
    const { refresh_token } = (await refresh(first.refresh_token)).json();
    expect((await revoke({ ...world.password_client, token: first.refresh_token })).statusCode).toBe(200);
    expect((await refresh(refresh_token)).json().error).toBe('invalid_grant');
  });

  it('needs the authentication of a client that has a secret', async () => {
    const { refresh_token: token } = await offline();
    const { client_id } = world.password_client;
    expect((await revoke({ client_id, token })).statusCode).toBe(401);
    expect((await revoke({ client_id, client_secret: 'wrong', token })).statusCode).toBe(401);
    expect((await refresh(token)).statusCode).toBe(200);
  });

  it('takes a public client by its id, and any registered way to authenticate', async () => {
    const { refresh_token: token } = await tokensOf(world);
    const { client_id } = world.spa_client;
    expect((await revoke({ client_id, token })).statusCode).toBe(200);
    const response = await world.token({ grant_type: 'refresh_token', client_id, refresh_token: token });
    expect(response.json().error).toBe('invalid_grant');
    const headers = basic(world.password_client);
    expect((await world.request({ path: '/oauth/revoke', headers, form: { token } })).statusCode).toBe(401);
  });

  it('leaves the token of another client alone, and does not tell that it exists', async () => {
    const { refresh_token } = await offline();
    const { client_id } = world.spa_client;
    const foreign = await revoke({ client_id, token: refresh_token });
    const unknown = await revoke({ client_id, token: 'v1.unknown' });
    expect([foreign.statusCode, foreign.body]).toEqual([unknown.statusCode, unknown.body]);
    expect((await refresh(refresh_token)).statusCode).toBe(200);
  });

  it('answers 200 for a token that is unknown, expired or revoked already', async () => {
    const { refresh_token } = await offline();
    for (const token of ['v1.unknown', refresh_token, refresh_token])
      expect((await revoke({ ...world.password_client, token })).statusCode).toBe(200);
  });

  it.each(['refresh_token', 'access_token', 'unheard_of', ''])(
    'finds the token whatever the hint %j says',
    async (hint) => {
      const { refresh_token } = await offline();
      await revoke({ ...world.password_client, token: refresh_token, token_type_hint: hint });
      expect((await refresh(refresh_token)).json().error).toBe('invalid_grant');
    },
  );

  it('needs a token, in the body of a POST', async () => {
    expect((await revoke({ ...world.password_client })).json()).toEqual({
      error: 'invalid_request',
      error_description: 'Missing required parameter: token',
    });
    const { refresh_token } = await offline();
    const query = new URLSearchParams({ ...world.password_client, token: refresh_token });
    for (const method of ['GET', 'POST'] as const)
      expect((await world.request({ method, path: `/oauth/revoke?${query}` })).statusCode).toBeGreaterThanOrEqual(400);
    expect((await refresh(refresh_token)).statusCode).toBe(200);
  });
});
