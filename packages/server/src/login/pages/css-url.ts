const LONGEST_URL = 2_048;

/** `url(…)` of an https address. What could end it, or the style element around it, is written as a CSS escape. */
export function cssImage(value: unknown): string | undefined {
  const url = httpsUrl(value);
  return url && `url(${escapeCss(url.href)})`;
}

/** A font file and the origin that the page's policy has to allow; a style sheet is none. */
export function cssFont(value: unknown): { readonly rule: string; readonly origin: string } | undefined {
  const url = httpsUrl(value);
  if (!url) return undefined;
  return {
    rule: `@font-face{font-family:brand;font-display:swap;src:url(${escapeCss(url.href)})}`,
    origin: url.origin,
  };
}

function httpsUrl(value: unknown): URL | undefined {
  if (typeof value !== 'string' || value.length > LONGEST_URL || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  return url.protocol === 'https:' && url.username === '' && url.password === '' ? url : undefined;
}

/** CSS Syntax 3, section 4.3.7: a backslash, the code point and a blank. */
function escapeCss(text: string): string {
  return text.replace(/[^\w./:?=%~+,@$!-]/g, (character) => `\\${character.codePointAt(0)?.toString(16)} `);
}
