import { describe, expect, it } from 'vitest';
import { createMask } from './mask-values.ts';

const program = { hash: 'h', parts: [{ id: 'login', name: 'login', code: '' }] };
const KEY = 'sk_live_"quoted"/51 H8x';
const PEM = '-----BEGIN KEY-----\nMIIEvAIBADANBgkqhkiG9w0BAQEFAASC\n-----END KEY-----';

describe('a mask of what a job was given in confidence', () => {
  const mask = createMask({
    kind: 'rules',
    program,
    input: {
      user: { email: 'ada@example.com', user_metadata: { plan: 'enterprise' } },
      configuration: { KEY, PEM, MODE: 'prod' },
      auth0: { domain: 'dev.example.com', accessToken: 'a.short.token' },
      actions: [{ secrets: { HOOK: 'https://hooks.example.com/T0/B0' } }],
    },
  });

  it.each([
    ['as it is', `key ${KEY}`],
    ['as JSON', JSON.stringify({ key: KEY })],
    ['in an address', `https://x.example/?k=${encodeURIComponent(KEY)}`],
    ['as base64', Buffer.from(KEY).toString('base64')],
    ['as base64url', Buffer.from(KEY).toString('base64url')],
    ['as hex', Buffer.from(KEY).toString('hex')],
  ])('hides a value %s', (_form, text) => {
    const masked = mask(text);
    expect(masked).toContain('*****');
    expect(masked).not.toMatch(/sk_live|51 ?H8x|51%20H8x|c2tfbGl2ZV8|736b5f/);
  });

  it('hides each line of a key, the token of the run, and secrets of actions', () => {
    expect(mask("'MIIEvAIBADANBgkqhkiG9w0BAQEFAASC\\n' +")).toBe("'*****\\n' +");
    expect(mask('Bearer token a.short.token')).not.toContain('a.short.token');
    expect(mask('to https://hooks.example.com/T0/B0')).toBe('to *****');
  });

  it('leaves alone what is no secret, and settings as short as a word', () => {
    const text = 'ada@example.com on enterprise at dev.example.com in prod';
    expect(mask(text)).toBe(text);
  });

  it("hides the password that a database's script is given", () => {
    const given = { arguments: ['ada@example.com', 'correct horse'] };
    const ofScript = createMask({ kind: 'database', program, input: given });
    expect(ofScript('ada@example.com says correct horse')).toBe('ada@example.com says *****');
  });

  it('hides a password that is as short as a word, also that of a new user whom a hook is given', () => {
    const ofScript = createMask({ kind: 'database', program, input: { arguments: ['ada@example.com', 'prod'] } });
    expect(ofScript('near "prod"')).toBe('near "*****"');
    const ofHook = createMask({ kind: 'hook', program, input: { arguments: [{ password: 'prods' }, {}] } });
    expect(ofHook('{"password":"prods"}')).toBe('{"password":"*****"}');
  });
});

describe('a mask whose values were chosen to take long', () => {
  const nearly = Array.from({ length: 900 }, (_, index) => `${'a'.repeat(450)}${index}${'a'.repeat(450)}`);

  // Searching for one value after the other stops the server for minutes.
  it('hides a text whole before it compares for long', () => {
    const mask = createMask({ kind: 'rules', program, input: { configuration: { nearly } } });
    expect(mask('a'.repeat(200_000))).toBe('*****');
  });

  it('still hides what the tenant keeps secret, however many secrets a user calls their own', () => {
    const user = { user_metadata: { secret: Array.from({ length: 2_000 }, (_, index) => `mine is ${index}`) } };
    const mask = createMask({ kind: 'rules', program, input: { user, configuration: { KEY } } });
    expect(mask(`key ${KEY}!`)).toBe('key *****!');
  });

  it('hides values that overlap together', () => {
    const mask = createMask({ kind: 'rules', program, input: { configuration: { one: 'abcdefgh', two: 'efghijkl' } } });
    expect(mask('<abcdefghijkl>')).toBe('<*****>');
  });
});
