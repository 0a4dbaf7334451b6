import { describe, expect, it } from 'vitest';
import { readTexts } from '../page-texts.ts';

const { en: english = {}, ...others } = readTexts();
const wanted = flat(english);

describe('the texts of the pages', () => {
  it('are there in English, German, Spanish and French', () => {
    expect(Object.keys(others).sort()).toEqual(['de', 'es', 'fr']);
  });

  describe.each(Object.entries(others))('in %s', (_language, texts) => {
    const given = flat(texts);

    it('have every key of the English ones, and no other', () => {
      expect([...given.keys()].sort()).toEqual([...wanted.keys()].sort());
    });

    it('have the same placeholders', () => {
      for (const [key, text] of given) expect([key, placeholders(text)]).toEqual([key, placeholders(wanted.get(key))]);
    });

    it('are text: not empty, without blanks at their ends, and without tags', () => {
      for (const [key, text] of given)
        expect([key, text]).toEqual([key, expect.stringMatching(/^[^\s<>]$|^\S[^<>]*\S$/)]);
    });
  });

  it('address people in one form in each language: Sie, tú, vous', () => {
    expect(wordsIn('de', /(?<!\p{L})(?:du|dein\w*|dir|dich)(?!\p{L})/iu)).toEqual([]);
    expect(wordsIn('es', /(?<!\p{L})(?:usted|su cuenta|su contraseña)(?!\p{L})/iu)).toEqual([]);
    expect(wordsIn('fr', /(?<!\p{L})(?:tu|ton|ta|tes|toi)(?!\p{L})/iu)).toEqual([]);
  });

  it('have the spaces of their typography: French ones do not break before ? ! : ;', () => {
    expect(wordsIn('fr', /(?:\S| )[?!:;](?:\s|$)/).filter((text) => !/[\u00a0\u202f][?!:;]/.test(text))).toEqual([]);
  });
});

function wordsIn(language: string, pattern: RegExp): string[] {
  return [...flat(others[language] ?? {}).values()].filter((text) => pattern.test(text));
}

function placeholders(text = ''): string[] {
  return (text.match(/\$\{\w+\}/g) ?? []).sort();
}

function flat(value: object, path = ''): Map<string, string> {
  return new Map(
    Object.entries(value).flatMap(([key, item]): [string, string][] =>
      typeof item === 'string' ? [[`${path}${key}`, item]] : [...flat(Object(item), `${path}${key}/`)],
    ),
  );
}
