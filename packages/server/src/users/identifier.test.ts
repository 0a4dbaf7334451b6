import { describe, expect, it } from 'vitest';
import { normaliseEmail, normaliseIdentifier, normalisePhone, normaliseUsername } from './identifier.ts';

describe('an e-mail address', () => {
  it.each([
    ['Ada@Example.COM', 'ada@example.com'],
    ['  ada@example.com ', 'ada@example.com'],
    ['ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ', 'ada@example.com'],
    ['ada+tag@example.co.uk', 'ada+tag@example.co.uk'],
    ['müller@müller.de', 'müller@müller.de'],
    ['mu\u0308ller@example.de', 'müller@example.de'],
    ["o'hara_1@sub.example.com", "o'hara_1@sub.example.com"],
  ])('%s counts as %s', (text, normal) => {
    expect(normaliseEmail(text)).toBe(normal);
    expect(normaliseEmail(normal)).toBe(normal);
  });

  it.each([
    '',
    'ada',
    'ada@',
    '@example.com',
    'ada@localhost',
    'a b@example.com',
    'ada@exa mple.com',
    'ada@-example.com',
    'ada@example..com',
    '.ada@example.com',
    'a..b@example.com',
    'ada@@example.com',
    'ada\0@example.com',
    'ada@example.com\r\nBcc: x@y.z',
    'ada@[127.0.0.1]',
    '"ada b"@example.com',
    'a\u202eb@example.com',
    'a\ud800@example.com',
    `${'a'.repeat(65)}@example.com`,
    `a@${'b.'.repeat(200)}com`,
    'a,b@example.com',
    '<ada@example.com>',
    'ada@example.com.',
  ])('can not be %j', (text) => {
    expect(normaliseEmail(text)).toBeUndefined();
  });
});

describe('an identifier', () => {
  it('has one form that does not change when it is taken again', () => {
    for (const text of ['İstanbul', 'ﬃ', 'ΑΣ', 'K', '１２３', 'Ǆ', 'ẞ']) {
      const normal = normaliseIdentifier(text) ?? '';
      expect(normaliseIdentifier(normal)).toBe(normal);
    }
  });

  it('is a username of letters, digits and the signs that Auth0 allows', () => {
    expect(normaliseUsername("Ada_1+-.!#$'^`~@")).toBe("ada_1+-.!#$'^`~@");
    for (const text of ['a b', 'a/b', 'a|b', '<b>', 'a"b', '']) expect(normaliseUsername(text)).toBeUndefined();
  });

  it('is a phone number in international form', () => {
    expect(normalisePhone('+49 (171) 123-45.67')).toBe('+491711234567');
    for (const text of ['0171', '+', '+1234567890123456', '+49a']) expect(normalisePhone(text)).toBeUndefined();
  });
});
