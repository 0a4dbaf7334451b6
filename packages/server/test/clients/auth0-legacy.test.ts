import { AuthenticationClient, ManagementClient, UserInfoClient } from 'auth0/legacy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { trustAuthority } from './trust-authority.ts';

let server: ServerProcess;
let domain: string;
let authentication: AuthenticationClient;
let management: ManagementClient;
beforeAll(async () => {
  server = await startServerProcess();
  trustAuthority(server.caFile);
  domain = new URL(server.origin).host;
  const { client_id: clientId, client_secret: clientSecret } = server.firstRun.password_client;
  authentication = new AuthenticationClient({ domain, clientId, clientSecret });
  const machine = server.firstRun.management;
  management = new ManagementClient({ domain, clientId: machine.client_id, clientSecret: machine.client_secret });
});
afterAll(() => server?.stop());

describe('auth0/legacy (4)', () => {
  it('logs in with a password, reads the profile, renews, and revokes', async () => {
    const { email: username, password } = server.firstRun.user;
    const { data: tokens } = await authentication.oauth.passwordGrant({
      username,
      password,
      scope: 'openid profile email offline_access',
    });
    const userInfo = new UserInfoClient({ domain });
    expect((await userInfo.getUserInfo(tokens.access_token)).data).toMatchObject({ email: username });
    const { data: renewed } = await authentication.oauth.refreshTokenGrant({
      refresh_token: tokens.refresh_token ?? '',
    });
    expect((await userInfo.getUserInfo(renewed.access_token)).status).toBe(200);
    await authentication.oauth.revokeRefreshToken({ token: renewed.refresh_token ?? '' });
    await expect(
      authentication.oauth.refreshTokenGrant({ refresh_token: renewed.refresh_token ?? '' }),
    ).rejects.toMatchObject({ statusCode: 403, error: 'invalid_grant' });
  });

  it('tells a wrong password in the words that applications compare', async () => {
    const { email: username } = server.firstRun.user;
    await expect(authentication.oauth.passwordGrant({ username, password: 'wrong' })).rejects.toMatchObject({
      statusCode: 403,
      error: 'invalid_grant',
      error_description: 'Wrong email or password.',
    });
  });

  it('gets a machine token for an API', async () => {
    const { identifier: audience } = server.firstRun.api;
    const { data } = await authentication.oauth.clientCredentialsGrant({ audience });
    expect(data).toMatchObject({ token_type: 'Bearer', expires_in: expect.any(Number) });
  });

  it('signs up and asks for a new password at the database endpoints', async () => {
    const { connection } = server.firstRun;
    const email = 'legacy@example.com';
    const { data } = await authentication.database.signUp({ connection, email, password: 'Correct horse 1' });
    expect(data).toMatchObject({ email, email_verified: false });
    const { data: sentence } = await authentication.database.changePassword({ connection, email });
    expect(sentence).toBe("We've just sent you an email to reset your password.");
  });

  it('lists as bare arrays and with totals, creates, changes and deletes', async () => {
    const { data: users } = await management.users.getAll();
    expect(users).toMatchObject(expect.arrayContaining([expect.objectContaining({ user_id: expect.any(String) })]));
    const { data: page } = await management.clients.getAll({ include_totals: true, per_page: 2 });
    expect(page).toMatchObject({ start: 0, limit: 2, clients: [expect.anything(), expect.anything()] });
    const { data: role } = await management.roles.create({ name: 'clerk' });
    const { data: changed } = await management.roles.update({ id: role.id }, { description: 'at the counter' });
    expect(changed).toMatchObject({ name: 'clerk', description: 'at the counter' });
    await management.roles.delete({ id: role.id });
    await expect(management.roles.get({ id: role.id })).rejects.toMatchObject({ statusCode: 404 });
    const { data: logs } = await management.logs.getAll({ take: 5 });
    expect(logs.length).toBeGreaterThan(0);
  });
});
