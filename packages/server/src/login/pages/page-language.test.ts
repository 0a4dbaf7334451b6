import { describe, expect, it } from 'vitest';
import { chooseLanguage, parseAcceptLanguage, parseUiLocales } from './page-language.ts';

describe('the language of a page', () => {
  it.each([
    [['de'], ['en', 'de'], 'de'],
    [['de-CH'], ['en', 'de'], 'de'],
    [['DE-ch', 'en'], ['en', 'de-CH', 'de'], 'de-CH'],
    [['pt'], ['en', 'pt-BR'], 'pt-BR'],
    [['pt-PT'], ['en', 'pt-BR'], 'pt-BR'],
    [['zh-Hant-TW', 'fr'], ['en', 'fr'], 'fr'],
    [['it', 'ja'], ['es', 'en'], 'es'],
    [[], ['fr', 'en'], 'fr'],
    [['de'], [], 'en'],
  ])('for %j, where %j are offered, is %s', (wanted, offered, chosen) => {
    expect(chooseLanguage(wanted, offered)).toBe(chosen);
  });

  it('is read from ui_locales in its order', () => {
    expect(parseUiLocales(' fr-CA  fr en ')).toEqual(['fr-CA', 'fr', 'en']);
    expect(parseUiLocales(undefined)).toEqual([]);
  });

  it('is read from Accept-Language by its weights; what is refused or no tag is left out', () => {
    expect(parseAcceptLanguage('en;q=0.5, de-CH, fr;q=0.9, *;q=0.1, es;q=0, <script>;q=1')).toEqual([
      'de-CH',
      'fr',
      'en',
    ]);
  });

  it('is looked for in a bounded list only', () => {
    expect(parseUiLocales(Array(5_000).fill('de').join(' '))).toHaveLength(20);
    expect(parseAcceptLanguage(Array(5_000).fill('de').join(','))).toHaveLength(20);
  });
});
