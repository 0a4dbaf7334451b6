import { describe, expect, it } from 'vitest';
import { guarded } from '../../test/guarded.ts';
import { LONGEST_TOKEN, readBearer } from './read-bearer.ts';

describe('an Authorization header', () => {
  it.each([
    ['Bearer abc.def-_~+/9==', 'abc.def-_~+/9=='],
    ['bearer abc', 'abc'],
    ['BEARER   abc', 'abc'],
    [`Bearer ${'a'.repeat(LONGEST_TOKEN)}`, 'a'.repeat(LONGEST_TOKEN)],
  ])('holds a token: %.40s', (header, token) => {
    expect(readBearer(header)).toEqual({ token });
  });

  it.each([undefined, '', 'Basic YTpi', 'DPoP abc', 'Bearerabc', 'abc', ' Bearer abc'])(
    'says nothing of bearers: %s',
    (header) => {
      expect(readBearer(header)).toEqual({ fault: 'missing' });
    },
  );

  it.each([
    ['no token', 'Bearer'],
    ['an empty token', 'Bearer '],
    ['two tokens', 'Bearer one two'],
    ['two headers in one', 'Bearer one, Bearer two'],
    ['a line break', 'Bearer one\r\nset-cookie: a=b'],
    ['a letter of no token', 'Bearer caf\u00e9'],
    ['a zero byte', 'Bearer a\0b'],
    ['a token in quotes', 'Bearer "abc"'],
    ['a byte more than 16 KB', `Bearer ${'a'.repeat(LONGEST_TOKEN + 1)}`],
    ['100 KB', `Bearer ${'a'.repeat(100_000)}`],
  ])('with %s is refused without a question', async (_what, header) => {
    const { guard, asked } = guarded();
    expect(await guard.check(header)).toMatchObject({ outcome: 'refused', reason: 'malformed' });
    expect(asked).toEqual([]);
  });
});

describe('the answer to a refused request', () => {
  it('says nothing of an error to who sent no token (RFC 6750 section 3.1)', async () => {
    const decision = await guarded().guard.check(undefined);
    expect(decision).toMatchObject({
      answer: { status: 401, headers: { 'www-authenticate': 'Bearer realm="https://venues"' } },
    });
  });

  it('names invalid_token and a reason', async () => {
    const { guard } = guarded({}, { active: false, reason: 'revoked' });
    expect(await guard.check('Bearer at')).toMatchObject({
      answer: {
        status: 401,
        headers: {
          'www-authenticate':
            'Bearer realm="https://venues", error="invalid_token", error_description="The access token was revoked"',
        },
        body: { error: 'invalid_token', error_description: 'The access token was revoked' },
      },
    });
  });

  it.each(['constructor', '__proto__', '"\r\nset-cookie: a=b'])(
    'lets the reason %j of a service do nothing',
    async (reason) => {
      const { guard } = guarded({ audience: 'a "quoted"\r\nname' }, { active: false, reason });
      expect(await guard.check('Bearer at')).toMatchObject({
        answer: {
          headers: {
            'www-authenticate':
              'Bearer realm="a \\"quoted\\"name", error="invalid_token", error_description="The access token is not valid"',
          },
        },
      });
    },
  );
});
