import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  created,
  createTestClient,
  createTestUser,
  enableDirectory,
  eventsOf,
  eventTypesOf,
  type TestClient,
} from '../../../test/protocol.ts';
import type { Visitor } from '../../../test/visitor.ts';
import { startWorld, type World } from '../../../test/world.ts';
import { keyedDigest } from '../../kit/digest.ts';
import { DEVICE_GRANT } from './device-code.ts';

type Page = Awaited<ReturnType<Visitor['get']>>;
type Ask = Readonly<Record<string, string>>;

let world: World;
let television: TestClient;
beforeAll(async () => {
  world = await startWorld();
  television = await device();
});
afterAll(() => world.stop());

const device = (changes: Record<string, unknown> = {}) =>
  createTestClient(world, {
    name: 'Living room',
    app_type: 'native',
    grant_types: [DEVICE_GRANT, 'refresh_token'],
    ...changes,
  });
const ask = (changes: Ask = {}) =>
  world.request({
    path: '/oauth/device/code',
    form: { client_id: television.client_id, scope: 'openid offline_access', ...changes },
  });
const begin = async (changes: Ask = {}) => (await ask(changes)).json();
const poll = async (device_code: string, changes: Ask = {}) => {
  const form = { grant_type: DEVICE_GRANT, client_id: television.client_id, device_code, ...changes };
  const response = await world.token(form);
  return { status: response.statusCode, headers: response.headers, body: response.json() };
};
const refused = (status: number, error: string, error_description = expect.any(String)) => ({
  status,
  body: { error, error_description },
});
const user = () => ({ username: world.user.email, password: world.user.password });
const isLogin = ({ body }: Page) => body.includes('action="/u/login?state=');
const isConfirmation = ({ body }: Page) => body.includes('action="/activate/confirm"');

const countGrants = async () =>
  (await world.database.pool.query("select count(*)::int as n from token_grants where grant_type = 'device_code'"))
    .rows[0].n;

/** A browser, each in a network of its own unless a test says otherwise: guesses are counted by network. */
let network = 0;
function browser(ip = `198.51.${++network >> 8}.${network & 255}`) {
  const visitor = world.visitor();
  const headers = { 'x-forwarded-for': ip };
  return {
    visitor,
    open: (code: string) => visitor.get(`/activate?user_code=${encodeURIComponent(code)}`, headers),
    async type(code: string) {
      const entry = await visitor.get('/activate', headers);
      const _csrf = /name="_csrf" value="([^"]+)"/.exec(entry.body)?.[1] ?? '';
      return visitor.post('/activate', { _csrf, user_code: code }, { origin: world.origin, ...headers });
    },
  };
}

/** Lets a device in: code, confirmation, login. */
async function letIn(userCode: string, who = user()) {
  const { visitor, type } = browser();
  const login = await visitor.follow(await visitor.submit(await type(userCode), { action: 'confirm' }));
  return { visitor, page: await visitor.follow(await visitor.submit(login, who)) };
}

describe('POST /oauth/device/code', () => {
  it('answers codes, where to type them, and how long and how often to ask', async () => {
    const response = await ask();
    expect(response.headers['cache-control']).toBe('no-store');
    const body = response.json();
    expect(body).toEqual({
      device_code: expect.stringMatching(/^[\w-]{43}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${world.origin}/activate`,
      verification_uri_complete: `${world.origin}/activate?user_code=${body.user_code}`,
      expires_in: 900,
      interval: 5,
    });
  });

  it('makes codes as the tenant’s device_flow shapes them, and refuses shapes that could be guessed', async () => {
    const patch = (device_flow: unknown) => world.api().patch('/tenants/settings', { device_flow });
    expect((await patch({ charset: 'digits', mask: '*** *** ***' })).statusCode).toBe(200);
    const numbers = await begin();
    expect(numbers.user_code).toMatch(/^\d{3} \d{3} \d{3}$/);
    expect(isConfirmation(await browser().type(numbers.user_code.replaceAll(' ', '')))).toBe(true);
    for (const device_flow of [
      { charset: 'digits', mask: '****-****' },
      { charset: 'base20', mask: '*******' },
      { charset: 'base20', mask: '****-***A*' },
      { charset: 'letters', mask: '****-****' },
    ])
      expect([device_flow, (await patch(device_flow)).statusCode]).toEqual([device_flow, 400]);
    expect((await patch(null)).statusCode).toBe(200);
    expect((await begin()).user_code).toMatch(/^[A-Z]{4}-[A-Z]{4}$/);
  });

  it.each<[string, () => Promise<Ask>, number, string]>([
    ['no client', async () => ({ client_id: '' }), 400, 'invalid_request'],
    ['an unknown client', async () => ({ client_id: 'nobody' }), 401, 'access_denied'],
    ['an unknown API', async () => ({ audience: 'https://nowhere.example' }), 403, 'access_denied'],
    [
      'a client without the grant',
      async () => ({ client_id: (await device({ grant_types: ['authorization_code'] })).client_id }),
      403,
      'unauthorized_client',
    ],
    [
      'a client that is no native one',
      async () => ({ client_id: (await device({ app_type: 'spa' })).client_id }),
      403,
      'unauthorized_client',
    ],
  ])('refuses %s, with one event', async (_what, changes, status, error) => {
    const given = await changes();
    const records = await eventsOf(world, async () => {
      const response = await ask(given);
      expect([response.statusCode, response.json().error]).toEqual([status, error]);
    });
    expect(records.map(({ type }) => type)).toEqual(['fdeaz']);
  });

  it('is limited for each network: anybody may ask', async () => {
    const from = (ip: string) =>
      world.request({
        path: '/oauth/device/code',
        form: { client_id: television.client_id },
        headers: { 'x-forwarded-for': ip },
      });
    const statuses: number[] = [];
    for (let asked = 0; asked < 310; asked += 10) {
      const batch = Array.from({ length: 10 }, (_, index) => from(`2001:db8:0:7::${asked + index}`));
      statuses.push(...(await Promise.all(batch)).map(({ statusCode }) => statusCode));
    }
    expect(statuses.filter((status) => status === 200)).toHaveLength(300);
    expect(statuses.filter((status) => status === 429)).toHaveLength(10);
    expect((await from('2001:db8:0:8::1')).statusCode).toBe(200);
    world.advance(61_000);
    expect((await from('2001:db8:0:7::1')).statusCode).toBe(200);
  });
});

describe('a device', () => {
  it('waits until its user has typed the code, confirmed it and logged in; then it gets tokens, once', async () => {
    const { device_code, user_code } = await begin();
    expect(await poll(device_code)).toMatchObject(
      refused(403, 'authorization_pending', 'User has yet to authorize device code.'),
    );
    const { visitor, type } = browser();
    const confirmation = await type(user_code.toLowerCase().replace('-', ' '));
    expect(isConfirmation(confirmation)).toBe(true);
    for (const text of ['Living room', user_code]) expect(confirmation.body).toContain(text);
    const login = await visitor.follow(await visitor.submit(confirmation, { action: 'confirm' }));
    expect(isLogin(login)).toBe(true);
    const done = await visitor.follow(await visitor.submit(login, user()));
    expect(done.body).toContain('Your device is connected');
    const records = await eventsOf(world, async () => {
      const { status, headers, body } = await poll(device_code);
      expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
      expect(body).toMatchObject({ token_type: 'Bearer', scope: 'openid offline_access' });
      const renewed = {
        grant_type: 'refresh_token',
        refresh_token: body.refresh_token,
        client_id: television.client_id,
      };
      expect((await world.token(renewed)).statusCode).toBe(200);
    });
    expect(records.map(({ type: code }) => code)).toEqual(['sede', 'sertft']);
    expect(
      await eventTypesOf(world, async () => {
        expect(await poll(device_code)).toMatchObject(refused(403, 'invalid_grant'));
      }),
    ).toEqual(['fede']);
  });

  it('is told of with its refresh token: where it asked from', async () => {
    const { device_code, user_code } = await begin();
    await letIn(user_code);
    expect((await poll(device_code)).status).toBe(200);
    const [{ user_id: userId }] = (await world.api().get(`/users-by-email?email=${world.user.email}`)).json();
    const { tokens } = (await world.api().get(`/users/${encodeURIComponent(userId)}/refresh-tokens?take=100`)).json();
    const ofTelevision = tokens.filter((token: { client_id: string }) => token.client_id === television.client_id);
    expect(ofTelevision).not.toHaveLength(0);
    for (const { device: place } of ofTelevision) expect(place).toHaveProperty('initial_ip', '127.0.0.1');
  });

  it('gets its tokens once, though it asks ten times at once', async () => {
    const { device_code, user_code } = await begin();
    await letIn(user_code);
    const answers = await Promise.all(Array.from({ length: 10 }, () => poll(device_code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.error === 'invalid_grant')).toHaveLength(9);
  });

  it('is let in by a living session after its user has confirmed the code, as one login', async () => {
    const { device_code, user_code } = await begin();
    const { visitor, open } = browser();
    await visitor.logIn();
    const confirmation = await open(user_code);
    expect(confirmation.body).toContain(`You are logged in as ${world.user.email}.`);
    expect(await poll(device_code)).toMatchObject({ status: 403 });
    const types = await eventTypesOf(world, async () => {
      const done = await visitor.follow(await visitor.submit(confirmation, { action: 'confirm' }));
      expect(done.body).toContain('Your device is connected');
    });
    expect(types).toEqual(['s']);
    expect((await poll(device_code)).status).toBe(200);
  });

  it('is turned away where its user cancels', async () => {
    const { device_code, user_code } = await begin();
    const { visitor, open } = browser();
    const confirmation = await open(user_code);
    const records = await eventsOf(world, async () => {
      const done = await visitor.follow(await visitor.submit(confirmation, { action: 'cancel' }));
      expect(done.body).toContain('Your device was not connected');
    });
    expect(records).toMatchObject([{ type: 'fdecc', client_name: 'Living room' }]);
    expect(await poll(device_code)).toMatchObject(
      refused(403, 'access_denied', 'User cancelled the confirmation prompt.'),
    );
    expect((await visitor.submit(confirmation, { action: 'confirm' })).statusCode).toBe(400);
  });

  it('learns why it was turned away where its user did not do it', async () => {
    const unopened = await createTestClient(
      world,
      { name: 'Nobody', app_type: 'native', grant_types: [DEVICE_GRANT] },
      { mayLogIn: false },
    );
    const form = { client_id: unopened.client_id };
    const { device_code, user_code } = await begin(form);
    const { visitor, open } = browser();
    const done = await visitor.follow(await visitor.submit(await open(user_code), { action: 'confirm' }));
    expect(done.body).toContain('Your device was not connected');
    expect(await poll(device_code, form)).toMatchObject(
      refused(403, 'access_denied', 'no connections enabled for the client'),
    );
  });

  it('that was let in and has not asked yet is not let in where its user is logged out', async () => {
    const { id, email, password } = await createTestUser(world, 'viewer');
    const { device_code, user_code } = await begin();
    const { page } = await letIn(user_code, { username: email, password });
    expect(page.body).toContain('Your device is connected');
    await world.api().delete(`/users/${encodeURIComponent(id)}/sessions`);
    expect(await poll(device_code)).toMatchObject(refused(403, 'invalid_grant'));
  });

  it('that asks too often is told to slow down, each time by five seconds more', async () => {
    const { device_code } = await begin();
    const next = async (seconds: number) => {
      world.advance(seconds * 1000);
      const { status, body, headers } = await poll(device_code);
      return [status, body.error, headers['retry-after']];
    };
    const types = await eventTypesOf(world, async () => {
      expect(await next(0)).toEqual([403, 'authorization_pending', undefined]);
      expect(await next(4)).toEqual([429, 'slow_down', '10']);
      expect(await next(2)).toEqual([429, 'slow_down', '15']);
      expect(await next(8)).toEqual([429, 'slow_down', '20']);
      expect(await next(6)).toEqual([403, 'authorization_pending', undefined]);
      expect(await next(19)).toEqual([429, 'slow_down', '25']);
    });
    expect(types).toEqual([]);
    const together = await begin();
    const answers = await Promise.all(Array.from({ length: 5 }, () => poll(together.device_code)));
    expect(answers.map(({ status }) => status).sort()).toEqual([403, 429, 429, 429, 429]);
    expect(answers.filter(({ status }) => status === 429)[0]?.body.error_description).toMatch(
      /^You are polling faster than the specified interval of \d+ seconds\.$/,
    );
  });

  it('is told once that its time is over', async () => {
    const { device_code, user_code } = await begin();
    world.advance(900_000);
    expect(await poll(device_code)).toMatchObject(refused(403, 'expired_token'));
    for (let again = 0; again < 2; again++)
      expect(await poll(device_code)).toMatchObject(refused(403, 'invalid_grant'));
    expect(isConfirmation(await browser().open(user_code))).toBe(false);
  });

  it('of another client gets nothing for a code that it has found', async () => {
    const { device_code, user_code } = await begin();
    await letIn(user_code);
    const { client_id } = await device();
    expect(await poll(device_code, { client_id })).toMatchObject(refused(403, 'invalid_grant'));
    expect((await poll(device_code)).status).toBe(200);
  });

  it('gets nothing of a user who was blocked or whose access was revoked meanwhile', async () => {
    const { device_code, user_code } = await begin();
    const email = 'blocked@example.org';
    const password = 'Correct-horse-7-battery';
    const { user_id } = await created(
      world.api().post('/users', { connection: world.connection, email, password, email_verified: true }),
    );
    await letIn(user_code, { username: email, password });
    await world.api().patch(`/users/${encodeURIComponent(String(user_id))}`, { blocked: true });
    expect((await poll(device_code)).status).toBe(403);
  });

  it('of a stranger’s application asks for consent, and is turned away where it is declined', async () => {
    const strange = await device({ is_first_party: false });
    const { client_id } = strange;
    for (const action of ['accept', 'decline']) {
      const { device_code, user_code } = await begin({
        client_id,
        scope: action === 'accept' ? 'openid' : 'openid email',
      });
      const { visitor, page } = await letIn(user_code);
      expect(page.body).toContain('action="/u/consent?state=');
      const done = await visitor.follow(await visitor.submit(page, { action }));
      expect(done.body).toContain(action === 'accept' ? 'is connected' : 'was not connected');
      expect(await poll(device_code, { client_id })).toMatchObject(
        action === 'accept' ? { status: 200, body: { scope: 'openid' } } : refused(403, 'access_denied'),
      );
    }
  });

  it('is turned away where its application lost its connection or its right to the API', async () => {
    const { client_id } = await device();
    const one = await begin({ client_id });
    const { visitor, open } = browser();
    const login = await visitor.follow(await visitor.submit(await open(one.user_code), { action: 'confirm' }));
    await enableDirectory(world, client_id, false);
    const done = await visitor.follow(await visitor.submit(login, user()));
    expect(done.body).toContain('Your device was not connected');
    expect(await poll(one.device_code, { client_id })).toMatchObject(refused(403, 'access_denied'));
    await created(
      world.api().post('/resource-servers', {
        identifier: 'https://closed.example',
        name: 'Closed',
        subject_type_authorization: { user: { policy: 'require_client_grant' } },
      }),
    );
    const strange = await device({ is_first_party: false });
    const two = await begin({ client_id: strange.client_id, audience: 'https://closed.example' });
    expect((await letIn(two.user_code)).page.body).toContain('Your device was not connected');
  });
});

describe('/activate', () => {
  const codeOf = async () => (await begin()).user_code;

  it('tells nothing about a code that it does not let in: unknown, used, expired, cancelled or another tenant’s', async () => {
    const used = await codeOf();
    await letIn(used);
    const cancelled = await codeOf();
    const one = browser();
    await one.visitor.submit(await one.open(cancelled), { action: 'cancel' });
    const other = await world.createTenant('elsewhere');
    const native = await createTestClient(
      world,
      { app_type: 'native', grant_types: [DEVICE_GRANT] },
      { tenant: other, mayLogIn: false },
    );
    const form = { client_id: native.client_id };
    const foreign = (await world.request({ path: '/oauth/device/code', form, tenant: other })).json().user_code;
    const expired = await codeOf();
    world.advance(900_000);
    const pages = new Set<string>();
    for (const code of ['BCDF-GHJK', used, cancelled, expired, foreign, '', 'x', '<script>', 'B'.repeat(5_000)]) {
      const { type } = browser();
      const types = await eventTypesOf(world, async () => {
        const page = await type(code);
        expect([code, page.statusCode]).toEqual([code, 400]);
        pages.add(page.body.replace(/name="_csrf" value="[^"]+"/, ''));
      });
      expect(types).toEqual(['fdeac']);
    }
    expect(pages.size).toBe(1);
  });

  it('lets nobody guess: ten wrong codes of one network, at once or one by one, then it looks at none', async () => {
    const right = await codeOf();
    const { visitor, open, type } = browser('203.0.113.9');
    const pages = await Promise.all(Array.from({ length: 15 }, () => open('BCDF-GHJK')));
    expect(pages.filter(({ statusCode }) => statusCode === 400)).toHaveLength(10);
    expect(pages.filter(({ statusCode }) => statusCode === 429)).toHaveLength(5);
    const limited = await open(right);
    expect([limited.statusCode, limited.headers['retry-after']]).toEqual([429, '300']);
    expect((await type(right)).statusCode).toBe(429);
    // A header that anybody can send changes nothing: the address is the last one that the proxy did not write itself.
    const headers = { 'x-forwarded-for': '198.18.0.1, 203.0.113.9', forwarded: 'for=198.18.0.1' };
    expect((await visitor.get(`/activate?user_code=${right}`, headers)).statusCode).toBe(429);
    expect(isConfirmation(await browser('203.0.113.10').open(right))).toBe(true);
    world.advance(301_000);
    expect(isConfirmation(await open(right))).toBe(true);
  });

  it('counts the addresses of one IPv6 network together, and codes that are right not at all', async () => {
    const right = await codeOf();
    for (let index = 0; index < 10; index++) await browser(`2001:db8:9:9::${index}`).open('BCDF-GHJK');
    expect((await browser('2001:db8:9:9:ffff::1').open(right)).statusCode).toBe(429);
    expect((await browser('2001:db8:9:a::1').open(right)).statusCode).toBe(200);
    for (let index = 0; index < 15; index++) expect((await browser('203.0.113.77').open(right)).statusCode).toBe(200);
  });

  it('lets nobody guess by confirming either: a browser that makes up its secret makes the page’s token, too', async () => {
    const right = await codeOf();
    const { visitor } = browser();
    await visitor.get('/activate');
    const [secret = ''] = visitor.cookies.values();
    const confirm = (code: string) => {
      const typed = code.replace('-', '');
      const _csrf = keyedDigest(Buffer.from(secret), `csrf activate ${typed}`);
      const headers = { 'x-forwarded-for': '203.0.113.90' };
      return visitor.post('/activate/confirm', { _csrf, user_code: code, action: 'confirm' }, headers);
    };
    for (let index = 0; index < 10; index++) expect((await confirm('BCDF-GHJK')).statusCode).toBe(400);
    expect((await confirm(right)).statusCode).toBe(429);
  });

  it('looks at no code any more when a thousand networks have guessed together', async () => {
    const right = await codeOf();
    const end = new Date(world.now().getTime() + 900_000);
    await world.database.pool.query(
      `insert into attempt_windows values ('dev', 'user-code', 1000, $1)
        on conflict (tenant_id, name) do update set attempts = 1000, expires_at = $1`,
      [end],
    );
    expect((await browser().open(right)).statusCode).toBe(429);
    world.advance(900_000);
    expect((await browser().open(await codeOf())).statusCode).toBe(200);
  });

  it.each<[string, Ask, Ask]>([
    ['without the token of our page', { _csrf: '' }, {}],
    ['with an invented token', { _csrf: 'a'.repeat(43) }, {}],
    ['from another site', {}, { origin: 'https://evil.example.com' }],
    ['from a page that hides where it is', {}, { origin: 'null' }],
  ])('refuses forms %s', async (_what, changes, headers) => {
    const code = await codeOf();
    const { visitor, open } = browser();
    await visitor.logIn();
    const _csrf = /name="_csrf" value="([^"]+)"/.exec((await open(code)).body)?.[1] ?? '';
    const fields = { _csrf, user_code: code, action: 'confirm', ...changes };
    expect((await visitor.post('/activate/confirm', fields, headers)).statusCode).toBe(403);
    const entry = /name="_csrf" value="([^"]+)"/.exec((await visitor.get('/activate')).body)?.[1] ?? '';
    const typed = { _csrf: entry, user_code: code, ...changes };
    expect((await visitor.post('/activate', typed, headers)).statusCode).toBe(403);
    expect(isConfirmation(await browser().open(code))).toBe(true);
  });

  it('takes a confirmation for the code and in the browser that it was shown in, and no other', async () => {
    const [shown, other] = [await codeOf(), await codeOf()];
    const victim = browser();
    await victim.visitor.logIn();
    const _csrf = /name="_csrf" value="([^"]+)"/.exec((await victim.open(shown)).body)?.[1] ?? '';
    const confirm = (visitor: Visitor, user_code: string) =>
      visitor.post('/activate/confirm', { _csrf, user_code, action: 'confirm' });
    expect((await confirm(victim.visitor, other)).statusCode).toBe(403);
    const stranger = browser();
    expect((await confirm(stranger.visitor, shown)).statusCode).toBe(400);
    await stranger.open(other);
    expect((await confirm(stranger.visitor, shown)).statusCode).toBe(403);
    expect((await victim.visitor.post('/activate/confirm', { _csrf, user_code: shown })).body).toContain('Living room');
  });

  it('binds the login behind a confirmation to the browser that confirmed', async () => {
    const code = await codeOf();
    const attacker = browser();
    const login = await attacker.visitor.follow(
      await attacker.visitor.submit(await attacker.open(code), { action: 'confirm' }),
    );
    const [, state = ''] = /name="state" value="([^"]+)"/.exec(login.body) ?? [];
    const victim = browser();
    await victim.visitor.authorize();
    for (const path of ['/u/login', '/authorize/resume'])
      expect((await victim.visitor.get(`${path}?state=${state}`)).statusCode).toBe(400);
  });

  it('lets a device in once, though two browsers confirm it', async () => {
    const { device_code, user_code } = await begin();
    const grants = await countGrants();
    const [one, two] = [browser(), browser()];
    const logins: Page[] = [];
    for (const { visitor, open } of [one, two])
      logins.push(await visitor.follow(await visitor.submit(await open(user_code), { action: 'confirm' })));
    const ends = await Promise.all(
      [one, two].map(async ({ visitor }, index) => {
        const login = logins[index];
        return login && visitor.follow(await visitor.submit(login, user()));
      }),
    );
    expect(ends.filter((page) => page?.body.includes('Your device is connected'))).toHaveLength(1);
    expect((await poll(device_code)).status).toBe(200);
    expect(await countGrants()).toBe(grants + 1);
  });
});
