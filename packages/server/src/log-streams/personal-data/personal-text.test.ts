import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPersonalDataMask } from './mask-personal-data.ts';
import { PERSONAL_FIELDS } from './personal-fields.ts';

const word = fc.string({
  unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyzäöü0123456789'),
  minLength: 5,
  maxLength: 12,
});
const around = fc.string({ unit: fc.constantFrom(...' ,;:()[]<>"\'\n/|&?=-.'), maxLength: 3 });

/** Where a text may stand in an event. */
const places: ((text: string) => Record<string, unknown>)[] = [
  (description) => ({ description }),
  (text) => ({ details: { body: { note: text } } }),
  (text) => ({ details: [{ list: ['x', text] }] }),
  (text) => ({ details: { path: `/u?next=${encodeURIComponent(text)}` } }),
  (text) => ({ details: { json: JSON.stringify({ text }) } }),
  (text) => ({ user_id: `auth0|${text}` }),
  (text) => ({ details: { [text]: true } }),
];

describe('a value that the record names as personal', () => {
  it('is nowhere else in it', async () => {
    const mask = await createPersonalDataMask({ log_fields: PERSONAL_FIELDS, method: 'mask' });
    const check = fc.property(word, around, around, fc.constantFrom(...places), (value, left, right, place) => {
      const masked = mask({ type: 's', ...place(left + value + right), user: { given_name: value } });
      expect(JSON.stringify(masked)).not.toContain(value);
    });
    fc.assert(check, { numRuns: 500 });
  });

  it('is hidden as an address, too, where no member names it', async () => {
    const mask = await createPersonalDataMask({ log_fields: ['email'], method: 'mask' });
    const check = fc.property(
      word,
      word,
      around,
      around,
      fc.constantFrom(...places),
      (user, host, left, right, place) => {
        const masked = JSON.stringify(mask({ type: 's', ...place(`${left}${user}@${host}.example${right}`) }));
        expect(masked).not.toContain(`${user}@`);
        expect(masked).not.toContain(`${user}%40`);
      },
    );
    fc.assert(check, { numRuns: 500 });
  });
});
