import { describe, expect, it } from 'vitest';
import { parseOrigin } from './parse-origin.ts';

describe('the parts of an origin', () => {
  it.each([
    ['https://login.example.com', 'https:', 'login.example.com', ''],
    ['http://[::1]:3000', 'http:', '[::1]', '3000'],
    ['HTTPS://Login.Example.COM:443', 'https:', 'login.example.com', ''],
  ])('of %s are the same at the first and at the second look', (text, protocol, hostname, port) => {
    const first = parseOrigin(text);
    expect(first).toMatchObject({ protocol, hostname, port, origin: new URL(text).origin });
    expect(parseOrigin(text)).toEqual(first);
  });

  it.each(['', 'login.example.com', 'https://', 'https://a b', `https://${'a'.repeat(300)}:99999`])(
    'are none of %j',
    (text) => {
      expect(parseOrigin(text)).toBeUndefined();
      expect(parseOrigin(text)).toBeUndefined();
    },
  );
});
