import { describe, expect, it } from 'vitest';
import { createPersonalDataMask, type PersonalDataSettings } from './mask-personal-data.ts';
import { COVERED, PERSONAL_FIELDS, type PersonalField } from './personal-fields.ts';

const ADA = {
  email: 'ada@example.com',
  username: 'ada.l',
  given_name: 'Ada',
  family_name: 'Lovelace',
  name: 'Ada Lovelace',
  phone_number: '+44 20 7946 0018',
  address: { street_address: '12 St James Square', postal_code: 'SW1Y 4JH', country: 'GB' },
};

async function masked(log_fields: readonly PersonalField[], data: Record<string, unknown>, more = {}) {
  const mask = await createPersonalDataMask({ log_fields, ...more } as PersonalDataSettings);
  return mask(data);
}

describe('personal data in a stream', () => {
  it('stays where nothing is said about it', async () => {
    const data = { type: 's', user_name: ADA.email };
    expect((await createPersonalDataMask(undefined))(data)).toEqual(data);
  });

  it.each(PERSONAL_FIELDS.flatMap((field) => COVERED[field].map((member): [PersonalField, string] => [field, member])))(
    '%s hides the member %s, at any depth and however it is written',
    async (field, member) => {
      const camel = member.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
      const data = await masked([field], {
        [member]: 'xyzzy',
        details: { a: [{ [camel]: 'xyzzy' }], [member.toUpperCase()]: { b: ['xyzzy', 5, true, null] } },
      });
      expect(data).toEqual({
        [member]: '*****',
        details: { a: [{ [camel]: '*****' }], [member.toUpperCase()]: { b: ['*****', '*****', true, null] } },
      });
    },
  );

  it('hides nothing that it was not asked to hide', async () => {
    expect(await masked(['phone'], { details: ADA })).toEqual({ details: { ...ADA, phone_number: '*****' } });
    expect(await masked(['email'], { details: { email_verified: true, usernames: 'a', renamed: 'b' } })).toEqual({
      details: { email_verified: true, usernames: 'a', renamed: 'b' },
    });
  });

  it('hides what other texts repeat of it, in whole words and any case', async () => {
    const data = await masked([...PERSONAL_FIELDS], {
      type: 'fs',
      description: 'ADA Lovelace (ada.l) of 12 St James Square: the adapter failed, call +44 20 7946 0018.',
      user_name: ADA.email,
      user_id: 'auth0|ada.l',
      details: { body: ADA, note: 'Mail to ada@example.com bounced', path: '/u?login=Ada%20Lovelace&x=Ada+Lovelace' },
    });
    expect(data).toMatchObject({
      type: 'fs',
      description: '***** (*****) of *****: the adapter failed, call *****.',
      user_name: '*****',
      user_id: 'auth0|*****',
      details: { note: 'Mail to ***** bounced', path: '/u?login=*****&x=*****' },
    });
    expect(JSON.stringify(data)).not.toMatch(/\bada\b|lovelace|7946|sw1y/i);
  });

  it.each([
    ['An account for grace.hopper+navy@mail.example.org exists.', 'An account for ***** exists.'],
    ['/signup?hint=grace%40example.org&a=b', '/signup?hint=*****&a=b'],
    ['Grace <grace@example.org>, "g@b.c"', 'Grace <*****>, "*****"'],
    ['{"email":"grace"}', '{"email":"*****"}'],
    ['{\\"email\\": \\"grace\\"}', '{\\"email\\": \\"*****\\"}'],
    ['email=grace&connection=a', 'email=*****&connection=a'],
    ['nothing of it here: 2026-11-22 @ noon', 'nothing of it here: 2026-11-22 @ noon'],
  ])('hides addresses that stand in a text: %s', async (description, expected) => {
    expect((await masked(['email'], { description })).description).toBe(expected);
  });

  it.each([
    ['Sent to +15551234567.', 'Sent to *****.'],
    ['Sent to +49 (30) 901820', 'Sent to *****'],
    ['?phone_number=%2B4930901820&x=1', '?phone_number=*****&x=1'],
    ['1 + 1 = 2, 1700000000000', '1 + 1 = 2, 1700000000000'],
  ])('hides numbers that stand in a text: %s', async (description, expected) => {
    expect((await masked(['phone'], { description })).description).toBe(expected);
  });

  it('leaves what says which event it is, and the names of programs and pages', async () => {
    const data = {
      date: '2026-11-22T12:00:00.000Z',
      type: 's',
      log_id: '900',
      _id: '900',
      auth0_client: { name: 'auth0-spa-js', version: '2' },
      details: { prompts: [{ name: 'prompt-authenticate' }], error: { name: 'AccessDenied' } },
    };
    expect(await masked([...PERSONAL_FIELDS], { ...data, user_name: 's' })).toEqual({ ...data, user_name: '*****' });
  });

  it.each(['action', 'rule', 'hook', 'script'])(
    'leaves the name of the %s that refused, and texts with it',
    async (code) => {
      const data = { type: 'f', description: 'No login today', details: { [code]: { id: 'x', name: 'login' } } };
      expect(await masked(['first_name'], data)).toEqual(data);
    },
  );

  it('hides members whose name is personal data', async () => {
    expect(await masked(['email'], { details: { 'ada@example.com': 1 } })).toEqual({ details: { '*****': 1 } });
  });

  it('gives the same hash to the same value, wherever it stands', async () => {
    const data = await masked(
      ['email'],
      {
        user_name: 'ada@example.com',
        description: 'mail to ada@example.com',
        details: {
          email: 'ada@example.com',
          query: 'email=ada%40example.com',
          other: { email: 'abc' },
          json: '{"email":"a"}',
        },
      },
      { method: 'hash', algorithm: 'xxhash' },
    );
    // XXH64 with the seed 0.
    const hash = 'd9dac4843d038bcd';
    expect(data).toEqual({
      user_name: hash,
      description: `mail to ${hash}`,
      details: {
        email: hash,
        query: `email=${hash}`,
        other: { email: '44bc2cf5ad770999' },
        json: '{"email":"d24ec4f1a98c6e5b"}',
      },
    });
  });

  it('hides all texts where an event repeats more values than can be looked for', async () => {
    const people = Array.from({ length: 200 }, (_, index) => ({ email: `person-${index}@example.com` }));
    const data = await masked(['username', 'email'], { type: 'sapi', description: 'person-199', details: { people } });
    expect(data).toMatchObject({ type: 'sapi', description: '*****' });
    expect(JSON.stringify(data)).not.toContain('person-');
  });

  it.each([
    'a.'.repeat(50_000),
    '@'.repeat(100_000),
    '+1 '.repeat(30_000),
    '"email":"'.repeat(10_000),
    `email=${'%'.repeat(90_000)}`,
  ])('reads a hostile text in one pass (%#)', async (description) => {
    const data = await masked([...PERSONAL_FIELDS], { description, details: { name: 'a.a.a.a', email: '@@' } });
    expect(data).toHaveProperty('description');
  });

  it('ends at a record without end', async () => {
    let details: Record<string, unknown> = { email: 'ada@example.com' };
    for (let depth = 0; depth < 5_000; depth++) details = { details, text: 'ada@example.com' };
    expect(JSON.stringify(await masked(['email'], { details }))).not.toContain('ada@example.com');
  });
});
