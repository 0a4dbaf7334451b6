import { logErrors } from '../log-errors.ts';
import { type DateSpan, parseDateSpan } from './search-date.ts';

export function dateSpanOf(text: string): DateSpan {
  const span = parseDateSpan(text);
  if (span === undefined) throw logErrors.malformedDate({ value: text.slice(0, 50) });
  return span;
}

/** A NUL is in no stored text, and PostgreSQL refuses a parameter that has one. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\ufffd').toWellFormed();
}

/** As lower() of the collation "C" does it, on every PostgreSQL. */
export function foldCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
