import { describe, expect, it } from 'vitest';
import { DeclaredError } from '../kit/errors.ts';
import { argon2idHash } from './formats/argon2.ts';
import { runHashJob } from './hash-job.ts';
import { asManagementError } from './password-errors.ts';
import type { FlexiblePasswordOptions, PasswordOptions } from './password-options.ts';
import { checkPassword, checkPasswordHistory, historySize, type PasswordOwner } from './password-policy.ts';

const ada: PasswordOwner = {
  email: 'lovelace@analytical.example',
  name: 'Ada King',
  username: 'countess',
  nickname: 'al',
  user_metadata: { first: 'Augusta', last: 42, name: null },
};

function faultOf(options: PasswordOptions, password: string, owner: PasswordOwner = {}): unknown {
  try {
    checkPassword(options, password, owner);
    return 'fine';
  } catch (error) {
    return error instanceof DeclaredError ? error.extra.name : error;
  }
}

function refusalOf(options: PasswordOptions, password: string): DeclaredError {
  try {
    checkPassword(options, password, {});
  } catch (error) {
    if (error instanceof DeclaredError) return error;
    throw error;
  }
  throw new Error('The password was accepted.');
}

describe('password strength', () => {
  it.each([
    ['none', '', false],
    ['none', 'a', true],
    ['low', 'abcde', false],
    ['low', 'abcdef', true],
    ['fair', 'Abcdef1', false],
    ['fair', 'abcdefg1', false],
    ['fair', 'ABCDEFG1', false],
    ['fair', 'Abcdefgh', false],
    ['fair', 'Abcdefg1', true],
    ['good', 'Abcde1!', false],
    ['good', 'abcdefg1', false],
    ['good', 'abcdef1!', true],
    ['good', 'ABCDEF1 ', true],
    ['good', 'Abcdefg1', true],
    ['good', 'abcdefgé', false],
    ['excellent', 'Abcdefg1!', false],
    ['excellent', 'Abcdefgh1!', true],
    ['excellent', 'Abcdefgg1!', true],
    ['excellent', 'Abcdeggg1!', false],
    ['excellent', 'aaBBaaBB11', true],
    ['excellent', 'aAaAaAaAaA', false],
  ] as const)('%s and %j', (passwordPolicy, password, fine) => {
    expect(faultOf({ passwordPolicy }, password)).toBe(fine ? 'fine' : 'PasswordStrengthError');
  });

  it('asks for a non-empty password where no policy is set', () => {
    expect(faultOf({}, '')).toBe('PasswordStrengthError');
    expect(faultOf({ passwordPolicy: null, password_complexity_options: null }, 'x')).toBe('fine');
  });

  it('takes the length from password_complexity_options where it is set', () => {
    const options: PasswordOptions = { passwordPolicy: 'low', password_complexity_options: { min_length: 12 } };
    expect(faultOf(options, 'elevenchars')).toBe('PasswordStrengthError');
    expect(faultOf(options, 'twelve chars')).toBe('fine');
  });

  it('explains each rule as SDKs expect it', () => {
    const refusal = refusalOf({ passwordPolicy: 'excellent' }, 'aaa');
    expect(refusal).toMatchObject({ status: 400, code: 'invalid_password', message: 'Password is too weak' });
    expect(refusal.extra).toEqual({
      name: 'PasswordStrengthError',
      message: 'Password is too weak',
      policy: [
        '* At least 10 characters in length',
        '* Contain at least 3 of the following 4 types of characters:',
        ' * lower case letters (a-z)',
        ' * upper case letters (A-Z)',
        ' * numbers (i.e. 0-9)',
        ' * special characters (e.g. !@#$%^&*)',
        '* No more than 2 identical characters in a row (e.g., "aaa" not allowed)',
      ].join('\n'),
      description: {
        verified: false,
        rules: [
          { message: 'At least %d characters in length', format: [10], code: 'lengthAtLeast', verified: false },
          {
            message: 'Contain at least %d of the following %d types of characters:',
            format: [3, 4],
            code: 'containsAtLeast',
            items: [
              { message: 'lower case letters (a-z)', code: 'lowerCase', verified: true },
              { message: 'upper case letters (A-Z)', code: 'upperCase', verified: false },
              { message: 'numbers (i.e. 0-9)', code: 'numbers', verified: false },
              { message: 'special characters (e.g. !@#$%^&*)', code: 'specialCharacters', verified: false },
            ],
            verified: false,
          },
          {
            message: 'No more than %d identical characters in a row (e.g., "%s" not allowed)',
            format: [2, 'aaa'],
            code: 'identicalChars',
            verified: false,
          },
        ],
      },
    });
  });

  it('is one sentence at the Management API', () => {
    const refusal = asManagementError(refusalOf({ passwordPolicy: 'low' }, 'abc'));
    expect(refusal).toMatchObject({
      status: 400,
      code: undefined,
      message: 'PasswordStrengthError: Password is too weak',
    });
    const other = new Error('other');
    expect(asManagementError(other)).toBe(other);
  });

  it.each([
    ['with NUL', 'Abcdefg1\0'],
    ['that is no valid text', 'Abcdefg1\udc00'],
    ['of 1,025 bytes', 'Aa1'.padEnd(1_025, 'x')],
  ])('refuses a password %s', (_, password) => {
    expect(refusalOf({ passwordPolicy: 'good' }, password)).toMatchObject({ status: 400, code: 'invalid_password' });
  });
});

describe('the password dictionary', () => {
  const options: PasswordOptions = { password_dictionary: { enable: true, dictionary: ['Gatewright', 'acme2026'] } };

  it.each(['password', 'PassWord', '123456', 'qwertyuiop', 'gatewright', 'ACME2026'])('refuses %s', (password) => {
    expect(faultOf(options, password)).toBe('PasswordDictionaryError');
  });

  it('accepts what stands in no list, and everything where it is off', () => {
    expect(faultOf(options, 'password of mine')).toBe('fine');
    expect(faultOf({ password_dictionary: { enable: false, dictionary: ['x'] } }, 'password')).toBe('fine');
  });
});

describe('personal data in a password', () => {
  const options: PasswordOptions = { password_no_personal_info: { enable: true } };

  it.each(['xLOVELACEx', 'ada4ever!', 'the-king-1', 'Countess99', 'augusta'])('refuses %s', (password) => {
    expect(faultOf(options, password, ada)).toBe('PasswordNoUserInfoError');
  });

  it.each(['analytical.example', 'almond42', 'unrelated'])('accepts %s', (password) => {
    expect(faultOf(options, password, ada)).toBe('fine');
  });
});

describe('password_options, the finer form', () => {
  const complex = (complexity: FlexiblePasswordOptions['complexity'] = {}): PasswordOptions => ({
    passwordPolicy: 'excellent',
    password_options: { complexity },
  });

  it.each([
    [{}, 'x', true],
    [{ min_length: 5 }, 'four', false],
    [{ character_types: ['number', 'lowercase'] }, 'abc', false],
    [{ character_types: ['number', 'lowercase'] }, 'abc1', true],
    [
      { character_types: ['number', 'lowercase', 'uppercase', 'special'], character_type_rule: 'three_of_four' },
      'aB1',
      true,
    ],
    [{ character_types: ['number', 'lowercase', 'uppercase', 'special'], character_type_rule: 'all' }, 'aB1', false],
    [{ identical_characters: 'block' }, 'xaaax', false],
    [{ identical_characters: 'allow' }, 'xaaax', true],
    [{ sequential_characters: 'block' }, 'xabcx', false],
    [{ sequential_characters: 'block' }, 'x321x', false],
    [{ sequential_characters: 'block' }, 'abab89:;<', true],
    [{ max_length_exceeded: 'error' }, 'é'.repeat(37), false],
    [{ max_length_exceeded: 'truncate' }, 'é'.repeat(37), true],
  ] as const)('%j and %j', (complexity, password, fine) => {
    expect(faultOf(complex(complexity), password)).toBe(fine ? 'fine' : 'PasswordStrengthError');
  });

  it('blocks the named profile fields and the dictionary', () => {
    const options: PasswordOptions = {
      password_options: {
        dictionary: { active: true, custom: ['Acme'] },
        profile_data: { active: true, blocked_fields: ['user_metadata.first', 'constructor.name'] },
      },
    };
    expect(faultOf(options, 'acme', ada)).toBe('PasswordDictionaryError');
    expect(faultOf(options, 'my augusta', ada)).toBe('PasswordNoUserInfoError');
    expect(faultOf(options, 'my countess', ada)).toBe('fine');
  });
});

describe('the password history', () => {
  const hashes = ['newest', 'older', 'oldest'].map(argon2idHash);
  const verify = async (_: string, password: string, stored = '') => runHashJob({ kind: 'verify', password, stored });
  const check = (options: PasswordOptions, password: string) =>
    checkPasswordHistory(options, password, { tenantId: 'acme', hashes }, { verify });

  it('refuses one of the last passwords, as many as the connection remembers', async () => {
    const options: PasswordOptions = { password_history: { enable: true, size: 2 } };
    await expect(check(options, 'older')).rejects.toMatchObject({
      code: 'invalid_password',
      message: 'Password has previously been used',
      extra: { name: 'PasswordHistoryError' },
    });
    await expect(check(options, 'oldest')).resolves.toBeUndefined();
  });

  it('keeps nothing where it is off, and 24 at most', async () => {
    await expect(check({}, 'newest')).resolves.toBeUndefined();
    expect(historySize({ password_history: { enable: false, size: 5 } })).toBe(0);
    expect(historySize({ password_history: { enable: true, size: 99 } })).toBe(24);
    expect(historySize({ password_options: { history: { active: true, size: 3 } } })).toBe(3);
  });
});
