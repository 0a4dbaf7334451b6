import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailsTo } from '../../test/mails.ts';
import { created, createTestUser, decodeJwt, passwordGrant, refresh } from '../../test/protocol.ts';
import { startWorld, type World } from '../../test/world.ts';

const SECOND = 'second';
let world: World;
beforeAll(async () => {
  world = await startWorld();
  const enabled_clients = [world.password_client.client_id, world.spa_client.client_id];
  const options = { requires_username: true };
  await created(world.api().post('/connections', { name: SECOND, strategy: 'auth0', options, enabled_clients }));
});
afterAll(() => world.stop());

const PASSWORD = 'Horse-of-the-second-2';
let serial = 0;

/** A user of the main directory with a linked one of the second. */
async function linkedUser() {
  const name = `changing-${++serial}`;
  const main = await createTestUser(world, name);
  const linked = await created(
    world.api().post('/users', {
      connection: SECOND,
      email: `${name}@second.example.org`,
      username: name,
      password: PASSWORD,
      email_verified: true,
    }),
  );
  const path = `/users/${encodeURIComponent(main.id)}`;
  const [, identity] = (
    await world.api().post(`${path}/identities`, { provider: 'auth0', user_id: String(linked.user_id) })
  ).json();
  expect(identity.connection).toBe(SECOND);
  const patch = (body: Record<string, unknown>) => world.api().patch(path, body);
  return { ...main, path, patch, linkedEmail: `${name}@second.example.org`, username: name };
}

const logIn = (username: string, realm = SECOND, password = PASSWORD) =>
  passwordGrant(world, {
    grant_type: 'http://auth0.com/oauth/grant-type/password-realm',
    realm,
    username,
    password,
    scope: 'openid email offline_access',
  });

describe('PATCH /api/v2/users/{id} with the connection of a linked identity', () => {
  it('changes the address and the name by which it logs in, and the profile that it shows', async () => {
    const user = await linkedUser();
    const { refresh_token } = (await logIn(user.username)).json();
    const email = `new-${user.linkedEmail}`;
    const changed = await user.patch({ connection: SECOND, email, username: `new_${user.username}` });
    expect(changed.json()).toMatchObject({
      email: user.email,
      email_verified: true,
      identities: [
        { connection: world.connection },
        { connection: SECOND, profileData: { email, email_verified: false, username: `new_${user.username}` } },
      ],
    });
    expect(changed.json()).not.toHaveProperty('username');
    for (const name of [email, `new_${user.username}`])
      expect(decodeJwt((await logIn(name)).json().id_token).claims).toMatchObject({ sub: user.id, email: user.email });
    for (const name of [user.linkedEmail, user.username]) expect((await logIn(name)).statusCode).toBe(403);
    expect((await logIn(user.email, world.connection, user.password)).statusCode).toBe(200);
    expect((await refresh(world, refresh_token)).statusCode).toBe(403);
  });

  it('says whether its address is verified, and mails the link there', async () => {
    const user = await linkedUser();
    const answer = await user.patch({ connection: SECOND, email_verified: false, verify_email: true });
    expect(answer.json()).toMatchObject({
      email_verified: true,
      identities: [{}, { profileData: { email: user.linkedEmail, email_verified: false } }],
    });
    expect(await mailsTo(world, user.linkedEmail)).toHaveLength(1);
    expect(await mailsTo(world, user.email)).toEqual([]);
    const verified = await user.patch({ connection: SECOND, email_verified: true });
    expect(verified.json().identities[1].profileData.email_verified).toBe(true);
  });

  it('still changes everything else of the account', async () => {
    const user = await linkedUser();
    const answer = await user.patch({ connection: SECOND, nickname: 'Ada', user_metadata: { a: 1 }, blocked: true });
    expect(answer.json()).toMatchObject({ nickname: 'Ada', user_metadata: { a: 1 }, blocked: true, email: user.email });
    expect(answer.json().identities[1].profileData.nickname).not.toBe('Ada');
    expect((await logIn(user.username)).statusCode).toBe(403);
  });

  it('takes no address and no name that another user of that connection has, and no removal of what it needs', async () => {
    const [user, other] = [await linkedUser(), await linkedUser()];
    const before = (await world.api().get(user.path)).json();
    const refusals = [
      { email: other.linkedEmail },
      { username: other.username },
      { email: 'no address' },
      { username: null },
    ];
    for (const body of refusals) {
      const { statusCode } = await user.patch({ connection: SECOND, ...body });
      expect([400, 409]).toContain(statusCode);
    }
    expect((await user.patch({ connection: 'nowhere', email: 'a@example.org' })).statusCode).toBe(400);
    expect((await user.patch({ email: 'a@example.org' })).statusCode).toBe(400);
    expect((await world.api().get(user.path)).json()).toEqual(before);
  });

  it('keeps the changed profile when it becomes an account of its own again', async () => {
    const user = await linkedUser();
    const email = `own-${user.linkedEmail}`;
    await user.patch({ connection: SECOND, email, email_verified: true });
    const [, { user_id }] = (await world.api().get(user.path)).json().identities;
    await world.api().delete(`${user.path}/identities/auth0/${user_id}`);
    const own = (await world.api().get(`/users/${encodeURIComponent(`auth0|${user_id}`)}`)).json();
    expect(own).toMatchObject({ email, email_verified: true, username: user.username });
  });
});
