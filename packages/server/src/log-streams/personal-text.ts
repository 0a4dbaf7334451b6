import { COVERED, type PersonalField } from './personal-fields.ts';

type Hide = (text: string) => string;
type Rewrite = (text: string) => string;

const MOST_VALUES = 100;
const SHORTEST_VALUE = 2;
const LONGEST_VALUE = 1_000;
/** Bounded on both sides of the sign, so that no text takes longer than its length. In addresses of pages it is %40. */
const MAIL_ADDRESS = /[^\s"'<>()[\]{},;:=&?|\\/@%]{1,64}(?:@|%40)[\p{L}\p{N}][\p{L}\p{N}.-]{0,252}/gu;
/** E.164, as people write it. */
const PHONE_NUMBER = /(?:\+|%2B)\d(?:[ ().-]{0,2}\d){5,16}/gi;

/**
 * Hides personal data inside texts: the values that the record names elsewhere, what looks like an address or a number, and
 * what stands behind a personal name in a query or in JSON.
 */
export function createTextMask(fields: ReadonlySet<PersonalField>, values: ReadonlySet<string>, hide: Hide): Rewrite {
  const personal = [...values].filter(({ length }) => length >= SHORTEST_VALUE && length <= LONGEST_VALUE);
  // Whoever fills an event with so many hides the texts with them.
  if (personal.length > MOST_VALUES) return (text) => (text === '' ? text : hide(text));
  // What one of them has hidden says nothing to those that follow: no text is hashed twice.
  const rewrites = [
    namedValues(fields, hide),
    ...(personal.length > 0 ? [knownValues(personal, hide)] : []),
    ...(fields.has('email') ? [matches(MAIL_ADDRESS, hide)] : []),
    ...(fields.has('phone') ? [matches(PHONE_NUMBER, hide)] : []),
  ];
  return (text) => (text.length < SHORTEST_VALUE ? text : rewrites.reduce((rest, rewrite) => rewrite(rest), text));
}

function matches(pattern: RegExp, hide: Hide): Rewrite {
  return (text) => text.replace(pattern, (match) => hide(decoded(match)));
}

/** Whole words only: who is called Ann is not in `annual`. Longer ones first, so that no rest of one stays. */
function knownValues(values: readonly string[], hide: Hide): Rewrite {
  const forms = new Map(
    values.flatMap((value) => formsOf(value).map((form): [string, string] => [form.toLowerCase(), value])),
  );
  const alternatives = [...forms.keys()].toSorted((a, b) => b.length - a.length).map(escaped);
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(?:${alternatives.join('|')})(?![\\p{L}\\p{N}])`, 'giu');
  return (text) => text.replace(pattern, (match) => hide(forms.get(match.toLowerCase()) ?? match));
}

function formsOf(value: string): string[] {
  const encoded = encodeURIComponent(value.toWellFormed());
  return [value, JSON.stringify(value).slice(1, -1), encoded, encoded.replaceAll('%20', '+')];
}

function namedValues(fields: ReadonlySet<PersonalField>, hide: Hide): Rewrite {
  const names = [...fields].flatMap((field) => COVERED[field]).join('|');
  const inQuery = new RegExp(`((?:^|[?&\\s])(?:${names})=)([^&#\\s"']+)`, 'gi');
  const inJson = new RegExp(`((?:\\\\?")(?:${names})\\\\?"\\s{0,5}:\\s{0,5}\\\\?")((?:[^"\\\\]|\\\\[^"])+)`, 'gi');
  const replacement = (_match: string, name: string, value: string) => name + hide(decoded(value));
  return (text) => {
    const once = text.includes('=') ? text.replace(inQuery, replacement) : text;
    return once.includes('"') ? once.replace(inJson, replacement) : once;
  };
}

/** As it is hashed elsewhere. */
function decoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
