import { describe, expect, it } from 'vitest';
import { urlFault } from './url-entry.ts';

describe('registering a callback URL', () => {
  it.each([
    'https://app.example.com/callback',
    'https://app.example.com:8443/callback?x=1',
    'http://localhost:3000',
    'http://127.0.0.1:3000/callback',
    'http://[::1]:3000/callback',
    'com.example.app://login',
    'com.example.app:/login',
    'https://*.example.com/callback',
    'https://pr-*-web.example.com/callback',
    'https://{organization_name}.example.com/callback',
    'http://localhost:*',
  ])('accepts %s', (entry) => {
    expect(urlFault(entry, 'callback', false)).toBeUndefined();
  });

  it.each([
    '',
    '/callback',
    '//app.example.com/callback',
    'app.example.com/callback',
    '*.svc.cluster.local/callback',
    'https://app.example.com/callback#x',
    'https://user@app.example.com/callback',
    'https://user:pass@app.example.com/callback',
    'https://@app.example.com/callback',
    'https://app.example.com\\callback',
    'https://app.example.com/call back',
    ' https://app.example.com/callback',
    'https://app.example.com/callback\n',
    'https://app.example.com/r\u00fcckruf',
    'https://\u0430pp.example.com/callback',
    'https:app.example.com/callback',
    'https:///callback',
    'https://',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'blob:https://app.example.com/1',
    'file:///etc/passwd',
    'https://*.com/callback',
    'https://*/callback',
    'https://*.*.example.com/callback',
    'https://a.*.example.com/callback',
    'https://example.com/*',
    'https://example.com:*/callback',
    'https://localhost:*',
    'http://localhost:*/callback',
    'com.example.app://*.example.com/callback',
    'https://app.{organization_name}.example.com/callback',
    'https://{anything}.example.com/callback',
    `https://app.example.com/${'a'.repeat(2_048)}`,
  ])('refuses %s', (entry) => {
    expect(urlFault(entry, 'callback', false)).toBe('malformed');
  });

  it('refuses http://localhost:* in a production tenant', () => {
    expect(urlFault('http://localhost:*', 'callback', true)).toBe('production');
    expect(urlFault('http://localhost:*', 'origin', true)).toBe('production');
    expect(urlFault('http://localhost:3000', 'origin', true)).toBeUndefined();
  });
});

describe('registering an origin', () => {
  it.each([
    ['https://app.example.com', undefined],
    ['https://app.example.com/', undefined],
    ['http://localhost:3000', undefined],
    ['capacitor://localhost', undefined],
    ['https://*.example.com', undefined],
    ['https://app.example.com/path', 'malformed'],
    ['https://app.example.com?x=1', 'malformed'],
    ['*', 'malformed'],
    ['null', 'malformed'],
  ])('%s: %s', (entry, fault) => {
    expect(urlFault(entry, 'origin', false)).toBe(fault);
  });
});
