import type { Response } from 'light-my-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World, type WorldRequest } from '../world.ts';

let world: World;
let bearer: Record<string, string>;
beforeAll(async () => {
  world = await startWorld();
  bearer = { authorization: `Bearer ${await world.managementToken()}` };
});
afterAll(() => world.stop());

type Shape = 'oauth' | 'management' | 'page';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_BODY = { 'content-type': 'application/json' };

/** A stream of bytes that never were a form: what each endpoint that reads a body gets. */
const BODIES: readonly (readonly [
  what: string,
  headers: Record<string, string>,
  body: string | Buffer,
  status: number,
])[] = [
  ['broken JSON', JSON_BODY, '{"grant_type":', 400],
  ['JSON with __proto__', JSON_BODY, '{"__proto__":{"admin":true}}', 400],
  ['a JSON string', JSON_BODY, '"text"', 400],
  ['a JSON list', JSON_BODY, '[1]', 400],
  ['deep JSON', JSON_BODY, `${'{"a":'.repeat(8_000)}1${'}'.repeat(8_000)}`, 400],
  ['invalid UTF-8 in JSON', JSON_BODY, Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 400],
  ['half a surrogate pair', JSON_BODY, '{"name":"\\ud800","grant_type":"\\ud800"}', 400],
  ['a NUL in JSON', JSON_BODY, '{"name":"a\\u0000b","grant_type":"a\\u0000b"}', 400],
  ['invalid UTF-8 in a form', FORM, Buffer.from([0x61, 0x3d, 0xff]), 400],
  ['a broken percent sequence', FORM, 'grant_type=%zz', 400],
  ['invalid UTF-8 in percent sequences', FORM, 'grant_type=%ff%fe', 400],
  ['1001 parameters', FORM, Array.from({ length: 1_001 }, (_, index) => `p${index}=1`).join('&'), 400],
  ['more than a megabyte', JSON_BODY, `{"name":"${'a'.repeat(1_100_000)}"}`, 413],
  ['another content type', { 'content-type': 'text/xml' }, '<a/>', 415],
  ['no content type', {}, 'abc', 415],
  ['a content type that is none', { 'content-type': 'nonsense' }, 'abc', 415],
];

const ENDPOINTS: readonly (readonly [path: string, shape: Shape, method: NonNullable<WorldRequest['method']>])[] = [
  ['/oauth/token', 'oauth', 'POST'],
  ['/oauth/revoke', 'oauth', 'POST'],
  ['/api/v2/clients', 'management', 'POST'],
  ['/api/v2/tenants/settings', 'management', 'PATCH'],
  ['/u/login', 'page', 'POST'],
];

function expectShape(response: Response, shape: Shape): void {
  const said = `${response.statusCode} ${response.body.slice(0, 300)}`;
  expect(response.body, said).not.toMatch(/\n\s+at |node_modules|\/src\/|syntax error at|SyntaxError/);
  expect(response.headers['x-auth0-requestid'], said).toMatch(/^[0-9a-f]{20}$/);
  expect(response.headers['x-content-type-options'], said).toBe('nosniff');
  if (shape === 'page') {
    expect(response.headers['content-type'], said).toBe('text/html; charset=utf-8');
    expect(response.headers['content-security-policy'], said).toContain("default-src 'none'");
    return;
  }
  expect(response.headers['content-type'], said).toBe('application/json; charset=utf-8');
  const names = Object.keys(response.json());
  if (shape === 'oauth') expect(names, said).toEqual(['error', 'error_description']);
  else
    expect(
      names.filter((name) => name !== 'errorCode' && name !== 'attributes'),
      said,
    ).toEqual(['statusCode', 'error', 'message']);
}

/** What may not change by a request that is refused. */
async function footprint() {
  const { rows } = await world.database.pool.query(
    `select (select count(*) from log_events)::int as events, (select count(*) from login_transactions)::int as logins,
      (select count(*) from clients)::int as clients, (select count(*) from users)::int as users,
      (select md5(string_agg(settings::text, '')) from tenants) as settings`,
  );
  return { ...rows[0], operatorLines: [...world.log] };
}

describe.each(ENDPOINTS)('%s', (path, shape, method) => {
  it.each(BODIES)('refuses %s in its own shape, without a trace', async (_what, headers, body, status) => {
    const before = await footprint();
    const response = await world.request({ method, path, headers: { ...headers, ...bearer }, body });
    expectShape(response, shape);
    // A page has no bodies but forms: all others are a malformed request to it.
    expect([status, ...(shape === 'page' ? [400] : [])]).toContain(response.statusCode);
    expect(await footprint()).toEqual(before);
  });
});

describe('A megabyte of JSON', () => {
  const megabyte = `[${'0,'.repeat(500_000)}0]`;

  it.each([
    ['/nonsense', 404],
    ['/api/v2/nonsense', 404],
    ['/userinfo', 413],
    ['/oauth/token', 413],
    ['/api/v2/clients', 401],
  ])('of a stranger is not even read: %s', async (path, status) => {
    const response = await world.request({ method: 'POST', path, headers: JSON_BODY, body: megabyte });
    expect(response.statusCode).toBe(status);
    // The bytes below are no JSON: whoever reads them answers 400.
    const broken = await world.request({ method: 'POST', path, headers: JSON_BODY, body: '['.repeat(100_000) });
    expect(broken.statusCode).toBe(status);
  });

  it('is what an operator may send', async () => {
    const response = await world.request({
      method: 'POST',
      path: '/api/v2/clients',
      headers: { ...JSON_BODY, ...bearer },
      body: megabyte,
    });
    expect(response.json().message).toContain('Payload validation error');
  });
});

describe('Parameters of /oauth/token', () => {
  const client = () => world.password_client;

  it.each([
    ['come twice', 'grant_type=client_credentials&grant_type=password'],
    ['come twice, once encoded', 'grant_type=client_credentials&grant%5ftype=password'],
    ['are an object', '{"grant_type":{"$ne":null}}'],
    ['are a list', '{"grant_type":["client_credentials"]}'],
    ['are missing', ''],
    ['are too long', `grant_type=${'a'.repeat(10_000)}`],
    ['are in the query instead', ''],
  ])('that %s are an invalid_request', async (_what, body) => {
    const headers = body.startsWith('{') ? JSON_BODY : FORM;
    const response = await world.request({
      method: 'POST',
      path: '/oauth/token?grant_type=client_credentials',
      headers,
      body,
    });
    expectShape(response, 'oauth');
    expect(response.statusCode).toBe(400);
    expect(response.json().error).toBe('invalid_request');
  });

  it.each([
    'username',
    'password',
    'realm',
    'scope',
    'audience',
    'client_id',
    'client_secret',
    'refresh_token',
    'code',
    'redirect_uri',
    'code_verifier',
    'client_assertion',
  ])(
    'never bring the server down with a NUL or with emoji: %s',
    async (name) => {
      for (const value of ['a\0b', '\u{1f600}'.repeat(2_000), '%00', "'; drop table users; --"]) {
        for (const grant_type of [
          'password',
          'http://auth0.com/oauth/grant-type/password-realm',
          'refresh_token',
          'authorization_code',
          'client_credentials',
        ]) {
          const response = await world.token({
            grant_type,
            ...client(),
            username: 'someone@example.com',
            password: 'x',
            realm: world.connection,
            refresh_token: 'x',
            code: 'x',
            [name]: value,
          });
          expect({ grant_type, value: value.slice(0, 10), status: response.statusCode, body: response.body }).toEqual({
            grant_type,
            value: value.slice(0, 10),
            status:
              name === 'scope' || name === 'realm'
                ? expect.toBeOneOf([200, 400, 401, 403, 429])
                : expect.toBeOneOf([200, 400, 401, 403, 429]),
            body: expect.any(String),
          });
        }
      }
      expect(world.log).toEqual([]);
    },
    60_000,
  );
});

describe('A path', () => {
  it.each([
    ['/api/v2/users/%zz', 400, 'invalid_uri'],
    ['/api/v2/users/%ff', 400, 'invalid_uri'],
    ['/api/v2/users/a%00b', 400, 'invalid_uri'],
    ['/api/v2/users/auth0%7C%ED%A0%80', 400, 'invalid_uri'],
    [`/api/v2/users/${'a'.repeat(2_000)}`, 414, 'invalid_uri'],
    ['/api/v2/clients?fields=%zz', 400, 'invalid_query_string'],
    ['/api/v2/clients?page=1&page=2', 400, 'invalid_query_string'],
    ['/api/v2/clients?__proto__=1', 400, 'invalid_query_string'],
    ['/api/v2/clients?nonsense=1', 400, 'invalid_query_string'],
    ['/api/v2/clients?page=a%00', 400, 'invalid_query_string'],
    ['/api/v2/logs?q=a%00', 400, 'invalid_query_string'],
    ['/api/v2/clients/', 400, 'invalid_uri'],
    ['/api/v2//clients', 404, undefined],
    ['/API/v2/clients', 404, undefined],
    ['/api/v2/nonsense', 404, undefined],
    ['/oauth/token/', 404, undefined],
    ['/%2e%2e/%2e%2e/etc/passwd', 404, undefined],
    ['/u/static/../../package.json', 404, undefined],
    ['/u/static/%2e%2e%2fpackage.json', 404, undefined],
    [`/${'a'.repeat(20_000)}`, 404, undefined],
    ['/%', 400, 'invalid_uri'],
    ['/\u00e4', 404, undefined],
  ])('that leads nowhere is refused: %s', async (path, status, errorCode) => {
    const before = await footprint();
    const response = await world.request({ path, headers: bearer });
    expectShape(response, 'management');
    expect({ status: response.statusCode, errorCode: response.json().errorCode }).toEqual({ status, errorCode });
    expect(await footprint()).toEqual(before);
  });

  it.each([
    '/authorize',
    '/authorize?%zz',
    '/authorize?client_id=%ff',
    '/authorize?client_id=a%00b',
    '/authorize?client_id=a&client_id=b',
    `/authorize?client_id=${'a'.repeat(9_000)}`,
    '/u/login',
    '/u/login?state=a%00b',
    `/u/login?state=${'a'.repeat(3_000)}`,
    '/u/signup?state=x&state=y',
    '/v2/logout?returnTo=a%00b',
    '/v2/logout?returnTo=http%3A%2F%2Fevil.example.com&client_id=a%00b',
  ])('of a page is answered with a page: %s', async (path) => {
    const response = await world.request({ path });
    expect(response.statusCode).toBeLessThan(500);
    if (response.statusCode !== 302) expectShape(response, 'page');
    expect(world.log).toEqual([]);
  });

  it('of an unknown host is answered with a page where people come, and no cookie', async () => {
    const response = await world.request({ path: '/authorize', headers: { host: 'evil.example.com' } });
    expectShape(response, 'page');
    expect(response.statusCode).toBe(404);
    expect(response.headers['set-cookie']).toBeUndefined();
  });
});

describe('Headers', () => {
  it.each([
    ['authorization', `Bearer ${'a'.repeat(20_000)}`],
    ['authorization', 'Bearer a.b.c'],
    ['authorization', 'Basic %%%'],
    ['authorization', `Basic ${Buffer.from('a\0b:c\0d').toString('base64')}`],
    ['cookie', `gw-dev-3000=a%00b; __Host-gw-dev=${'a'.repeat(9_000)}`],
    ['cookie', '__Host-gw-dev-login=%zz; ;;==; __proto__=1'],
    ['auth0-client', Buffer.from('{"name":"a\\u0000b","__proto__":{"x":1}}').toString('base64')],
    ['auth0-client', Buffer.from('{"name":"\\ud800"}').toString('base64')],
    ['user-agent', 'a\x7f\u00ff'.repeat(200)],
    ['x-forwarded-for', "1.2.3.4' or 1=1, nonsense"],
    ['origin', 'null'],
    ['content-length', '0'],
  ])('are garbage and do no harm: %s: %.60s', async (name, value) => {
    for (const asked of [
      { path: '/userinfo' },
      { path: '/api/v2/clients' },
      { path: '/authorize?client_id=x' },
      { path: '/oauth/token', form: { grant_type: 'client_credentials', client_id: 'x', client_secret: 'y' } },
      {
        path: '/oauth/token',
        form: { grant_type: 'password', ...world.password_client, username: 'nobody@example.com', password: 'no' },
      },
    ]) {
      const response = await world.request({ ...asked, headers: { [name]: value } });
      expect({ path: asked.path, status: response.statusCode }).toEqual({
        path: asked.path,
        status: expect.toBeOneOf([400, 401, 403, 429]),
      });
    }
    expect(world.log).toEqual([]);
  });

  it('insist on https at a real name only, since browsers keep that for all ports of a name', async () => {
    const local = await world.request({ path: '/.well-known/jwks.json' });
    expect(local.headers['strict-transport-security']).toBeUndefined();
    await world.app.stores.tenants.registerOrigin('dev', 'https://login.example.com', false);
    world.app.forget('*');
    world.app.forget('dev');
    const real = await world.request({
      path: '/.well-known/jwks.json',
      tenant: { origin: 'https://login.example.com' },
    });
    expect(real.headers['strict-transport-security']).toBe('max-age=31536000');
  });
});
