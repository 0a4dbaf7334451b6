import { describe, expect, it } from 'vitest';
import { type GivenServiceSettings, readServiceSettings } from './service-settings.ts';

const SECRET = 's'.repeat(40);
const GOOD: GivenServiceSettings = {
  TOKEN_SERVICE_ISSUER: 'https://acme-dev.example/',
  TOKEN_SERVICE_CLIENT_ID: 'client',
  TOKEN_SERVICE_CLIENT_SECRET: 'secret',
  TOKEN_SERVICE_AUDIENCE: 'https://venues',
  TOKEN_SERVICE_CALLERS: JSON.stringify({ venues: SECRET }),
};

describe('the settings of the token service', () => {
  it('have defaults: loopback, port 3100, introspection', () => {
    expect(readServiceSettings(GOOD)).toMatchObject({
      mode: 'introspection',
      host: '127.0.0.1',
      port: 3_100,
      callers: [{ name: 'venues', secret: SECRET, audiences: ['https://venues'] }],
      notes: [],
    });
  });

  it('name every fault at once', () => {
    expect(() => readServiceSettings({})).toThrow(/ISSUER.*CLIENT_ID.*CLIENT_SECRET.*CALLERS/s);
  });

  it.each<[string, GivenServiceSettings, RegExp]>([
    ['a mode that there is not', { TOKEN_SERVICE_MODE: 'guess' }, /introspection or userinfo/],
    ['an issuer with a password', { TOKEN_SERVICE_ISSUER: 'https://a:hush@b/' }, /without user/],
    ['a certificate without its key', { TOKEN_SERVICE_TLS_CERT_FILE: 'cert.pem' }, /belong together/],
    ['a port above all ports', { TOKEN_SERVICE_PORT: '65536' }, /TOKEN_SERVICE_PORT/],
    ['callers that are no JSON', { TOKEN_SERVICE_CALLERS: 'venues=hush' }, /JSON object/],
    ['a short secret', { TOKEN_SERVICE_CALLERS: '{"venues":"hush"}' }, /'venues' must be 32/],
    ['a caller without an API', { TOKEN_SERVICE_AUDIENCE: '' }, /needs audiences/],
    [
      'two callers with one secret',
      { TOKEN_SERVICE_CALLERS: JSON.stringify({ one: SECRET, two: SECRET }) },
      /same secret/,
    ],
    ['a file that is not there', { TOKEN_SERVICE_CLIENT_SECRET_FILE: '/nowhere/at/all' }, /can't be read/],
  ])('refuse %s, and repeat no secret', (_what, changes, words) => {
    const read = () => readServiceSettings({ ...GOOD, ...changes });
    expect(read).toThrow(words);
    expect(read).not.toThrow(/hush|ssss/);
  });

  it('warn of what travels in the clear', () => {
    const { notes } = readServiceSettings({
      ...GOOD,
      TOKEN_SERVICE_ISSUER: 'http://acme-dev.example/',
      TOKEN_SERVICE_HOST: '0.0.0.0',
    });
    expect(notes).toHaveLength(2);
  });
});
