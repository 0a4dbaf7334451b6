import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createTestClient,
  createTestUser,
  enableDirectory,
  eventTypesOf,
  passwordGrant,
  refresh,
  type TestClient,
  userinfo,
} from '../../../test/protocol.ts';
import { startWorld, type World } from '../../../test/world.ts';

const API = 'https://api.example.com/';
const SCOPE = 'openid offline_access read:items write:items';
const REFUSED = { error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' };

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const obtain = async (login: Record<string, string>): Promise<string> =>
  (await passwordGrant(world, { audience: API, scope: SCOPE, ...login })).json().refresh_token;

describe('a refresh token is refused', () => {
  let user: Awaited<ReturnType<typeof createTestUser>>;
  let client: TestClient;
  let token: string;
  let count = 0;
  beforeEach(async () => {
    user = await createTestUser(world, `refresh-${++count}`);
    client = await createTestClient(world, {
      grant_types: ['password', 'refresh_token'],
      refresh_token: { rotation_type: 'rotating', expiration_type: 'expiring', leeway: 60 },
    });
    token = await obtain({ ...client, username: user.email, password: user.password });
    expect(token).toMatch(/^v1\.[A-Za-z0-9_-]{43}$/);
  });
  const refused = async (body: object) => {
    const types = await eventTypesOf(world, async () => {
      const response = await refresh(world, token, { ...client });
      expect(response.statusCode).toBe(403);
      expect(response.json()).toEqual(body);
    });
    expect(types).toEqual(['fertft']);
  };

  it('of a user who was deleted, with the text that SDKs know', async () => {
    await world.api().delete(`/users/${user.id}`);
    await refused({
      error: 'invalid_grant',
      error_description: "The refresh_token was generated for a user who doesn't exist anymore.",
    });
  });

  it('of a user who is blocked; it stays dead when the block ends', async () => {
    await world.api().patch(`/users/${user.id}`, { blocked: true });
    expect((await refresh(world, token, { ...client })).statusCode).toBe(403);
    await world.api().patch(`/users/${user.id}`, { blocked: false });
    await refused(REFUSED);
  });

  it('of a user whose password changed', async () => {
    await world.api().patch(`/users/${user.id}`, { password: 'Another-horse-9', connection: world.connection });
    await refused(REFUSED);
  });

  it('of a client that may not use the connection any more', async () => {
    await enableDirectory(world, client.client_id, false);
    await refused(REFUSED);
    await enableDirectory(world, client.client_id, true);
    expect((await refresh(world, token, { ...client })).statusCode).toBe(200);
  });

  it('after POST /oauth/revoke, which ends its access tokens at /userinfo too', async () => {
    const { access_token, refresh_token } = (await refresh(world, token, { ...client })).json();
    const types = await eventTypesOf(world, async () => {
      const response = await world.request({ path: '/oauth/revoke', json: { ...client, token: refresh_token } });
      expect([response.statusCode, response.body]).toEqual([200, '']);
    });
    expect(types).toEqual(['srrt']);
    await refused(REFUSED);
    expect((await userinfo(world, access_token)).statusCode).toBe(401);
  });

  it('from another client, and its own keeps it', async () => {
    const response = await refresh(world, token);
    expect(response.json()).toEqual(REFUSED);
    const revoked = await world.request({ path: '/oauth/revoke', json: { ...world.password_client, token } });
    expect([revoked.statusCode, revoked.body]).toEqual([200, '']);
    expect((await refresh(world, token, { ...client })).statusCode).toBe(200);
  });

  it('where the client lost the grant type', async () => {
    await world.api().patch(`/clients/${client.client_id}`, { grant_types: ['password'] });
    await refused({
      error: 'unauthorized_client',
      error_description: "Grant type 'refresh_token' not allowed for the client.",
    });
  });

  it("when it is somebody's invention", async () => {
    token = `v1.${'a'.repeat(43)}`;
    await refused(REFUSED);
  });
});
