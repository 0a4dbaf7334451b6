import type { LuceneBound, LuceneMatch, LuceneQuery, LuceneRange } from '../../kit/lucene/query.ts';
import { decodeLogId } from '../log-id.ts';
import { BARE_FIELDS, textFieldSql } from './log-fields.ts';
import type { DateSpan } from './search-date.ts';
import { dateSpanOf, foldCase, storable } from './search-values.ts';

/** Takes a value and answers its placeholder: everything that came with a request goes this way. */
export type Bind = (value: string | number | Date) => string;

/** Turns a parsed search into a condition on `log_events e`. */
export function compileSearch(query: LuceneQuery, bind: Bind): string {
  switch (query.kind) {
    case 'all':
      return 'true';
    case 'and':
    case 'or':
      return `(${query.parts.map((part) => compileSearch(part, bind)).join(` ${query.kind} `)})`;
    case 'not':
      // What a field that is absent contains is unknown, but it is not what was searched for.
      return `(${compileSearch(query.part, bind)}) is not true`;
    case 'exists':
      return `${fieldSql(query.field)} is not null`;
    case 'range':
      return query.field === 'date' ? dateRange(query, bind) : textRange(query, bind);
    case 'match':
      return query.field === undefined ? bareMatch(query, bind) : fieldMatch(query.field, query, bind);
  }
}

function bareMatch(match: LuceneMatch, bind: Bind): string {
  if (match.pieces.every((piece) => piece === '') && !match.isPhrase) return 'true';
  return `(${BARE_FIELDS.map((field) => fieldMatch(field, match, bind)).join(' or ')})`;
}

function fieldMatch(field: string, { pieces, isPhrase, ignoresCase }: LuceneMatch, bind: Bind): string {
  const text = pieces.join('');
  if (field === 'date') return within(dateSpanOf(text), bind);
  const isWhole = isPhrase || pieces.length === 1;
  if (isWhole && field === 'log_id') return hasLogId(text, bind);
  const folded = (part: string) => storable(ignoresCase ? foldCase(part) : part);
  const sql = ignoresCase ? `lower(${fieldSql(field)} collate "C")` : fieldSql(field);
  if (isWhole) return `${sql} = ${bind(folded(text))}`;
  if (text === '') return `${sql} is not null`;
  return `${sql} like ${bind(pieces.map((piece) => folded(piece).replace(/[\\%_]/g, '\\$&')).join('%'))}`;
}

/** By the key, where the expression of the field would read every row. */
function hasLogId(text: string, bind: Bind): string {
  const at = decodeLogId(text);
  if (at === undefined) return 'false';
  return `(e.epoch = ${bind(at.epoch)}::smallint and e.xid = ${bind(at.xid)}::xid8 and e.seq = ${bind(at.seq)}::bigint and e.day = ${bind(at.day)}::date)`;
}

function textRange({ field, from, to }: LuceneRange, bind: Bind): string {
  const sql = fieldSql(field);
  const parts = [`${sql} is not null`];
  if (from) parts.push(`${sql} ${from.isInclusive ? '>=' : '>'} ${bind(storable(from.value))}`);
  if (to) parts.push(`${sql} ${to.isInclusive ? '<=' : '<'} ${bind(storable(to.value))}`);
  return `(${parts.join(' and ')})`;
}

/** A bound stands for its whole span: `{2018-12 TO 2019-01]` begins after December and takes all of January. */
function dateRange({ from, to }: LuceneRange, bind: Bind): string {
  const edge = (bound: LuceneBound, side: keyof DateSpan) => bind(new Date(dateSpanOf(bound.value)[side]));
  const parts = ['true'];
  if (from) parts.push(`e.at >= ${edge(from, from.isInclusive ? 'start' : 'end')}::timestamptz`);
  if (to) parts.push(`e.at < ${edge(to, to.isInclusive ? 'end' : 'start')}::timestamptz`);
  return `(${parts.join(' and ')})`;
}

function within({ start, end }: DateSpan, bind: Bind): string {
  return `(e.at >= ${bind(new Date(start))}::timestamptz and e.at < ${bind(new Date(end))}::timestamptz)`;
}

function fieldSql(field: string): string {
  const sql = textFieldSql(field);
  if (sql === undefined) throw new Error(`The field ${field} passed the rules and has no SQL.`);
  return sql;
}
