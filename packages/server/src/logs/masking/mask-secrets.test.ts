import { describe, expect, it } from 'vitest';
import { toEventRow } from '../recording/event-row.ts';
import { maskSecretText } from './mask-secret-text.ts';
import { maskSecrets } from './mask-secrets.ts';

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjMifQ.c2lnbmF0dXJl';
const PEM = '-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n';

describe('maskSecrets', () => {
  it('masks secrets at every depth and leaves the rest', () => {
    const masked = maskSecrets({
      body: {
        email: 'ada@example.com',
        password: 'hunter22',
        newPassword: 'hunter23',
        client_secret: 's3cret',
        nested: [{ 'refresh-token': 'v1.abc', mfa_token: 'Fe26', otp: '123456', code_verifier: 'x'.repeat(43) }],
        client_assertion: JWT,
      },
      headers: { Authorization: 'Bearer abc', Cookie: 'sid=1', 'X-API-Key': 'k', accept: '*/*' },
      options: { client_id: 'upstream', client_secret: 'x', configuration_secret: 'y', requires_username: true },
      scope: 'openid',
      count: 3,
    });
    expect(masked).toEqual({
      body: {
        email: 'ada@example.com',
        password: '*****',
        newPassword: '*****',
        client_secret: '*****',
        nested: [{ 'refresh-token': '*****', mfa_token: '*****', otp: '*****', code_verifier: '*****' }],
        client_assertion: '*****',
      },
      headers: { Authorization: '*****', Cookie: '*****', 'X-API-Key': '*****', accept: '*/*' },
      options: {
        client_id: 'upstream',
        client_secret: '*****',
        configuration_secret: '*****',
        requires_username: true,
      },
      scope: 'openid',
      count: 3,
    });
  });

  it('hides what a secret is made of, whatever its type', () => {
    expect(maskSecrets({ password: ['a', { b: 'c' }, 12] })).toEqual({ password: ['*****', { b: '*****' }, '*****'] });
  });

  it("hides what an operator gave to a custom database's scripts, under whatever names", () => {
    const options = { configuration: { DB_URL: 'postgres://x', region: 'eu' }, customScripts: { login: 'function' } };
    expect(maskSecrets({ options, bareConfiguration: { a: 'b' } })).toEqual({
      options: { configuration: { DB_URL: '*****', region: '*****' }, customScripts: { login: 'function' } },
      bareConfiguration: { a: '*****' },
    });
  });

  it('keeps the last three characters of a code, and error codes whole', () => {
    expect(maskSecrets({ code: 'abcdefghijklmnoPDH', error: { code: 'invalid_grant_and_more' } })).toEqual({
      code: '******…PDH',
      error: { code: 'invalid_grant_and_more' },
    });
  });

  it('shows settings that are named after tokens', () => {
    const settings = { refresh_token: { rotation_type: 'rotating', leeway: 30 }, token_endpoint_auth_method: 'none' };
    expect(maskSecrets(settings)).toEqual(settings);
  });

  it('keeps the names of secrets', () => {
    expect(maskSecrets({ accessedSecrets: ['client_secret'], secrets: [{ name: 'KEY', value: 'v' }] })).toEqual({
      accessedSecrets: ['client_secret'],
      secrets: [{ name: 'KEY', value: '*****' }],
    });
  });

  it('masks the private half of a key', () => {
    const key = { kty: 'RSA', n: 'mod', e: 'AQAB', d: 'priv', p: 'p', q: 'q' };
    expect(maskSecrets({ jwk: key })).toEqual({ jwk: { ...key, d: '*****', p: '*****', q: '*****' } });
    expect(JSON.stringify(maskSecrets({ note: PEM }))).not.toContain('MIIEvQ');
  });

  it('makes every text storable', () => {
    expect(maskSecrets({ 'a\0b': 'c\0d', e: '\ud800x' })).toEqual({ 'a\ufffdb': 'c\ufffdd', e: '\ufffdx' });
  });

  it('bounds size, depth and number', () => {
    let deep: Record<string, unknown> = {};
    for (let level = 0; level < 5_000; level++) deep = { deep };
    const cyclic: Record<string, unknown> = { deep, list: Array.from({ length: 100_000 }, (_, index) => index) };
    cyclic.self = cyclic;
    cyclic.long = 'x'.repeat(1_000_000);
    cyclic.many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, 'y'.repeat(500)]));
    expect(JSON.stringify(maskSecrets(cyclic)).length).toBeLessThan(20_000);
  });

  it('does not let a member change a prototype', () => {
    const masked = maskSecrets(JSON.parse('{"__proto__":{"polluted":true}}') as Record<string, unknown>);
    expect(Object.getPrototypeOf(masked)).toBe(Object.prototype);
  });
});

describe('maskSecretText', () => {
  it.each([
    ['https://a.example/cb?code=SplxlOBeZQQYbYS6WxSbIA&state=x', 'https://a.example/cb?code=*****&state=x'],
    [
      'https://a.example/#access_token=abc&token_type=Bearer',
      'https://a.example/#access_token=*****&token_type=Bearer',
    ],
    ['Authorization: Bearer abcdefghijkl', 'Authorization: Bearer *****'],
    [`token ${JWT} was refused`, 'token ***** was refused'],
    ['postgres://ada:pw@db.example/x', 'postgres://ada:*****@db.example/x'],
    ['grant_type=password&password=hunter22', 'grant_type=password&password=*****'],
    ['Wrong email or password.', 'Wrong email or password.'],
  ])('masks in %s', (text, masked) => {
    expect(maskSecretText(text)).toBe(masked);
  });
});

it('masks what a stranger wrote into an audience or a scope', () => {
  const { body } = toEventRow('dev', {
    type: 'clientCredentialsExchangeFailed',
    audience: 'https://ada:hunter22@api.example.com/',
    scope: 'read client_secret=hunter22',
  });
  expect(body).toMatchObject({ audience: 'https://ada:*****@api.example.com/', scope: 'read client_secret=*****' });
});
