import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { linkMailedTo, mailsTo, pathOf } from '../../test/mails.ts';
import { createTestUser, decodeJwt, eventsOf, passwordGrant, redeem, refresh } from '../../test/protocol.ts';
import { startWorld, type World } from '../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const NEW = 'A-quite-new-horse-9';
const ATTACKERS = 'Attackers-horse-666';

interface Login {
  readonly email: string;
  readonly password: string;
}

/** As a stranger: whose address it is, nobody has proved. */
async function signUp(email: string, password: string) {
  const json = { client_id: world.spa_client.client_id, connection: world.connection, email, password };
  const response = await world.request({ path: '/dbconnections/signup', json });
  expect(response.statusCode, response.body).toBe(200);
  return { email, password, id: `auth0|${response.json()._id}` };
}

const logIn = ({ email, password }: Login, changes: Record<string, string> = { scope: 'openid' }) =>
  passwordGrant(world, { username: email, password, ...changes });
const subjectOf = async (login: Login) => decodeJwt((await logIn(login)).json().id_token).claims.sub;

/** Links an account as users do: with a token of the one and a login of the other. */
async function link(primary: Login & { id: string }, secondary: Login, idToken?: string): Promise<number> {
  return (await prepareLink(primary, secondary, idToken))();
}

async function prepareLink(primary: Login & { id: string }, secondary: Login, idToken?: string) {
  const audience = `${world.issuer}api/v2/`;
  const { access_token } = (await logIn(primary, { audience, scope: 'update:current_user_identities' })).json();
  const request = {
    path: `/api/v2/users/${encodeURIComponent(primary.id)}/identities`,
    headers: { authorization: `Bearer ${access_token}` },
    json: { link_with: idToken ?? (await logIn(secondary)).json().id_token },
  };
  return async (): Promise<number> => (await world.request(request)).statusCode;
}

/** As the owner of the mailbox does it. */
async function resetOver(email: string, password = NEW): Promise<number> {
  const json = { client_id: world.spa_client.client_id, connection: world.connection, email };
  await world.request({ path: '/dbconnections/change_password', json });
  const visitor = world.visitor();
  const page = await visitor.follow(await visitor.get(await linkMailedTo(world, email)));
  return (await visitor.submit(page, { password, password_again: password })).statusCode;
}

const userOf = async (id: string) => (await world.api().get(`/users/${encodeURIComponent(id)}`)).json();
const resetMails = async (email: string) =>
  (await mailsTo(world, email)).filter(({ template }) => template === 'reset_email').length;

describe('an account that somebody made with the address of its later owner', () => {
  it.each([
    ['', async () => {}],
    [
      ', although the owner opened the link that proves the address',
      async (email: string) => {
        expect((await world.visitor().get(await linkMailedTo(world, email))).statusCode).toBe(200);
      },
    ],
  ])('is left to the owner by a reset over the mail: no linked login leads there%s', async (how, before) => {
    const victim = await signUp(`victim-${how.length}@example.org`, ATTACKERS);
    const trojan = await createTestUser(world, `trojan-${how.length}`);
    const visitor = world.visitor();
    expect(await link(victim, trojan)).toBe(201);
    expect(await subjectOf(trojan)).toBe(victim.id);
    const session = await visitor.logIn({ username: trojan.email, password: trojan.password });
    const { refresh_token } = (await redeem(world, session)).json();
    await before(victim.email);

    const [event] = await eventsOf(world, () => resetOver(victim.email)).then((events) =>
      events.filter(({ type }) => type === 'scp'),
    );
    expect(event).toMatchObject({ user_id: victim.id, details: { unlinked: [trojan.id] } });
    expect(await subjectOf({ email: victim.email, password: NEW })).toBe(victim.id);
    expect((await userOf(victim.id)).identities).toHaveLength(1);
    expect(await subjectOf(trojan)).toBe(trojan.id);
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('error')).toBe('login_required');
    const spa = { client_id: world.spa_client.client_id, client_secret: undefined };
    expect((await refresh(world, refresh_token, spa)).statusCode).toBe(403);
    expect((await logIn(victim)).statusCode).toBe(403);
  });

  it('is the owner’s own after a reset, where it was linked to the account of somebody else', async () => {
    const attacker = await createTestUser(world, 'attacker');
    const victim = await signUp('linked-away@example.org', ATTACKERS);
    const idToken = (await logIn(victim)).json().id_token;
    expect(await link(attacker, victim)).toBe(201);

    expect(await resetOver(victim.email)).toBe(200);
    expect(await resetMails(attacker.email)).toBe(0);
    expect(await subjectOf({ email: victim.email, password: NEW })).toBe(victim.id);
    expect(await userOf(victim.id)).toMatchObject({ email: victim.email, email_verified: true });
    expect((await userOf(attacker.id)).identities).toHaveLength(1);
    // An ID token of the time before leads it back to nobody.
    expect(await link(attacker, victim, idToken)).toBe(400);
    expect(await subjectOf({ email: victim.email, password: NEW })).toBe(victim.id);
  });

  it('is the owner’s own after a reset, where the account had another address before', async () => {
    const attacker = await createTestUser(world, 'moving');
    const trojan = await createTestUser(world, 'moved-trojan');
    expect(await link(attacker, trojan)).toBe(201);
    const email = 'moved-to-the-victim@example.org';
    await world.api().patch(`/users/${encodeURIComponent(attacker.id)}`, { email, connection: world.connection });
    expect(await resetOver(email)).toBe(200);
    expect(await subjectOf({ email, password: NEW })).toBe(attacker.id);
    expect(await subjectOf(trojan)).toBe(trojan.id);
  });

  it('is not linked by a request that was under way when its owner reset the password', async () => {
    const victim = await signUp('under-way@example.org', ATTACKERS);
    const trojan = await createTestUser(world, 'under-way-trojan');
    const sendLink = await prepareLink(victim, trojan);
    const { pool } = world.database;
    const reset = await pool.connect();
    let linking: Promise<number>;
    try {
      // What a reset does, as slowly as the attacker could wish.
      await reset.query('begin');
      await reset.query('select from users where user_id = $1 for no key update', [victim.id]);
      linking = sendLink();
      await vi.waitFor(async () => {
        const { rows } = await pool.query(
          "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
        );
        expect(rows).toHaveLength(1);
      }, 60_000);
      await reset.query('update users set email_verified = true where user_id = $1', [victim.id]);
      await reset.query('update token_grants set revoked_at = now() where user_id = $1', [victim.id]);
      await reset.query('commit');
    } finally {
      reset.release();
    }
    expect(await linking).toBe(401);
    expect((await userOf(victim.id)).identities).toHaveLength(1);
    expect(await subjectOf(trojan)).toBe(trojan.id);
  });

  it('loses a linked login whose id is somebody else’s by now, and is reset all the same', async () => {
    const victim = await signUp('taken-id@example.org', ATTACKERS);
    const trojan = await createTestUser(world, 'taken-id-trojan');
    await link(victim, trojan);
    const { pool } = world.database;
    await pool.query('insert into users (tenant_id, user_id) values ($1, $2)', [world.tenant, trojan.id]);
    expect(await resetOver(victim.email)).toBe(200);
    expect((await userOf(victim.id)).identities).toHaveLength(1);
    expect((await logIn(trojan)).statusCode).toBe(403);
  });
});

describe('accounts that were linked when both addresses were proved', () => {
  it('stay linked, and each password is reset over the address of its own identity', async () => {
    const [primary, secondary] = [await createTestUser(world, 'primary'), await createTestUser(world, 'secondary')];
    await world
      .api()
      .patch(`/users/${encodeURIComponent(primary.id)}`, { user_metadata: { secret: 'of the primary' } });
    await link(primary, secondary);

    expect(await resetOver(secondary.email, 'Second-new-horse-2')).toBe(200);
    expect([await resetMails(primary.email), await resetMails(secondary.email)]).toEqual([0, 1]);
    expect(await subjectOf({ ...secondary, password: 'Second-new-horse-2' })).toBe(primary.id);
    expect(await subjectOf(primary)).toBe(primary.id);

    expect(await resetOver(primary.email, 'First-new-horse-1')).toBe(200);
    expect(await subjectOf({ ...primary, password: 'First-new-horse-1' })).toBe(primary.id);
    expect(await subjectOf({ ...secondary, password: 'Second-new-horse-2' })).toBe(primary.id);
  });

  it('are proved one by one: a link for one address says nothing about the other', async () => {
    const primary = await signUp('main-of-two@example.org', 'Horse-of-the-main-1');
    const secondary = await signUp('other-of-two@example.org', 'Horse-of-the-other-2');
    await link(primary, secondary);
    const [, identity] = (await userOf(primary.id)).identities;
    const ticket = await world.api().post('/tickets/email-verification', {
      user_id: primary.id,
      identity: { provider: identity.provider, user_id: identity.user_id },
      result_url: 'https://app.example.org/verified',
    });
    expect(ticket.statusCode, ticket.body).toBe(201);
    const opened = await world.visitor().get(pathOf(ticket.json().ticket));
    expect(new URL(String(opened.headers.location)).searchParams.get('email')).toBe(secondary.email);
    expect(await userOf(primary.id)).toMatchObject({
      email: primary.email,
      email_verified: false,
      identities: [{}, { profileData: { email: secondary.email, email_verified: true } }],
    });
    const job = { user_id: primary.id, identity: { provider: identity.provider, user_id: identity.user_id } };
    expect((await world.api().post('/jobs/verification-email', job)).statusCode).toBe(201);
    expect(await mailsTo(world, secondary.email)).toHaveLength(2);
    expect(await mailsTo(world, primary.email)).toHaveLength(1);
  });

  it('are found by their own address for an operator’s ticket, which marks no other address as verified', async () => {
    const primary = await signUp('ticket-main@example.org', 'Horse-of-the-main-1');
    const secondary = await createTestUser(world, 'ticket-other');
    await link(primary, secondary);
    const [directory] = (await world.api().get(`/connections?name=${world.connection}`)).json();
    const body = { email: secondary.email, connection_id: directory.id, mark_email_as_verified: true };
    const ticket = await world.api().post('/tickets/password-change', body);
    expect(ticket.statusCode, ticket.body).toBe(201);
    const visitor = world.visitor();
    const page = await visitor.follow(await visitor.get(pathOf(ticket.json().ticket)));
    expect(page.body).toContain(secondary.email);
    expect((await visitor.submit(page, { password: NEW, password_again: NEW })).statusCode).toBe(200);
    expect(await subjectOf({ ...secondary, password: NEW })).toBe(primary.id);
    expect(await subjectOf(primary)).toBe(primary.id);
    expect((await userOf(primary.id)).email_verified).toBe(false);
  });
});
