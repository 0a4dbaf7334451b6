import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CARD, contrast, parseColour, TEXT_CONTRAST, themeColours } from './colour.ts';

const anyColour = fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`);

describe('brand colours', () => {
  it('give readable buttons and links in both themes, whatever the brand', () => {
    fc.assert(
      fc.property(anyColour, fc.constantFrom(CARD.light, CARD.dark), (primary, card) => {
        const { accent, accentHover, onAccent, link } = themeColours(primary, card);
        expect(contrast(accent, onAccent)).toBeGreaterThanOrEqual(TEXT_CONTRAST);
        expect(contrast(accentHover, onAccent)).toBeGreaterThanOrEqual(TEXT_CONTRAST);
        expect(contrast(link, card)).toBeGreaterThanOrEqual(TEXT_CONTRAST);
        expect(contrast(accent, card)).toBeGreaterThan(1.3);
      }),
      { numRuns: 2_000 },
    );
  });

  it('stay as they are where they can be seen', () => {
    expect(themeColours('#f2b705', CARD.light)).toMatchObject({ accent: '#f2b705', onAccent: '#000000' });
    expect(themeColours('#0b6b62', CARD.light)).toMatchObject({
      accent: '#0b6b62',
      link: '#0b6b62',
      onAccent: '#ffffff',
    });
  });

  it('measure contrast as WCAG does', () => {
    expect(contrast('#000000', '#ffffff')).toBe(21);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
  });

  it.each(['red', '#12345', '#fff;}', ' #fff', '#ggg', 'rgb(0,0,0)', 'var(--x)', 7, null])('refuse %j', (value) => {
    expect(parseColour(value)).toBeUndefined();
  });

  it('come in the short form too', () => expect(parseColour('#Fa0')).toBe('#ffaa00'));
});
