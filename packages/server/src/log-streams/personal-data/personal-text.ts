import { COVERED, type PersonalField } from './personal-fields.ts';

type Hide = (text: string) => string;
type Rewrite = (text: string) => string;

const MOST_VALUES = 100;
const SHORTEST_VALUE = 2;
const LONGEST_VALUE = 1_000;
const WORD = /[\p{L}\p{N}]/u;
/** Ends in a letter or a digit, and is none: of an address, of JSON. */
const ESCAPE = /%[0-9a-f]{2}$|\\[bfnrt]$|\\u[0-9a-f]{4}$/i;
/**
 * Bounded on both sides of the sign, so that no text takes longer than its length. In addresses of pages the sign is %40, and
 * letters beyond ASCII are bytes.
 */
const MAIL_ADDRESS =
  /(?:[^\s"'<>()[\]{},;:=&?|\\/@%]|%(?:[89A-F][0-9A-F]|2[14ABD])){1,64}(?:@|%40)(?:[\p{L}\p{N}]|%[89A-F][0-9A-F])(?:[\p{L}\p{N}.-]|%[89A-F][0-9A-F]){0,252}/giu;
/** E.164, as people write it. */
const PHONE_NUMBER = /(?:\+|%2B)\d(?:[ ().-]{0,2}\d){5,16}/gi;

/** For one record, with the values that it names. */
export type TextMask = (values: ReadonlySet<string>) => Rewrite;

/**
 * Hides personal data inside texts: the values that a record names elsewhere, what looks like an address or a number, and
 * what stands behind a personal name in a query or in JSON. What one of them has hidden says nothing to those that follow:
 * no text is hashed twice.
 */
export function createTextMask(fields: ReadonlySet<PersonalField>, hide: Hide): TextMask {
  const named = namedValues(fields, hide);
  const shapes = shapesOf(fields, hide);
  return (values) => {
    const personal = [...values].filter(({ length }) => length >= SHORTEST_VALUE && length <= LONGEST_VALUE);
    // Whoever fills an event with so many hides the texts with them.
    if (personal.length > MOST_VALUES) return (text) => (text === '' ? text : hide(text));
    const known = knownValues(personal, hide);
    return (text) => (text.length < SHORTEST_VALUE ? text : shapes(known(named(text))));
  };
}

function shapesOf(fields: ReadonlySet<PersonalField>, hide: Hide): Rewrite {
  const hideMatch = (match: string) => hide(decoded(match));
  return (text) => {
    const isAddress = fields.has('email') && (text.includes('@') || text.includes('%40'));
    const isNumber = fields.has('phone') && (text.includes('+') || /%2b/i.test(text));
    const once = isAddress ? text.replace(MAIL_ADDRESS, hideMatch) : text;
    return isNumber ? once.replace(PHONE_NUMBER, hideMatch) : once;
  };
}

interface Hit {
  readonly start: number;
  readonly end: number;
  readonly value: string;
}

/** Whole words only: who is called Ann is not in `annual`. Longer ones first, so that no rest of one stays. */
function knownValues(values: readonly string[], hide: Hide): Rewrite {
  const forms = new Map(
    values.flatMap((value) => formsOf(value).map((form): [string, string] => [form.toLowerCase(), value])),
  );
  const longestFirst = [...forms].toSorted(([a], [b]) => b.length - a.length);
  return (text) => {
    const lower = text.toLowerCase();
    // Where a capital has a longer small letter, places differ: then the case counts.
    const searched = lower.length === text.length ? lower : text;
    const hits: Hit[] = [];
    let taken: Uint8Array | undefined;
    for (const [form, value] of longestFirst) {
      for (let start = searched.indexOf(form); start !== -1; start = searched.indexOf(form, start + form.length)) {
        const end = start + form.length;
        // What was found before is at least as long: it can't lie inside.
        if (taken?.[start] === 1 || taken?.[end - 1] === 1 || isInWord(text, start, end)) continue;
        taken ??= new Uint8Array(text.length);
        taken.fill(1, start, end);
        hits.push({ start, end, value });
      }
    }
    return hits.length === 0 ? text : withoutHits(text, hits, hide);
  };
}

function isInWord(text: string, start: number, end: number): boolean {
  if (WORD.test(text.charAt(end))) return true;
  return WORD.test(text.charAt(start - 1)) && !ESCAPE.test(text.slice(Math.max(0, start - 6), start));
}

function withoutHits(text: string, hits: readonly Hit[], hide: Hide): string {
  let shown = '';
  let until = 0;
  for (const { start, end, value } of hits.toSorted((a, b) => a.start - b.start)) {
    shown += text.slice(until, start) + hide(value);
    until = end;
  }
  return shown + text.slice(until);
}

function formsOf(value: string): string[] {
  const encoded = encodeURIComponent(value.toWellFormed());
  return [...new Set([value, JSON.stringify(value).slice(1, -1), encoded, encoded.replaceAll('%20', '+')])];
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
