import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createTestClient,
  createTestUser,
  decodeJwt,
  eventsOf,
  eventTypesOf,
  passwordGrant,
  redeem,
  type TestClient,
} from '../../../test/protocol.ts';
import type { Visitor } from '../../../test/visitor.ts';
import { startWorld, type World, type WorldTenant } from '../../../test/world.ts';

const BYE = 'https://app.example.com/bye';

let world: World;
let client: TestClient;
let other: WorldTenant;
beforeAll(async () => {
  world = await startWorld();
  other = await world.createTenant('other');
  client = await createTestClient(world, { allowed_logout_urls: [BYE, 'https://app.example.com/second'] });
  await world.api().patch(`/clients/${world.spa_client.client_id}`, { allowed_logout_urls: [BYE] });
  await world.api().patch('/tenants/settings', { allowed_logout_urls: ['https://tenant.example.com/'] });
});
afterAll(() => world.stop());

const path = (parameters: Record<string, string>) => `/oidc/logout?${new URLSearchParams(parameters)}`;
const isLoggedIn = async (visitor: Visitor) =>
  (await visitor.authorize({ prompt: 'none' })).answer?.get('code') !== null;

async function loggedIn(user?: { email: string; password: string }) {
  const visitor = world.visitor();
  const login = await visitor.logIn(user && { username: user.email, password: user.password });
  const tokens = (await redeem(world, login)).json();
  return { visitor, idToken: String(tokens.id_token), sid: String(decodeJwt(tokens.id_token).claims.sid) };
}

describe('GET /oidc/logout', () => {
  it('with an ID token of the session ends it at once and returns with the state', async () => {
    const { visitor, idToken, sid } = await loggedIn();
    const [event, ...others] = await eventsOf(world, async () => {
      const query = { id_token_hint: idToken, post_logout_redirect_uri: `${BYE}?a=b#c`, state: 'x y&z' };
      const response = await visitor.get(path(query));
      expect([response.statusCode, response.headers.location]).toEqual([302, `${BYE}?a=b&state=x+y%26z#c`]);
      expect(response.cookies.map(({ value }) => value)).toEqual(['', '']);
    });
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      type: 'slo',
      client_id: world.spa_client.client_id,
      details: { session_id: sid, return_to: expect.stringContaining(BYE) },
    });
    expect(JSON.stringify(event)).not.toContain(idToken);
    expect(await isLoggedIn(visitor)).toBe(false);
  });

  it('accepts an ID token that has expired', async () => {
    const { visitor, idToken } = await loggedIn();
    world.advance(11 * 3_600_000);
    const response = await visitor.get(path({ id_token_hint: idToken, post_logout_redirect_uri: BYE }));
    expect(response.headers.location).toBe(BYE);
    expect(await isLoggedIn(visitor)).toBe(false);
  });

  it("accepts the session's id as logout_hint, and both together", async () => {
    const first = await loggedIn();
    const query = { logout_hint: first.sid, client_id: client.client_id, post_logout_redirect_uri: BYE };
    expect((await first.visitor.get(path(query))).headers.location).toBe(BYE);
    expect(await isLoggedIn(first.visitor)).toBe(false);
    const second = await loggedIn();
    await second.visitor.get(path({ logout_hint: second.sid, id_token_hint: second.idToken }));
    expect(await isLoggedIn(second.visitor)).toBe(false);
  });

  it('accepts an ID token without a session that is of the same user', async () => {
    const { visitor } = await loggedIn();
    const { id_token } = (await passwordGrant(world, { scope: 'openid' })).json();
    await visitor.get(path({ id_token_hint: id_token }));
    expect(await isLoggedIn(visitor)).toBe(false);
  });

  it('takes the same as a posted form', async () => {
    const { visitor, idToken } = await loggedIn();
    const response = await visitor.post('/oidc/logout', { id_token_hint: idToken, post_logout_redirect_uri: BYE });
    expect([response.statusCode, response.headers.location]).toEqual([303, BYE]);
    expect(await isLoggedIn(visitor)).toBe(false);
  });

  it.each<[string, () => Record<string, string>, string | undefined]>([
    ['the first address of the client that is named', () => ({ client_id: client.client_id }), BYE],
    [
      'the address of the tenant',
      () => ({ post_logout_redirect_uri: 'https://tenant.example.com/' }),
      'https://tenant.example.com/',
    ],
    ['no address', () => ({ federated: '' }), undefined],
  ])('without a session goes on to %s', async (_what, parameters, location) => {
    const response = await world.visitor().get(path(parameters()));
    expect([response.statusCode, response.headers.location]).toEqual([location ? 302 : 200, location]);
  });
});

describe('the question before a logout', () => {
  const ask = (visitor: Visitor, more: Record<string, string> = {}) =>
    visitor.get(path({ client_id: client.client_id, post_logout_redirect_uri: BYE, state: '<s>', ...more }), {
      accept: 'text/html',
    });

  it('comes where nothing shows that the application knows the session', async () => {
    const { visitor } = await loggedIn();
    const page = await ask(visitor, { federated: '1' });
    expect(page.body).toContain('name="federated"');
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.body).toContain(world.user.email);
    expect(await isLoggedIn(visitor)).toBe(true);
    const done = await visitor.submit(page, { action: 'accept' });
    expect([done.statusCode, done.headers.location]).toEqual([303, `${BYE}?state=%3Cs%3E`]);
    expect(await isLoggedIn(visitor)).toBe(false);
  });

  it('can be answered with no', async () => {
    const { visitor } = await loggedIn();
    const page = await visitor.submit(await ask(visitor), { action: 'decline' });
    expect([page.statusCode, page.headers.location]).toEqual([200, undefined]);
    expect(page.body).toContain('still logged in');
    expect(await isLoggedIn(visitor)).toBe(true);
  });

  it('comes in the language that was asked for', async () => {
    const { visitor } = await loggedIn();
    await world.api().patch('/tenants/settings', { enabled_locales: ['en', 'de'] });
    expect((await visitor.get(path({ ui_locales: 'de' }))).body).toContain('Angemeldet bleiben');
    await world.api().patch('/tenants/settings', { enabled_locales: ['en'] });
  });

  it('does not come where the tenant switched it off', async () => {
    const { visitor } = await loggedIn();
    await world.api().patch('/tenants/settings', { sessions: { oidc_logout_prompt_enabled: false } });
    const response = await ask(visitor);
    await world.api().patch('/tenants/settings', { sessions: { oidc_logout_prompt_enabled: true } });
    expect(response.statusCode).toBe(302);
    expect(await isLoggedIn(visitor)).toBe(false);
  });

  it.each<[string, (form: Record<string, string>) => Record<string, string>, Record<string, string>]>([
    ['without the token of the page', ({ _csrf, ...form }) => form, {}],
    ['with the token of another session', (form) => ({ ...form, _csrf: 'x'.repeat(43) }), {}],
    ['from another site', (form) => form, { origin: 'https://evil.example' }],
    ['from nowhere', (form) => form, { origin: 'null' }],
    ['with another address', (form) => ({ ...form, post_logout_redirect_uri: 'https://evil.example/' }), {}],
  ])('is not answered by a form %s', async (_what, change, headers) => {
    const { visitor } = await loggedIn();
    const page = await ask(visitor);
    const csrf = /name="_csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
    const form = { action: 'accept', client_id: client.client_id, post_logout_redirect_uri: BYE, _csrf: csrf };
    const types = await eventTypesOf(world, async () => {
      const response = await visitor.post('/u/logout', change(form), headers);
      expect([response.statusCode, response.headers.location]).toEqual([expect.toBeOneOf([400, 403]), undefined]);
    });
    expect(types).toEqual(['flo']);
    expect(await isLoggedIn(visitor)).toBe(true);
  });
});

describe('a hint that is not right', () => {
  it("of somebody else's session ends nobody's without a question", async () => {
    const victim = await loggedIn(await createTestUser(world, 'victim'));
    const attacker = await loggedIn();
    const { id_token } = (await passwordGrant(world, { scope: 'openid' })).json();
    for (const hint of [
      { id_token_hint: attacker.idToken },
      { id_token_hint: id_token },
      { logout_hint: attacker.sid },
    ]) {
      const response = await victim.visitor.get(path(hint), { accept: 'text/html' });
      expect([response.statusCode, response.headers.location]).toEqual([200, undefined]);
      expect(response.body).toContain('name="_csrf"');
    }
    expect(await isLoggedIn(victim.visitor)).toBe(true);
    expect(await isLoggedIn(attacker.visitor)).toBe(true);
  });

  it('is refused on a page, recorded, and ends nothing', async () => {
    const { visitor, idToken, sid } = await loggedIn();
    const foreign = await world.visitor(other).logIn();
    const foreignTokens = await world.token(
      {
        grant_type: 'authorization_code',
        client_id: other.spa_client.client_id,
        code: foreign.code,
        code_verifier: foreign.verifier,
        redirect_uri: 'http://localhost:5555/callback',
      },
      other,
    );
    const { claims } = decodeJwt(idToken);
    const accessToken = (
      await passwordGrant(world, { audience: `${world.issuer}api/v2/`, scope: 'read:current_user' })
    ).json().access_token;
    const [head = '', , signature = ''] = idToken.split('.');
    const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'auth0|other' })).toString('base64url');
    const hints: Record<string, string>[] = [
      { id_token_hint: 'no token' },
      { id_token_hint: foreignTokens.json().id_token },
      { id_token_hint: accessToken },
      { id_token_hint: `${head}.${changed}.${signature}` },
      { id_token_hint: new UnsecuredJWT(claims).encode() },
      {
        id_token_hint: await new SignJWT(claims)
          .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
          .sign(Buffer.from('x'.repeat(32))),
      },
      { id_token_hint: idToken, client_id: client.client_id },
      { id_token_hint: idToken, logout_hint: 'another' },
      { id_token_hint: idToken, post_logout_redirect_uri: 'https://app.example.com/second' },
      { logout_hint: sid, client_id: 'unknown' },
      { client_id: client.client_id, post_logout_redirect_uri: 'https://evil.example/' },
      { post_logout_redirect_uri: BYE },
    ];
    for (const hint of hints) {
      const types = await eventTypesOf(world, async () => {
        const response = await visitor.get(path(hint));
        expect([hint, response.statusCode, response.headers.location]).toEqual([hint, 400, undefined]);
        expect(response.headers).not.toHaveProperty('set-cookie');
      });
      expect([hint, types]).toEqual([hint, ['flo']]);
    }
    expect(await isLoggedIn(visitor)).toBe(true);
  });
});

describe('discovery', () => {
  const discovered = async () => (await world.request({ path: '/.well-known/openid-configuration' })).json();

  it('names the endpoint unless the tenant hides it, and back-channel logout', async () => {
    expect(await discovered()).toMatchObject({
      end_session_endpoint: `${world.origin}/oidc/logout`,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    });
    await world.api().patch('/tenants/settings', {
      oidc_logout: { rp_logout_end_session_endpoint_discovery: false },
    });
    expect(await discovered()).not.toHaveProperty('end_session_endpoint');
  });
});
