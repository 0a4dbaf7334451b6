import { describe, expect, it } from 'vitest';
import { isAllowedOrigin } from './allowed-origin.ts';

const client = {
  callbacks: ['https://app.example.com/callback', 'com.example.app://login'],
  allowedOrigins: ['https://other.example.com/', 'https://*.preview.example.com'],
  webOrigins: ['https://silent.example.com'],
};
const rules = { wildcards: true, localhostAny: true };

describe('a page of another origin calls for a client', () => {
  it.each([
    ['https://app.example.com', true],
    ['https://other.example.com', true],
    ['https://silent.example.com', true],
    ['https://pr-1.preview.example.com', true],
    ['https://evilpreview.example.com', false],
    ['https://app.example.com.evil.com', false],
    ['https://app.example.com:8443', false],
    ['http://app.example.com', false],
    ['https://app.example.com/callback', false],
    ['https://app.example.com/', false],
    ['https://app.example.com@evil.com', false],
    ['null', false],
    ['', false],
    ['http://localhost:3000', false],
  ])('from %s: %s', (origin, expected) => {
    expect(isAllowedOrigin(client, origin, rules)).toBe(expected);
  });

  it('from any port of localhost where the client allows that, and the tenant is not a production one', () => {
    const local = { ...client, webOrigins: ['http://localhost:*'] };
    expect(isAllowedOrigin(local, 'http://localhost:3000', rules)).toBe(true);
    expect(isAllowedOrigin(local, 'http://localhost', rules)).toBe(true);
    expect(isAllowedOrigin(local, 'https://localhost:3000', rules)).toBe(false);
    expect(isAllowedOrigin(local, 'http://localhost:3000/x', rules)).toBe(false);
    expect(isAllowedOrigin(local, 'http://localhost:3000', { ...rules, localhostAny: false })).toBe(false);
  });
});
