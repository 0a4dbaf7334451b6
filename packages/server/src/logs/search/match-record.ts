import type { LuceneMatch, LuceneQuery, LuceneRange } from '../../kit/lucene/query.ts';
import type { LogRow } from '../log-row.ts';
import { BARE_FIELDS, textFieldOf } from './log-fields.ts';
import { dateSpanOf, foldCase, storable } from './search-values.ts';

/** Whether a record is what a search asks for: compile-search.ts without a database, for who watches the log as it grows. */
export function matchesRecord(query: LuceneQuery, row: LogRow): boolean {
  switch (query.kind) {
    case 'all':
      return true;
    case 'and':
      return query.parts.every((part) => matchesRecord(part, row));
    case 'or':
      return query.parts.some((part) => matchesRecord(part, row));
    case 'not':
      return !matchesRecord(query.part, row);
    case 'exists':
      return textFieldOf(row, query.field) !== undefined;
    case 'range':
      return query.field === 'date' ? isWithin(query, row.at.getTime()) : isBetween(query, row);
    case 'match':
      return query.field === undefined ? isAnywhere(query, row) : isIn(query.field, query, row);
  }
}

function isAnywhere(match: LuceneMatch, row: LogRow): boolean {
  if (match.pieces.every((piece) => piece === '') && !match.isPhrase) return true;
  return BARE_FIELDS.some((field) => isIn(field, match, row));
}

function isIn(field: string, { pieces, isPhrase, ignoresCase }: LuceneMatch, row: LogRow): boolean {
  if (field === 'date') {
    const { start, end } = dateSpanOf(pieces.join(''));
    return row.at.getTime() >= start && row.at.getTime() < end;
  }
  const value = textFieldOf(row, field);
  if (value === undefined) return false;
  const folded = ignoresCase ? foldCase(value) : value;
  const wanted = pieces.map((piece) => storable(ignoresCase ? foldCase(piece) : piece));
  return isPhrase ? folded === wanted.join('') : hasPieces(folded, wanted);
}

/** The first piece begins the text, the last one ends it, the others stand in between in their order. Nothing is tried twice. */
function hasPieces(text: string, pieces: readonly string[]): boolean {
  const [first = '', ...others] = pieces;
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of others) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

function isBetween({ field, from, to }: LuceneRange, row: LogRow): boolean {
  const value = textFieldOf(row, field);
  if (value === undefined) return false;
  const beyond = from && compareBytes(value, storable(from.value));
  const short = to && compareBytes(storable(to.value), value);
  return (
    (from === undefined || Number(beyond) > 0 || (from.isInclusive && beyond === 0)) &&
    (to === undefined || Number(short) > 0 || (to.isInclusive && short === 0))
  );
}

/** As PostgreSQL's collation "C" does it; JavaScript compares halves of surrogate pairs. */
function compareBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function isWithin({ from, to }: LuceneRange, at: number): boolean {
  const begins = from && dateSpanOf(from.value)[from.isInclusive ? 'start' : 'end'];
  const ends = to && dateSpanOf(to.value)[to.isInclusive ? 'end' : 'start'];
  return (begins === undefined || at >= begins) && (ends === undefined || at < ends);
}
