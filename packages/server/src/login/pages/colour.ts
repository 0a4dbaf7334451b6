// Brand colours come from people who look at one screen. Whatever they choose, text stays readable: WCAG 2.2 (1.4.3) asks
// for a contrast of 4.5. The outline of a button needs none, its text names it (1.4.11), so that a bright brand stays bright.

export interface ThemeColours {
  /** The button. */
  readonly accent: string;
  readonly accentHover: string;
  /** Text on the button: white, or black where white can't be read. */
  readonly onAccent: string;
  /** Text in the brand colour on the card. */
  readonly link: string;
}

export const DEFAULT_PRIMARY = '#0b6b62';
/** The card of each theme; page.css paints it in the same colours. */
export const CARD = { light: '#ffffff', dark: '#171a1f' } as const;
export const TEXT_CONTRAST = 4.5;
/** Enough to see that there is a button. */
const SURFACE_CONTRAST = 1.4;
/** Thin text on a dark card needs more than the minimum. */
const DARK_TEXT_CONTRAST = 6;
const WHITE = '#ffffff';
const BLACK = '#000000';

/**
 * `#rgb` or `#rrggbb` as `#rrggbb`; with a fourth part, transparency, what it looks like on `behind`. Anything else, above
 * all anything that CSS could read otherwise, is undefined.
 */
export function parseColour(value: unknown, behind?: string): string | undefined {
  if (typeof value !== 'string' || !/^#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i.test(value)) return undefined;
  const digits = value.slice(1).toLowerCase();
  const long = digits.length <= 4 ? [...digits].map((digit) => digit + digit).join('') : digits;
  const colour = `#${long.slice(0, 6)}`;
  if (long.length === 6) return colour;
  return behind === undefined ? undefined : mix(behind, colour, Number.parseInt(long.slice(6), 16) / 255);
}

/** The colour as text on `behind`, moved towards black or white as far as readability asks. */
export function readable(colour: string, behind: string): string {
  const away = contrast(behind, WHITE) > contrast(behind, BLACK) ? WHITE : BLACK;
  return moveUntil(colour, away, (candidate) => contrast(candidate, behind) >= TEXT_CONTRAST);
}

/** The brand colour on a card of this colour, moved towards black or white only as far as readability asks. */
export function themeColours(primary: string, card: string): ThemeColours {
  const away = contrast(card, WHITE) > contrast(card, BLACK) ? WHITE : BLACK;
  const enough = away === WHITE ? DARK_TEXT_CONTRAST : TEXT_CONTRAST;
  const accent = moveUntil(primary, away, (colour) => contrast(colour, card) >= SURFACE_CONTRAST);
  // One of the two always reaches 4.58; white is the one that people expect on a button.
  const onAccent = contrast(accent, WHITE) >= TEXT_CONTRAST ? WHITE : BLACK;
  return {
    accent,
    accentHover: mix(accent, onAccent === WHITE ? BLACK : WHITE, 0.14),
    onAccent,
    link: moveUntil(primary, away, (colour) => contrast(colour, card) >= enough),
  };
}

/** WCAG's contrast ratio of two `#rrggbb` colours, 1 to 21. */
export function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function moveUntil(colour: string, target: string, isEnough: (colour: string) => boolean): string {
  for (let share = 0; share < 1; share += 0.04) {
    const candidate = mix(colour, target, share);
    if (isEnough(candidate)) return candidate;
  }
  return target;
}

export function mix(colour: string, target: string, share: number): string {
  const to = channels(target);
  const mixed = channels(colour).map((value, index) => Math.round(value + ((to[index] ?? 0) - value) * share));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = channels(colour).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}
