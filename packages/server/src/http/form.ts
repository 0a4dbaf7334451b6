/** Parameters of a query string or of an application/x-www-form-urlencoded body. */
export interface Form {
  /** The first value of each name; a map without a prototype. */
  readonly values: Readonly<Record<string, string>>;
  /** Names that came more than once: RFC 6749 section 3.1 forbids them. */
  readonly repeated: readonly string[];
  /** False where a percent sequence is broken or is no UTF-8, and where there is a NUL, which no column can hold. */
  readonly wellFormed: boolean;
}

const MAX_PARAMETERS = 200;

export function parseForm(text: string): Form {
  const values: Record<string, string> = Object.create(null);
  const repeated: string[] = [];
  let wellFormed = true;
  const pairs = text === '' ? [] : text.split('&', MAX_PARAMETERS + 1);
  if (pairs.length > MAX_PARAMETERS) return { values, repeated, wellFormed: false };
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = decode(equals < 0 ? '' : pair.slice(equals + 1));
    if (name === undefined || value === undefined) wellFormed = false;
    else if (name in values) repeated.push(name);
    else values[name] = value;
  }
  return { values, repeated, wellFormed };
}

function decode(text: string): string | undefined {
  try {
    const decoded = /[%+]/.test(text) ? decodeURIComponent(text.replaceAll('+', ' ')) : text;
    return decoded.includes('\0') ? undefined : decoded;
  } catch {
    return undefined;
  }
}
