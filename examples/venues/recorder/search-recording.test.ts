import { describe, expect, it } from 'vitest';
import type { Exchange } from './recorder.ts';
import { createSecretSearch, tokensIn } from './search-recording.ts';

const EXCHANGE: Exchange = {
  to: 'user-api (dev)',
  method: 'POST',
  url: '/session/refresh',
  requestHeaders: 'authorization: Bearer at',
  requestBody: '',
  status: 200,
  responseHeaders: 'content-type: application/json',
  responseBody: '{"access_token":"at"}',
};
const SECRET = 'v1.MNq-8_refresh+token/of=somebody';
const search = createSecretSearch([{ name: 'a refresh token', value: SECRET }]);

describe('a recording', () => {
  it('without a secret has no finding', () => {
    expect(search.inRecording([EXCHANGE])).toEqual([]);
  });

  it.each<[string, Partial<Exchange>]>([
    ['address', { url: `/x?rt=${encodeURIComponent(SECRET)}` }],
    ['headers of the request', { requestHeaders: `cookie: rt=${SECRET}` }],
    ['body of the request', { requestBody: JSON.stringify({ token: SECRET }) }],
    ['headers of the answer', { responseHeaders: `set-cookie: rt=${Buffer.from(SECRET).toString('base64url')}` }],
    ['body of the answer', { responseBody: JSON.stringify({ refresh_token: SECRET }) }],
  ])('with a secret in the %s says where, and does not repeat it', (where, changes) => {
    const found = search.inRecording([EXCHANGE, { ...EXCHANGE, ...changes }]);
    expect(found).toEqual([{ secret: 'a refresh token', where: `POST user-api (dev): ${where}` }]);
  });

  it('tells the tokens of a kind that were given out, once each', () => {
    const given = { ...EXCHANGE, responseBody: JSON.stringify({ access_token: 'at', refresh_token: SECRET }) };
    expect(tokensIn([EXCHANGE, given, given], 'refresh_token')).toEqual([SECRET]);
  });
});
