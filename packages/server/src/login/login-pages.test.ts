import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestClient, createTestUser, eventsOf, eventTypesOf } from '../../test/protocol.ts';
import type { Visitor } from '../../test/visitor.ts';
import { CALLBACK } from '../../test/visitor.ts';
import { startWorld, type World } from '../../test/world.ts';
import { createPasswordAuthentication } from '../users/password-authentication.ts';

type Page = Awaited<ReturnType<Visitor['get']>>;

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const stateOf = (page: Page) => /name="state" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
const csrfOf = (page: Page) => /name="_csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
/** The posted form of a login page, complete and right. */
const form = (page: Page, changes: Record<string, string> = {}) => ({
  state: stateOf(page),
  _csrf: csrfOf(page),
  username: world.user.email,
  password: world.user.password,
  ...changes,
});
const countSessions = async () => (await world.database.pool.query('select count(*) from sessions')).rows[0].count;

/** What a person who was refused sees, and what stays as it was. */
async function expectRefused(attempt: () => Promise<Page>, status: number, expected = ['f']): Promise<void> {
  const sessions = await countSessions();
  const types = await eventTypesOf(world, async () => {
    const response = await attempt();
    expect(response.statusCode).toBe(status);
    expect(response.headers['content-type']).toContain('text/html');
    expect(response.headers).not.toHaveProperty('set-cookie');
    expect(response.headers).not.toHaveProperty('location');
  });
  expect(types).toEqual(expected);
  expect(await countSessions()).toBe(sessions);
}

describe('a login form', () => {
  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['without the token of our page', { _csrf: '' }, {}],
    ['with an invented token', { _csrf: 'a'.repeat(43) }, {}],
    ['from another site', {}, { origin: 'https://evil.example.com' }],
    ['from a page that hides where it is', {}, { origin: 'null' }],
    ['from another port', {}, { origin: 'https://localhost:9999' }],
    ['from http', {}, { origin: 'http://localhost:3443' }],
  ])('%s is refused, though all else is right', async (_what, changes, headers) => {
    const visitor = world.visitor();
    const { response } = await visitor.authorize();
    await expectRefused(() => visitor.post('/u/login', form(response, changes), headers), 403);
  });

  it('with the token of another login of the same browser is refused', async () => {
    const visitor = world.visitor();
    const [one, other] = [await visitor.authorize(), await visitor.authorize()];
    await expectRefused(() => visitor.post('/u/login', form(one.response, { _csrf: csrfOf(other.response) })), 403);
  });

  it('of another browser is refused: neither state nor token are good without its cookie', async () => {
    const victim = world.visitor();
    const attacker = world.visitor();
    const { response } = await attacker.authorize();
    await expectRefused(() => victim.post('/u/login', form(response)), 400);
    await victim.authorize();
    await expectRefused(() => victim.post('/u/login', form(response)), 400);
    expect((await victim.get(`/u/login?state=${stateOf(response)}`)).statusCode).toBe(400);
    expect((await victim.get(`/authorize/resume?state=${stateOf(response)}`)).statusCode).toBe(400);
  });

  it('that comes twice logs in once', async () => {
    const visitor = world.visitor();
    const { response } = await visitor.authorize();
    const fields = form(response);
    expect((await visitor.post('/u/login', fields)).statusCode).toBe(303);
    await expectRefused(() => visitor.post('/u/login', fields), 400);
    const resumed = await visitor.get(`/authorize/resume?state=${fields.state}`);
    expect(resumed.headers.location).toContain(`${CALLBACK}?code=`);
    const again = await visitor.get(`/authorize/resume?state=${fields.state}`);
    expect(again.statusCode).toBe(400);
    expect(again.body).not.toContain('code=');
  });

  it('that comes twenty times at once logs in once', async () => {
    const visitor = world.visitor();
    const { response } = await visitor.authorize();
    const fields = form(response);
    const sessions = Number(await countSessions());
    const answers = await Promise.all(Array.from({ length: 20 }, () => visitor.post('/u/login', fields)));
    expect(answers.filter(({ statusCode }) => statusCode === 303)).toHaveLength(1);
    expect(Number(await countSessions())).toBe(sessions + 1);
  });

  it('is over after an hour', async () => {
    const visitor = world.visitor();
    const { response } = await visitor.authorize();
    world.advance(3_600_000);
    await expectRefused(() => visitor.post('/u/login', form(response)), 400);
  });

  it('of another tenant is refused', async () => {
    const other = await world.createTenant('other');
    const visitor = world.visitor();
    const { response } = await visitor.authorize();
    const stranger = world.visitor(other);
    for (const [name, value] of visitor.cookies) stranger.cookies.set(name.replace('gw-dev', 'gw-other'), value);
    expect((await stranger.post('/u/login', form(response))).statusCode).toBe(400);
  });

  it.each<[string, Record<string, string>]>([
    ['no address', { username: '' }],
    ['no password', { password: '' }],
    ['an address without an end', { username: `${'a'.repeat(400)}@example.org` }],
  ])('with %s comes back without a login', async (_what, changes) => {
    const visitor = world.visitor();
    const { response } = await visitor.authorize();
    const page = await visitor.post('/u/login', form(response, changes));
    expect(page.statusCode).toBe(400);
    expect(page.body).toContain('action="/u/login');
  });

  it('with a NUL or a repeated field, which no page of ours sends, is refused without an event', async () => {
    const visitor = world.visitor();
    const { response } = await visitor.authorize();
    await expectRefused(() => visitor.post('/u/login', form(response, { username: 'a\0b' })), 400, []);
    const cookie = [...visitor.cookies].map((pair) => pair.join('=')).join('; ');
    const body = `${new URLSearchParams(form(response))}&username=other`;
    const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded' };
    await expectRefused(() => world.request({ method: 'POST', path: '/u/login', body, headers }), 400, []);
  });
});

describe('whether an account exists', () => {
  it('is told by no status, no header and no letter of the login page', async () => {
    const unknown = `${'x'.repeat(world.user.email.length - '@example.org'.length)}@example.org`;
    const page = async (username: string) => {
      const visitor = world.visitor();
      const { response } = await visitor.authorize();
      const fields = form(response, { username, password: 'Wrong-password-1' });
      const answer = await visitor.post('/u/login', fields);
      return {
        status: answer.statusCode,
        headers: { ...answer.headers, 'x-auth0-requestid': '', date: '' },
        body: answer.body
          .replaceAll(fields.state, 'STATE')
          .replaceAll(fields._csrf, 'CSRF')
          .replaceAll(username, 'NAME'),
        length: answer.body.length,
      };
    };
    const known = await page(world.user.email);
    expect(known.status).toBe(400);
    expect(known.body).toContain('NAME');
    expect(await page(unknown)).toEqual(known);
    const noPassword = await createTestUser(world, 'blocked');
    await world.api().patch(`/users/${noPassword.id}`, { blocked: true });
    const blocked = await page(noPassword.email);
    expect(blocked.body).toBe(known.body);
  });

  it('is told by no answer of the password grant', async () => {
    const ask = (username: string) =>
      world.token({ grant_type: 'password', ...world.password_client, username, password: 'Wrong-password-1' });
    const [known, unknown] = [await ask(world.user.email), await ask('nobody@example.org')];
    expect([unknown.statusCode, unknown.body]).toEqual([known.statusCode, known.body]);
    expect(Object.keys(unknown.headers)).toEqual(Object.keys(known.headers));
  });

  it('is one hash operation in each case', async () => {
    const calls: (string | undefined)[] = [];
    const authenticate = createPasswordAuthentication({
      users: world.app.stores.users,
      passwords: world.app.stores.passwords,
      hasher: {
        hash: async () => 'never',
        verify: async (_tenant, _password, stored) => {
          calls.push((typeof stored === 'function' ? await stored() : stored) && 'stored');
          return { valid: false, outdated: false };
        },
      },
    });
    const connection = await world.app.stores.connections.findByName(world.tenant, world.connection);
    if (!connection) throw new Error('The directory is missing.');
    for (const name of [world.user.email, 'nobody@example.org', '', 'no address at all', 'ä'.repeat(300)])
      await authenticate({ tenantId: world.tenant }, connection, name, 'wrong');
    expect(calls).toEqual(['stored', undefined, undefined, undefined, undefined]);
  });
});

describe('a blocked user', () => {
  it('is told so after the right password alone, at the application', async () => {
    const user = await createTestUser(world, 'barred');
    await world.api().patch(`/users/${user.id}`, { blocked: true });
    const visitor = world.visitor();
    const { response } = await visitor.authorize();
    const [event, ...others] = await eventsOf(world, async () => {
      const answer = await visitor.submit(response, { username: user.email, password: user.password });
      const { searchParams } = new URL(String(answer.headers.location));
      expect(Object.fromEntries(searchParams)).toMatchObject({
        error: 'unauthorized',
        error_description: 'user is blocked',
        state: 'some-state',
      });
    });
    expect(others).toEqual([]);
    expect(event).toMatchObject({ type: 'f', user_id: user.id, user_name: user.email, connection: world.connection });
  });
});

describe('a login whose application changed meanwhile', () => {
  const begin = async () => {
    const client = await createTestClient(world, { callbacks: [CALLBACK], grant_types: ['authorization_code'] });
    const visitor = world.visitor();
    const { response } = await visitor.authorize({ client_id: client.client_id });
    return { client, visitor, page: response };
  };

  it('ends on a page where its redirect URI was removed', async () => {
    const { client, visitor, page } = await begin();
    await world.api().patch(`/clients/${client.client_id}`, { callbacks: ['https://app.example.com/'] });
    await expectRefused(() => visitor.post('/u/login', form(page)), 403);
  });

  it('ends on a page where that happened between the login and its answer', async () => {
    const { client, visitor, page } = await begin();
    const answer = await visitor.post('/u/login', form(page));
    await world.api().patch(`/clients/${client.client_id}`, { callbacks: ['https://app.example.com/'] });
    await expectRefused(() => visitor.get(String(answer.headers.location)), 403);
  });

  it('ends on a page where the client was deleted', async () => {
    const { client, visitor, page } = await begin();
    await world.api().delete(`/clients/${client.client_id}`);
    await expectRefused(() => visitor.post('/u/login', form(page)), 400);
  });

  it('ends at the application where its grant type or connection was taken away', async () => {
    const { client, visitor, page } = await begin();
    await world.api().patch(`/clients/${client.client_id}`, { grant_types: ['password'] });
    const types = await eventTypesOf(world, async () => {
      const answer = await visitor.post('/u/login', form(page));
      expect(String(answer.headers.location)).toContain(`${CALLBACK}?error=unauthorized_client`);
    });
    expect(types).toEqual(['f']);
  });
});
