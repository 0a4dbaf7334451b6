import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World, type WorldRequest } from '../world.ts';
import { expectShape, footprint, type Shape } from './refusals.ts';

let world: World;
let bearer: Record<string, string>;
beforeAll(async () => {
  world = await startWorld();
  bearer = { authorization: `Bearer ${await world.managementToken()}` };
});
afterAll(() => world.stop());

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

describe.each(ENDPOINTS)('%s', (path, shape, method) => {
  it.each(BODIES)('refuses %s in its own shape, without a trace', async (_what, headers, body, status) => {
    const before = await footprint(world);
    const response = await world.request({ method, path, headers: { ...headers, ...bearer }, body });
    expectShape(response, shape);
    // A page has no bodies but forms: all others are a malformed request to it.
    expect([status, ...(shape === 'page' ? [400] : [])]).toContain(response.statusCode);
    expect(await footprint(world)).toEqual(before);
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
  ])('never bring the server down with a NUL or with emoji: %s', async (name) => {
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
  });
});
