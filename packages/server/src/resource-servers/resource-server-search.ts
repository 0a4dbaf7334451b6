import { type RawBuilder, sql } from 'kysely';
import { parseLucene } from '../kit/lucene/parse-lucene.ts';
import type { FieldRule, LuceneMatch, LuceneQuery, LuceneRange, LuceneRules } from '../kit/lucene/query.ts';
import { type Period, parsePeriod } from '../kit/period.ts';
import { parseScimFilter } from '../kit/scim/parse-filter.ts';
import { resourceServerErrors } from './resource-server.ts';

export interface SearchRequest {
  readonly q: string;
  readonly parser: 'lucene' | 'scim';
  readonly sort: string;
}

/** What the system API is called: stored is only that it is one. */
export interface SystemAudience {
  readonly identifier: string;
  isManagementAudience(identifier: string): boolean;
}

/** A search over the rows of resource_servers. Values are parameters, all names are of our own list. */
export interface ResourceServerSearch {
  readonly condition: RawBuilder<boolean>;
  /** What is sorted by, ascending: a text that orders by its bytes. */
  readonly key: RawBuilder<string>;
}

/** Auth0's own limit for this search. */
const MOST_CLAUSES = 5;

type Kind = 'text' | 'caseless' | 'date' | 'flag';

const FIELDS: ReadonlyMap<string, FieldRule & { readonly kind: Kind }> = new Map([
  ['id', { kind: 'text', wildcard: true, range: true }],
  ['identifier', { kind: 'text', wildcard: true, range: true }],
  ['name', { kind: 'caseless', wildcard: true, range: true }],
  ['updated_at', { kind: 'date', wildcard: false, range: true }],
  ['is_system', { kind: 'flag', wildcard: false, range: false }],
]);

/** What a term without a field is looked for in. */
const BARE_TERM_FIELDS = ['name', 'identifier', 'id'];

const RULES: LuceneRules = { field: (name) => FIELDS.get(name), allowsExists: true, mostClauses: MOST_CLAUSES };

export function compileResourceServerSearch(
  { q, parser, sort }: SearchRequest,
  system: SystemAudience,
): ResourceServerSearch {
  const query = parser === 'scim' ? parseScimFilter(q, RULES) : parseLucene(q, RULES);
  // Lucene's dates are periods (`2026-01` is a month); those of SCIM are moments.
  const readDate = parser === 'scim' ? momentIn : periodIn;
  return { condition: createCompiler(system, readDate)(query), key: sortKey(sort, system) };
}

function createCompiler(system: SystemAudience, readDate: (text: string) => Period) {
  function compile(query: LuceneQuery): RawBuilder<boolean> {
    switch (query.kind) {
      case 'all':
        return sql`true`;
      case 'exists':
        return sql`${columnOf(query.field, system)} is not null`;
      case 'and':
      case 'or':
        return joined(query.parts.map(compile), query.kind);
      case 'not':
        return sql`not (${compile(query.part)})`;
      case 'range':
        return inRange(query);
      case 'match':
        if (query.field !== undefined) return matches(query.field, query);
        return joined(
          BARE_TERM_FIELDS.map((field) => matches(field, query)),
          'or',
        );
    }
  }

  function matches(field: string, { pieces }: LuceneMatch): RawBuilder<boolean> {
    const column = columnOf(field, system);
    const [text = ''] = pieces;
    switch (kindOf(field)) {
      case 'flag':
        return sql`${column} = ${flagIn(text)}`;
      case 'date': {
        const { start, end } = readDate(text);
        return sql`(${column} >= ${start} and ${column} < ${end})`;
      }
    }
    if (pieces.length > 1) {
      const pattern = pieces.map((piece) => piece.replace(/[\\%_]/g, '\\$&')).join('%');
      return sql`${column} like ${operandOf(field, pattern)}`;
    }
    // Each origin of a tenant is an audience of its system API, which has the identifier of the origin that was asked.
    const isSystem = field === 'identifier' && system.isManagementAudience(text);
    return sql`${column} = ${operandOf(field, isSystem ? system.identifier : text)}`;
  }

  function inRange({ field, from, to }: LuceneRange): RawBuilder<boolean> {
    const column = columnOf(field, system);
    const bounds: RawBuilder<boolean>[] = [sql`true`];
    if (kindOf(field) === 'date') {
      if (from) bounds.push(sql`${column} >= ${readDate(from.value)[from.isInclusive ? 'start' : 'end']}`);
      if (to) bounds.push(sql`${column} < ${readDate(to.value)[to.isInclusive ? 'end' : 'start']}`);
    } else {
      if (from) bounds.push(sql`${column} ${sql.raw(from.isInclusive ? '>=' : '>')} ${operandOf(field, from.value)}`);
      if (to) bounds.push(sql`${column} ${sql.raw(to.isInclusive ? '<=' : '<')} ${operandOf(field, to.value)}`);
    }
    return joined(bounds, 'and');
  }

  return compile;
}

/** Texts are compared by their bytes: what a database's own collation thinks of them is no part of the API. */
function columnOf(field: string, system: SystemAudience): RawBuilder<unknown> {
  switch (field) {
    case 'name':
      return sql`lower(name) collate "C"`;
    case 'identifier':
      return identifierOf(system);
    default:
      return sql.ref(field);
  }
}

function operandOf(field: string, text: string): RawBuilder<string> {
  return kindOf(field) === 'caseless' ? sql`lower(${text}::text)` : sql`${text}`;
}

function identifierOf({ identifier }: SystemAudience): RawBuilder<string> {
  return sql`(case when is_system then ${identifier}::text else identifier end) collate "C"`;
}

function sortKey(sort: string, system: SystemAudience): RawBuilder<string> {
  switch (sort) {
    case 'name':
      return sql`name collate "C"`;
    case 'identifier':
      return identifierOf(system);
    case 'updated_at':
      return sql`to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') collate "C"`;
    default:
      // In the order in which they were made: the rows' own number decides.
      return sql`''::text`;
  }
}

function joined(conditions: readonly RawBuilder<boolean>[], word: 'and' | 'or'): RawBuilder<boolean> {
  return sql`(${sql.join(conditions, sql.raw(` ${word} `))})`;
}

function kindOf(field: string): Kind {
  const rule = FIELDS.get(field);
  if (rule === undefined) throw new Error(`The field ${field} passed the rules and is unknown.`);
  return rule.kind;
}

function flagIn(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw resourceServerErrors.noFlag();
  return text === 'true';
}

function momentIn(text: string): Period {
  const { start } = periodIn(text);
  return { start, end: new Date(start.getTime() + 1) };
}

function periodIn(text: string): Period {
  const period = parsePeriod(text);
  if (!period) throw resourceServerErrors.noDate({ value: text.slice(0, 50) });
  return period;
}
