import { describe, expect, it } from 'vitest';
import type { Connection } from '../connections/connection.ts';
import { parsePeriod } from '../kit/period.ts';
import { draftUser, type NewDatabaseUser } from './create-user.ts';
import { checkMetadata, mergeMetadata } from './metadata.ts';

function directory(options: Record<string, unknown>): Connection {
  return {
    id: 'con_1',
    name: 'people',
    strategy: 'auth0',
    isSystem: false,
    displayName: undefined,
    options,
    realms: ['people'],
    isDomainConnection: false,
    showAsButton: undefined,
    metadata: undefined,
    enabledClients: [],
    otherFields: {},
  };
}

const email = 'ada@example.com';
const active = { identifier: { active: true } };
const phones = { attributes: { phone_number: { ...active, signup: { status: 'required' } } } };

describe('a new user of a directory', () => {
  it.each<[string, Record<string, unknown>, NewDatabaseUser, object]>([
    ['an e-mail', {}, { email }, { name: email, nickname: 'ada' }],
    [
      'a username',
      { requires_username: true },
      { email, username: 'Countess' },
      { username: 'countess', nickname: 'countess' },
    ],
    [
      'a phone number',
      phones,
      { phoneNumber: '+4917112345' },
      { name: '+4917112345', email: undefined, emailVerified: false },
    ],
    [
      'a username of its own length',
      { requires_username: true, validation: { username: { min: 3, max: 20 } } },
      { email, username: 'a-rather-long-name' },
      { username: 'a-rather-long-name' },
    ],
    [
      'an e-mail as username where that is allowed',
      { attributes: { username: { ...active, validation: { max_length: 128, allowed_types: { email: true } } } } },
      { username: 'Ada@Example.com' },
      { username: email, email: undefined },
    ],
  ])('is made from %s', (_case, options, input, expected) => {
    expect(draftUser(directory(options), input)).toMatchObject(expected);
  });

  it.each<[string, Record<string, unknown>, NewDatabaseUser, RegExp]>([
    ['nothing', {}, {}, /Missing required property: email/],
    ['no username', { requires_username: true }, { email }, /missing username for people connection/],
    ['a username too much', {}, { email, username: 'ada' }, /without requires_username/],
    ['a long username', { requires_username: true }, { email, username: 'sixteen-letters-' }, /between 1 and 15/],
    [
      'a stranger’s e-mail as username',
      { requires_username: true },
      { email, username: 'b@b.com' },
      /must not be an e-mail/,
    ],
    [
      'a stranger’s phone as username',
      { requires_username: true },
      { email, username: '+49171123' },
      /must not be a phone/,
    ],
    ['a username with signs', { requires_username: true }, { email, username: 'a/b' }, /can only contain/],
    ['no phone number', phones, {}, /Missing required property: phone_number/],
    ['an e-mail where there are none', phones, { email, phoneNumber: '+49171' }, /Cannot set email/],
    ['a phone number that is none', {}, { email, phoneNumber: '0171' }, /phone_number/],
    ['NUL in a name', {}, { email, name: 'a\0b' }, /can't be stored/],
    ['NUL in metadata', {}, { email, userMetadata: { a: ['\0'] } }, /user_metadata/],
    ['a bar of blanks as id', {}, { email, userId: '\u00a0' }, /pattern/],
  ])('is not made from %s', (_case, options, input, message) => {
    expect(() => draftUser(directory(options), input)).toThrow(message);
  });
});

describe('metadata', () => {
  it.each([
    [{ a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    [{ a: { x: 1, y: 2 } }, { a: { x: 3 } }, { a: { x: 3 } }],
    [{ a: 1, b: 2 }, { a: null }, { b: 2 }],
    [{ a: { b: 1 } }, { a: { b: null } }, { a: { b: null } }],
    [{ a: 1 }, {}, {}],
    [{}, JSON.parse('{"__proto__": {"admin": true}}'), JSON.parse('{"__proto__": {"admin": true}}')],
  ])('%j changed by %j is %j', (before, change, after) => {
    const merged = mergeMetadata(before, change);
    expect(JSON.stringify(merged)).toBe(JSON.stringify(after));
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  });

  it('is bounded in size and depth', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`);
    expect(() => checkMetadata('app_metadata', deep)).toThrow(/nested deeper/);
    expect(() => checkMetadata('app_metadata', { a: 'x'.repeat(1_000_001) })).toThrow(/larger than/);
    expect(() => checkMetadata('app_metadata', { a: '\ud800' })).toThrow(/surrogate/);
  });
});

describe('a time in a search', () => {
  it.each([
    ['2024', '2024-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z'],
    ['2024-12', '2024-12-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z', '2024-03-01T00:00:00.000Z'],
    ['2024-02-29T23:59', '2024-02-29T23:59:00.000Z', '2024-03-01T00:00:00.000Z'],
    ['2024-02-29T23:59:59.5+02:00', '2024-02-29T21:59:59.500Z', '2024-02-29T21:59:59.501Z'],
    ['0099-12-31', '0099-12-31T00:00:00.000Z', '0100-01-01T00:00:00.000Z'],
  ])('%s is the period from %s to before %s', (text, start, end) => {
    expect(parsePeriod(text)).toEqual({ start: new Date(start), end: new Date(end) });
  });

  it.each(['', '24', '2023-02-29', '2024-13', '2024-01-01T25', '2024-01-01T00:00:00+99:00', '2024-1-1', 'now'])(
    'is not %j',
    (text) => {
      expect(parsePeriod(text)).toBeUndefined();
    },
  );
});
