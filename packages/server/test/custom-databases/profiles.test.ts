import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkMailedTo } from '../mails.ts';
import { created, eventsOf } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { type CustomDirectory, createPersonDirectory, logInAt, TABLE, THEIR_PASSWORD } from './custom-directory.ts';

const NEW = 'A-quite-new-horse-9';
const IDP_TOKENS = 'read:user_idp_tokens';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const directoryOf = (profile: object, options: object = {}) => createPersonDirectory(world, profile, options);

describe('tokens of another system in a profile', () => {
  it('are kept on the identity, sealed, and shown to whoever may read them', async () => {
    const there = await directoryOf({ access_token: 'there-access', refresh_token: 'there-refresh' });
    await there.logIn();
    const plain = await there.read('read:users');
    expect(plain.identities[0]).toEqual({
      connection: there.name,
      provider: 'auth0',
      user_id: there.name,
      isSocial: false,
    });
    const whole = await there.read('read:users', IDP_TOKENS);
    expect(whole.identities[0]).toMatchObject({ access_token: 'there-access', refresh_token: 'there-refresh' });
    const [listed] = (await world.api('read:users', IDP_TOKENS).get(`/users?q=email:"${there.email}"`)).json();
    expect(listed.identities[0]).toMatchObject({ access_token: 'there-access' });
    const byEmail = await world.api('read:users', IDP_TOKENS).get(`/users-by-email?email=${there.email}`);
    expect(byEmail.body).not.toContain('there-access');
    const { rows } = await world.database.pool.query(
      `select to_jsonb(u) as person, to_jsonb(i) as identity, encode(i.idp_tokens, 'escape') as sealed
       from users u join user_identities i using (tenant_id, user_id) where i.identity_user_id = $1`,
      [there.name],
    );
    expect(JSON.stringify([rows, await world.events()])).not.toMatch(/there-(access|refresh)/);
  });

  it('follow each login: newer ones replace them, null takes them away, silence leaves them', async () => {
    const there = await directoryOf({ access_token: 'first' });
    const shown = async () => (await there.read('read:users', IDP_TOKENS)).identities[0].access_token;
    await there.logIn();
    await there.says({ access_token: 'second' });
    await there.logIn();
    expect(await shown()).toBe('second');
    await there.says({});
    await there.logIn();
    expect(await shown()).toBe('second');
    await there.says({ access_token: null });
    await there.logIn();
    expect(await shown()).toBeUndefined();
  });

  it('that are too long refuse the login', async () => {
    const there = await directoryOf({});
    const login = `function (email, password, callback) {
      callback(null, { user_id: 'long', email, access_token: 'x'.repeat(20000) });
    }`;
    await there.change({ customScripts: { login } });
    const refused = await logInAt(world, there.name, there.email, THEIR_PASSWORD);
    expect(refused.json()).toMatchObject({ error: 'access_denied' });
  });
});

describe('a user who comes from another database', () => {
  it.each([
    ['import', { import_mode: true }],
    ['remote', {}],
  ])('leaves an event at the first login and none later (%s)', async (mode, options) => {
    const there = await directoryOf({}, options);
    const [imported, ...others] = await eventsOf(world, () => there.logIn());
    expect(imported).toMatchObject({
      type: 'sui',
      user_id: `auth0|${there.name}`,
      user_name: there.email,
      connection: there.name,
      client_id: world.password_client.client_id,
      ip: expect.any(String),
      details: { mode },
    });
    expect(others.map(({ type }) => type)).toEqual(['sepft']);
    expect((await eventsOf(world, () => there.logIn())).map(({ type }) => type)).toEqual(['sepft']);
  });

  it('leaves one when a known user moves in, and when a reset is asked for by one who was never here', async () => {
    const moving = await directoryOf({});
    await moving.logIn();
    await moving.change({ import_mode: true });
    const types = (await eventsOf(world, () => moving.logIn())).map(({ type }) => type);
    expect(types).toEqual(['sui', 'sepft']);
    const silent = await directoryOf({});
    const asked = await eventsOf(world, () => reset(silent));
    expect(asked.map(({ type }) => type)).toEqual(['sui', 'scpr']);
  });

  it('is told to have no second factor here, where the profile brings mfa_factors', async () => {
    const there = await directoryOf({ mfa_factors: [{ phone: { value: '+15551234' } }] }, { import_mode: true });
    const events = await eventsOf(world, () => there.logIn());
    expect(events.map(({ type }) => type)).toEqual(['sui', 'w', 'sepft']);
    expect(events[1]).toMatchObject({
      description: expect.stringContaining('mfa_factors'),
      user_id: `auth0|${there.name}`,
    });
    expect(JSON.stringify(events)).not.toContain('+15551234');
  });
});

describe('what a later profile leaves out', () => {
  it('stays as it was, and null takes it away', async () => {
    const there = await directoryOf(
      {
        username: 'cust-1',
        name: 'Ann There',
        given_name: 'Ann',
        family_name: 'There',
        picture: 'https://there.test/ann.png',
        email_verified: true,
        groups: ['admins'],
        metadata: { plan: 'gold' },
      },
      { requires_username: true },
    );
    await there.logIn();
    const first = await there.read();
    expect(first).toMatchObject({ username: 'cust-1', app_metadata: { plan: 'gold' }, groups: ['admins'] });
    await there.says({});
    await there.logIn();
    const { groups: _gone, updated_at: _1, last_login: _2, logins_count: _3, ...kept } = first;
    expect(await there.read()).toMatchObject(kept);
    expect(await there.read()).not.toHaveProperty('groups');
    await there.says({ given_name: null, picture: null });
    await there.logIn();
    const last = await there.read();
    expect(last).toMatchObject({ family_name: 'There', name: 'Ann There' });
    for (const name of ['given_name', 'picture']) expect(last).not.toHaveProperty(name);
  });

  it('of name and picture has a default once: what an operator wrote is not overwritten', async () => {
    const there = await directoryOf({});
    await there.logIn();
    expect(await there.read()).toMatchObject({ name: there.email, nickname: there.name });
    await created(world.api().patch(`/users/${there.userId}`, { name: 'Somebody', picture: null }));
    await there.logIn();
    const after = await there.read();
    expect(after).toMatchObject({ name: 'Somebody' });
    expect(after).not.toHaveProperty('picture');
  });

  it('of an address proves none: email_verified counts for the address that the profile names', async () => {
    const there = await directoryOf({ username: 'cust-2' }, { requires_username: true });
    await there.logIn();
    await there.says({ username: 'cust-2', email: undefined, email_verified: true });
    const by = await logInAt(world, there.name, 'cust-2', THEIR_PASSWORD);
    expect(by.statusCode, by.body).toBe(200);
    expect(await there.read()).toMatchObject({ email: there.email, email_verified: false });
  });
});

describe('last_password_reset', () => {
  const RESET = '2020-02-03T04:05:06.000Z';

  it.each([
    ['true', undefined],
    [`{ last_password_reset: '${RESET}' }`, RESET],
    [`{ last_password_reset: new Date('${RESET}') }`, RESET],
    [`{ last_password_reset: 'last week' }`, undefined],
  ])('is when change_password says, where it answers %s', async (said, expected) => {
    const there = await directoryOf({});
    await there.logIn();
    const code = `function (email, password, callback) { callback(null, ${said}); }`;
    await there.change({ customScripts: { ...TABLE, change_password: code } });
    await reset(there);
    const visitor = world.visitor();
    const form = await visitor.follow(await visitor.get(await linkMailedTo(world, there.email)));
    await visitor.submit(form, { password: NEW, password_again: NEW });
    const { last_password_reset } = await there.read();
    if (expected) expect(last_password_reset).toBe(expected);
    else expect(Date.parse(last_password_reset)).toBeGreaterThan(Date.parse('2024-01-01'));
    // Whatever date it names: a login by now is a login with what is good there now.
    await there.logIn();
  });

  it('is taken from the profile of a login', async () => {
    const there = await directoryOf({ last_password_reset: RESET });
    await there.logIn();
    expect(await there.read()).toMatchObject({ last_password_reset: RESET });
  });
});

function reset({ name, email }: Pick<CustomDirectory, 'name'> & { readonly email: string }) {
  const json = { client_id: world.spa_client.client_id, connection: name, email };
  return world.request({ path: '/dbconnections/change_password', json });
}
