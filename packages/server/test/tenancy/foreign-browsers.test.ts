import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pathOf } from '../mails.ts';
import { CALLBACK } from '../visitor.ts';
import { startWorld, type World, type WorldTenant } from '../world.ts';
import { cookiesOf, createForeignRequests, type ForeignRequests, loginOf, renamed } from './foreign-requests.ts';
import { BROWSER_ROUTES } from './protocol-routes.ts';
import { rowsOf } from './tenant-rows.ts';

/** Pages of a login under way. */
const FORMS = ['/u/login', '/u/signup', '/u/reset-password/request', '/u/login-select-account', '/u/consent'];

let world: World;
let acme: WorldTenant;
let dev: ForeignRequests;
beforeAll(async () => {
  world = await startWorld();
  acme = await world.createTenant('acme');
  dev = createForeignRequests(world);
});
afterAll(() => world.stop());

describe('a browser of another tenant', () => {
  const sign = { username: 'someone@example.com', email: 'someone@example.com', password: 'Correct horse 4 battery' };

  it('is not logged in here, by the cookie under its own name and under ours', async () => {
    const visitor = world.visitor(acme);
    await visitor.logIn();
    const before = await rowsOf(world.database.pool, 'acme');
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: world.spa_client.client_id,
      redirect_uri: CALLBACK,
      scope: 'openid',
      prompt: 'none',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    });
    for (const cookie of [cookiesOf(visitor.cookies), renamed(visitor.cookies)]) {
      const response = await dev.ask({ path: `/authorize?${query}`, headers: { cookie } });
      expect(new URL(String(response.headers.location)).searchParams.get('error')).toBe('login_required');
      await dev.ask({ path: '/v2/logout', headers: { cookie } });
      await dev.ask({ path: '/oidc/logout', headers: { cookie } });
      await dev.ask({ path: '/oidc/logout', headers: { cookie }, form: {} });
      await dev.ask({ path: '/u/logout', headers: { cookie }, form: { action: 'accept' } });
      expect((await dev.ask({ path: '/user/ssodata', headers: { cookie } })).json()).toEqual({ sso: false });
    }
    expect(await rowsOf(world.database.pool, 'acme')).toEqual(before);
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('code')).toBeTruthy();
  });

  it('goes on with no login that it began there', async () => {
    const visitor = world.visitor(acme);
    const begun = await visitor.authorize();
    const state = /name="state" value="([^"]+)"/.exec(begun.response.body)?.[1] ?? '';
    const csrf = /name="_csrf" value="([^"]+)"/.exec(begun.response.body)?.[1] ?? '';
    expect([state, csrf]).not.toContain('');
    for (const cookie of [cookiesOf(visitor.cookies), renamed(visitor.cookies)]) {
      for (const path of [...FORMS, '/authorize/resume', '/continue']) {
        const page = await dev.ask({ path: `${path}?state=${state}`, headers: { cookie } });
        expect([path, page.statusCode, page.headers.location]).toEqual([path, 400, undefined]);
      }
      for (const path of [...FORMS, '/continue']) {
        const headers = { cookie, origin: world.main.origin };
        const form = { state, _csrf: csrf, ...sign };
        const page = await dev.ask({ path, form, headers });
        expect([path, page.statusCode, page.headers.location]).toEqual([path, 400, undefined]);
      }
    }
    expect((await world.api().get(`/users-by-email?email=${sign.email}`)).json()).toEqual([]);
    const response = await visitor.follow(
      await visitor.submit(begun.response, { username: acme.user.email, password: acme.user.password }),
    );
    expect(String(response.headers.location)).toContain('code=');
  });

  it('knows a person by the password of one tenant only', async () => {
    const response = await dev.askToken({ grant_type: 'password', ...world.password_client, ...loginOf(acme) });
    expect([response.statusCode, response.json().error_description]).toEqual([403, 'Wrong email or password.']);
  });
});

describe('a link of another tenant', () => {
  it('opens nothing here, in the address or in the cookie, and still works at home', async () => {
    const person = await (
      await world.apiAt(acme).post('/users', {
        connection: acme.connection,
        email: 'linked@example.com',
        password: 'Correct horse 6 battery',
      })
    ).json();
    const ticketOf = async (kind: string) =>
      (await world.apiAt(acme).post(`/tickets/${kind}`, { user_id: person.user_id })).json().ticket;
    const verification = pathOf(await ticketOf('email-verification'));
    const reset = pathOf(await ticketOf('password-change'));
    const before = await rowsOf(world.database.pool, 'acme');
    expect((await dev.ask({ path: verification })).statusCode).toBe(400);
    expect((await dev.ask({ path: reset })).statusCode).toBe(400);
    const cookie = `__Host-gw-dev-recovery=${reset.split('ticket=')[1]}`;
    const form = { password: 'Correct horse 7 battery', password_again: 'Correct horse 7 battery', _csrf: 'x' };
    for (const path of ['/u/reset-password/change']) {
      expect((await dev.ask({ path, headers: { cookie } })).statusCode).toBe(400);
      expect((await dev.ask({ path, form, headers: { cookie, origin: world.main.origin } })).statusCode).toBe(400);
    }
    expect(await rowsOf(world.database.pool, 'acme')).toEqual(before);
    expect((await world.request({ path: reset, tenant: acme })).statusCode).toBe(303);
    expect((await world.request({ path: verification, tenant: acme })).statusCode).toBe(200);
  });
});

describe('/dbconnections', () => {
  it('knows neither clients nor people of another tenant, and opens itself to no page of theirs', async () => {
    const { client_id } = acme.spa_client;
    const body = { client_id, connection: acme.connection, email: acme.user.email };
    const before = await rowsOf(world.database.pool, 'acme');
    for (const path of ['/dbconnections/signup', '/dbconnections/change_password']) {
      const foreign = { ...body, password: 'Correct horse 8 battery' };
      expect((await dev.ask({ method: 'POST', path, json: foreign })).statusCode).toBe(400);
      const headers = { origin: 'https://pages-of-acme.example', 'access-control-request-method': 'POST' };
      const preflight = await dev.ask({ method: 'OPTIONS', path, headers });
      expect(preflight.headers['access-control-allow-origin']).toBeUndefined();
    }
    const own = { client_id: world.spa_client.client_id, connection: world.connection, email: acme.user.email };
    expect((await dev.ask({ method: 'POST', path: '/dbconnections/change_password', json: own })).statusCode).toBe(200);
    expect(await rowsOf(world.database.pool, 'acme')).toEqual(before);
  });
});

describe('these tests', () => {
  it('asked every route that takes a cookie, a link or a person', () => {
    expect(dev.unasked(BROWSER_ROUTES)).toEqual([]);
  });
});
