import { type RawBuilder, sql } from 'kysely';
import { parseLucene } from '../kit/lucene/parse-lucene.ts';
import type { LuceneMatch, LuceneQuery, LuceneRange } from '../kit/lucene/query.ts';
import { parsePeriod } from '../kit/period.ts';
import { BARE_TERM_FIELDS, type SearchField, searchField, userSearchRules } from './search-fields.ts';
import { userErrors } from './user.ts';
import type { UserSearch } from './user-list-store.ts';

export interface SearchRequest {
  readonly q?: string;
  readonly connection?: string;
  readonly sort?: string;
  readonly searchEngine?: string;
}

/** Compiles what GET /users asks for to SQL over alias `u`. Values are parameters, all names are of our own list. */
export function compileUserSearch({ q = '', connection, sort, searchEngine = 'v3' }: SearchRequest): UserSearch {
  if (searchEngine !== 'v3') {
    throw userErrors.invalidQuery({
      reason: `The search engine ${searchEngine.slice(0, 10)} is no longer available; use v3.`,
    });
  }
  const conditions = [condition(parseLucene(q, userSearchRules))];
  if (connection !== undefined) {
    conditions.push(
      matches(fieldNamed('identities.connection'), { kind: 'match', pieces: [connection], isPhrase: true }),
    );
  }
  const isPlain = q === '' && connection === undefined && (sort === undefined || sort === '');
  return { condition: joined(conditions, 'and'), order: compileSort(sort), isPlain };
}

function condition(query: LuceneQuery): RawBuilder<boolean> {
  switch (query.kind) {
    case 'all':
      return sql`true`;
    case 'and':
    case 'or':
      return joined(query.parts.map(condition), query.kind);
    case 'not':
      // What has no value does not match, so its negation does.
      return sql`not coalesce(${condition(query.part)}, false)`;
    case 'exists':
      return exists(fieldNamed(query.field));
    case 'range':
      return inRange(fieldNamed(query.field), query);
    case 'match':
      if (query.field !== undefined) return matches(fieldNamed(query.field), query);
      return joined(
        BARE_TERM_FIELDS.map((field) => matches(field, query)),
        'or',
      );
  }
}

function matches(field: SearchField, match: LuceneMatch): RawBuilder<boolean> {
  const { pieces } = match;
  if (pieces.length > 1 && pieces.every((piece) => piece === '')) return exists(field);
  switch (field.kind) {
    case 'flag':
      return sql`${field.column} = ${oneOf(pieces, ['true', 'false']) === 'true'}`;
    case 'number':
      return sql`${field.column} = ${numberIn(pieces.join('*'))}::numeric`;
    case 'date': {
      const { start, end } = periodIn(
        pieces
          .filter((piece) => piece !== '')
          .join('*')
          .replace(/-$/, ''),
      );
      return sql`(${field.column} >= ${start} and ${field.column} < ${end})`;
    }
    case 'json':
      return pieces.length === 1
        ? holds(field, pieces[0] ?? '')
        : ofDocument(field, textMatches(sql`v #>> '{}'`, pieces));
    case 'identity':
      return ofIdentity(field, (value) => textMatches(value, pieces));
    case 'caseless':
      return textMatches(
        sql`lower(${field.column})`,
        pieces.map((piece) => piece.toLowerCase()),
      );
    case 'text':
      return textMatches(field.column, pieces);
  }
}

function textMatches(value: RawBuilder<unknown>, pieces: readonly string[]): RawBuilder<boolean> {
  if (pieces.length === 1) return sql`${value} = ${pieces[0]}`;
  return sql`${value} like ${pieces.map((piece) => piece.replace(/[\\%_]/g, '\\$&')).join('%')}`;
}

function exists(field: SearchField): RawBuilder<boolean> {
  if (field.kind === 'json') return ofDocument(field, sql`v <> 'null'::jsonb`);
  if (field.kind === 'identity') return ofIdentity(field, (value) => sql`${value} is not null`);
  if (field.kind === 'number') return sql`${field.column} > 0`;
  return sql`${field.column} is not null`;
}

function inRange(field: SearchField, { from, to }: LuceneRange): RawBuilder<boolean> {
  const bounds: RawBuilder<boolean>[] = [exists(field)];
  if (field.kind === 'date') {
    if (from)
      bounds.push(sql`${field.column} >= ${from.isInclusive ? periodIn(from.value).start : periodIn(from.value).end}`);
    if (to) bounds.push(sql`${field.column} < ${to.isInclusive ? periodIn(to.value).end : periodIn(to.value).start}`);
    return joined(bounds, 'and');
  }
  const compare = (value: RawBuilder<unknown>, read: (text: string) => RawBuilder<unknown>) => {
    if (from) bounds.push(sql`${value} ${sql.raw(from.isInclusive ? '>=' : '>')} ${read(from.value)}`);
    if (to) bounds.push(sql`${value} ${sql.raw(to.isInclusive ? '<=' : '<')} ${read(to.value)}`);
  };
  if (field.kind === 'json') {
    const isNumeric = [from, to].every((bound) => bound === undefined || NUMBER.test(bound.value));
    bounds[0] = sql`jsonb_typeof(v) = ${isNumeric ? 'number' : 'string'}`;
    // PostgreSQL orders jsonb numbers among numbers and strings among strings; a cast could fail on the other kind.
    compare(sql`v`, (text) => sql`${JSON.stringify(isNumeric ? Number(text) : text)}::jsonb`);
    return ofDocument(field, joined(bounds, 'and'));
  }
  if (field.kind === 'number') compare(field.column, (text) => sql`${numberIn(text)}::numeric`);
  else if (field.kind === 'caseless') compare(sql`lower(${field.column})`, (text) => sql`${text.toLowerCase()}`);
  else compare(field.column, (text) => sql`${text}`);
  return joined(bounds, 'and');
}

/** A search has texts only: `12` is the number and the string, `true` the flag and the string. */
function holds(field: SearchField, value: string): RawBuilder<boolean> {
  const isLiteral = NUMBER.test(value) || value === 'true' || value === 'false';
  const values = isLiteral
    ? { text: value, literal: NUMBER.test(value) ? Number(value) : value === 'true' }
    : { text: value };
  const test = isLiteral ? '(@ == $text || @ == $literal)' : '(@ == $text)';
  return sql`jsonb_path_exists(${field.column}, ${`${field.path} ? ${test}`}::jsonpath, ${JSON.stringify(values)}::jsonb)`;
}

function ofDocument(field: SearchField, test: RawBuilder<boolean>): RawBuilder<boolean> {
  return sql`exists (select 1 from jsonb_path_query(${field.column}, ${field.path}::jsonpath) v where ${test})`;
}

function ofIdentity(
  field: SearchField,
  test: (value: RawBuilder<unknown>) => RawBuilder<boolean>,
): RawBuilder<boolean> {
  const inside = field.path === undefined ? test(field.column) : ofDocument(field, test(sql`v #>> '{}'`));
  return sql`exists (select 1 from user_identities i join connections c on c.tenant_id = i.tenant_id and c.id = i.connection_id
    where i.tenant_id = u.tenant_id and i.user_id = u.user_id and ${inside})`;
}

function compileSort(sort: string | undefined): RawBuilder<unknown> {
  if (sort === undefined || sort === '') return sql`u.seq`;
  const [, name = '', direction] = /^([\w.]{1,100}):(1|-1)$/.exec(sort) ?? [];
  const field = searchField(name);
  if (!field?.sortable)
    throw userErrors.invalidQuery({ reason: 'Query validation error: sort has the form field:1 or field:-1.' });
  return direction === '-1' ? sql`${field.column} desc nulls last, u.seq desc` : sql`${field.column} nulls last, u.seq`;
}

function joined(conditions: readonly RawBuilder<boolean>[], word: 'and' | 'or'): RawBuilder<boolean> {
  return sql`(${sql.join(conditions, sql.raw(` ${word} `))})`;
}

function fieldNamed(name: string): SearchField {
  const field = searchField(name);
  if (!field) throw userErrors.invalidQuery({ reason: `The field '${name.slice(0, 100)}' can not be searched.` });
  return field;
}

function oneOf(pieces: readonly string[], values: readonly string[]): string {
  const value = pieces.join('*');
  if (!values.includes(value))
    throw userErrors.invalidQuery({ reason: `The value of this field is ${values.join(' or ')}.` });
  return value;
}

const NUMBER = /^-?\d{1,15}(?:\.\d{1,15})?$/;

function numberIn(text: string): string {
  if (!NUMBER.test(text)) throw userErrors.invalidQuery({ reason: 'The value of this field is a number.' });
  return text;
}

function periodIn(text: string) {
  const period = parsePeriod(text);
  if (!period) throw userErrors.invalidQuery({ reason: 'The value of this field is a date or time (ISO 8601).' });
  return period;
}
