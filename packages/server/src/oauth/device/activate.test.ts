import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DeviceWorld, isConfirmation, type Page, startDeviceWorld } from '../../../test/device-world.ts';
import { createTestClient, eventTypesOf } from '../../../test/protocol.ts';
import type { Visitor } from '../../../test/visitor.ts';
import type { World } from '../../../test/world.ts';
import { keyedDigest } from '../../kit/digest.ts';
import { DEVICE_GRANT } from './device-code.ts';

type Ask = Readonly<Record<string, string>>;

let devices: DeviceWorld;
let world: World;
beforeAll(async () => {
  devices = await startDeviceWorld();
  world = devices.world;
});
afterAll(() => world.stop());

const countGrants = async () =>
  (await world.database.pool.query("select count(*)::int as n from token_grants where grant_type = 'device_code'"))
    .rows[0].n;

describe('/activate', () => {
  const codeOf = async () => (await devices.begin()).user_code;

  it('tells nothing about a code that it does not let in: unknown, used, expired, cancelled or another tenant’s', async () => {
    const used = await codeOf();
    await devices.letIn(used);
    const cancelled = await codeOf();
    const one = devices.browser();
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
      const { type } = devices.browser();
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
    const { visitor, open, type } = devices.browser('203.0.113.9');
    const pages = await Promise.all(Array.from({ length: 15 }, () => open('BCDF-GHJK')));
    expect(pages.filter(({ statusCode }) => statusCode === 400)).toHaveLength(10);
    expect(pages.filter(({ statusCode }) => statusCode === 429)).toHaveLength(5);
    const limited = await open(right);
    expect([limited.statusCode, limited.headers['retry-after']]).toEqual([429, '300']);
    expect((await type(right)).statusCode).toBe(429);
    // A header that anybody can send changes nothing: the address is the last one that the proxy did not write itself.
    const headers = { 'x-forwarded-for': '198.18.0.1, 203.0.113.9', forwarded: 'for=198.18.0.1' };
    expect((await visitor.get(`/activate?user_code=${right}`, headers)).statusCode).toBe(429);
    expect(isConfirmation(await devices.browser('203.0.113.10').open(right))).toBe(true);
    world.advance(301_000);
    expect(isConfirmation(await open(right))).toBe(true);
  });

  it('counts the addresses of one IPv6 network together, and codes that are right not at all', async () => {
    const right = await codeOf();
    for (let index = 0; index < 10; index++) await devices.browser(`2001:db8:9:9::${index}`).open('BCDF-GHJK');
    expect((await devices.browser('2001:db8:9:9:ffff::1').open(right)).statusCode).toBe(429);
    expect((await devices.browser('2001:db8:9:a::1').open(right)).statusCode).toBe(200);
    for (let index = 0; index < 15; index++)
      expect((await devices.browser('203.0.113.77').open(right)).statusCode).toBe(200);
  });

  it('lets nobody guess by confirming either: a browser that makes up its secret makes the page’s token, too', async () => {
    const right = await codeOf();
    const { visitor } = devices.browser();
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
    expect((await devices.browser().open(right)).statusCode).toBe(429);
    world.advance(900_000);
    expect((await devices.browser().open(await codeOf())).statusCode).toBe(200);
  });

  it.each<[string, Ask, Ask]>([
    ['without the token of our page', { _csrf: '' }, {}],
    ['with an invented token', { _csrf: 'a'.repeat(43) }, {}],
    ['from another site', {}, { origin: 'https://evil.example.com' }],
    ['from a page that hides where it is', {}, { origin: 'null' }],
  ])('refuses forms %s', async (_what, changes, headers) => {
    const code = await codeOf();
    const { visitor, open } = devices.browser();
    await visitor.logIn();
    const _csrf = /name="_csrf" value="([^"]+)"/.exec((await open(code)).body)?.[1] ?? '';
    const fields = { _csrf, user_code: code, action: 'confirm', ...changes };
    expect((await visitor.post('/activate/confirm', fields, headers)).statusCode).toBe(403);
    const entry = /name="_csrf" value="([^"]+)"/.exec((await visitor.get('/activate')).body)?.[1] ?? '';
    const typed = { _csrf: entry, user_code: code, ...changes };
    expect((await visitor.post('/activate', typed, headers)).statusCode).toBe(403);
    expect(isConfirmation(await devices.browser().open(code))).toBe(true);
  });

  it('takes a confirmation for the code and in the browser that it was shown in, and no other', async () => {
    const [shown, other] = [await codeOf(), await codeOf()];
    const victim = devices.browser();
    await victim.visitor.logIn();
    const _csrf = /name="_csrf" value="([^"]+)"/.exec((await victim.open(shown)).body)?.[1] ?? '';
    const confirm = (visitor: Visitor, user_code: string) =>
      visitor.post('/activate/confirm', { _csrf, user_code, action: 'confirm' });
    expect((await confirm(victim.visitor, other)).statusCode).toBe(403);
    const stranger = devices.browser();
    expect((await confirm(stranger.visitor, shown)).statusCode).toBe(400);
    await stranger.open(other);
    expect((await confirm(stranger.visitor, shown)).statusCode).toBe(403);
    expect((await victim.visitor.post('/activate/confirm', { _csrf, user_code: shown })).body).toContain('Living room');
  });

  it('binds the login behind a confirmation to the browser that confirmed', async () => {
    const code = await codeOf();
    const attacker = devices.browser();
    const login = await attacker.visitor.follow(
      await attacker.visitor.submit(await attacker.open(code), { action: 'confirm' }),
    );
    const [, state = ''] = /name="state" value="([^"]+)"/.exec(login.body) ?? [];
    const victim = devices.browser();
    await victim.visitor.authorize();
    for (const path of ['/u/login', '/authorize/resume'])
      expect((await victim.visitor.get(`${path}?state=${state}`)).statusCode).toBe(400);
  });

  it('lets a device in once, though two browsers confirm it', async () => {
    const { device_code, user_code } = await devices.begin();
    const grants = await countGrants();
    const [one, two] = [devices.browser(), devices.browser()];
    const logins: Page[] = [];
    for (const { visitor, open } of [one, two])
      logins.push(await visitor.follow(await visitor.submit(await open(user_code), { action: 'confirm' })));
    const ends = await Promise.all(
      [one, two].map(async ({ visitor }, index) => {
        const login = logins[index];
        return login && visitor.follow(await visitor.submit(login, devices.user()));
      }),
    );
    expect(ends.filter((page) => page?.body.includes('Your device is connected'))).toHaveLength(1);
    expect((await devices.poll(device_code)).status).toBe(200);
    expect(await countGrants()).toBe(grants + 1);
  });
});
