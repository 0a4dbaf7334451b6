import { checkClauses, LUCENE_LIMITS, type LuceneQuery, type LuceneRules, luceneErrors } from '../lucene/query.ts';
import { type FilterToken, tokenizeFilter } from './filter-tokens.ts';

/**
 * Parses a SCIM filter (RFC 7644 section 3.4.2.2), without complex attributes, into the tree of a Lucene search: one
 * list takes both, under the same rules. `not` binds closest, then `and`, then `or`.
 */
export function parseScimFilter(text: string, rules: LuceneRules): LuceneQuery {
  if (text.trim() === '') return { kind: 'all' };
  return new Parser(tokenizeFilter(text), rules).filter();
}

class Parser {
  private position = 0;
  private clauses = 0;
  private readonly tokens: readonly FilterToken[];
  private readonly rules: LuceneRules;

  constructor(tokens: readonly FilterToken[], rules: LuceneRules) {
    this.tokens = tokens;
    this.rules = rules;
  }

  filter(): LuceneQuery {
    const filter = this.either(0);
    if (this.token().kind !== 'end') throw this.unexpected();
    return filter;
  }

  private either(depth: number): LuceneQuery {
    const parts = [this.both(depth)];
    while (this.takeWord('or')) parts.push(this.both(depth));
    return join('or', parts);
  }

  private both(depth: number): LuceneQuery {
    const parts = [this.factor(depth)];
    while (this.takeWord('and')) parts.push(this.factor(depth));
    return join('and', parts);
  }

  private factor(depth: number): LuceneQuery {
    if (this.token().kind === '(') return this.group(depth + 1);
    if (!this.takeWord('not')) return this.comparison();
    if (this.token().kind !== '(') {
      throw luceneErrors.malformed({ problem: 'not is followed by a parenthesis', at: this.token().at });
    }
    return { kind: 'not', part: this.group(depth + 1) };
  }

  private group(depth: number): LuceneQuery {
    if (depth > LUCENE_LIMITS.depth) throw luceneErrors.tooComplex({ problem: 'the query is nested too deeply' });
    const { at } = this.token();
    this.position++;
    const inner = this.either(depth);
    if (this.token().kind !== ')') throw luceneErrors.malformed({ problem: 'a parenthesis is not closed', at });
    this.position++;
    return inner;
  }

  private comparison(): LuceneQuery {
    checkClauses(++this.clauses, this.rules);
    const field = this.fieldOf(this.word());
    const { at } = this.token();
    const operator = this.word().toLowerCase();
    if (operator === 'pr') return { kind: 'exists', field };
    const compare = Object.hasOwn(COMPARISONS, operator) ? COMPARISONS[operator] : undefined;
    if (compare === undefined) {
      throw luceneErrors.malformed({ problem: `${operator.slice(0, 20)} is none of ${OPERATORS}`, at });
    }
    const rule = this.rules.field(field);
    if ((compare.needs === 'wildcard' && !rule?.wildcard) || (compare.needs === 'range' && !rule?.range)) {
      throw luceneErrors.malformed({ problem: `${operator} is not supported in ${field}`, at });
    }
    return compare.toQuery(field, this.value());
  }

  /** Names of attributes have no case (RFC 7643 section 2.1). */
  private fieldOf(word: string): string {
    const field = [word, word.toLowerCase()].find((name) => this.rules.field(name) !== undefined);
    if (field === undefined) throw luceneErrors.unknownField({ field: word.slice(0, 100) });
    return field;
  }

  private value(): string {
    const token = this.token();
    if (token.kind === 'value') this.position++;
    if (token.kind === 'value') return token.text;
    if (token.kind === 'word' && (token.text === 'true' || token.text === 'false')) return this.word();
    throw token.kind === 'end'
      ? this.unexpected()
      : luceneErrors.malformed({
          problem: 'a value is a text in quotation marks, a number, true or false',
          at: token.at,
        });
  }

  private word(): string {
    const token = this.token();
    if (token.kind !== 'word') throw this.unexpected();
    this.position++;
    return token.text;
  }

  private takeWord(word: string): boolean {
    const token = this.token();
    const isThere = token.kind === 'word' && token.text.toLowerCase() === word;
    if (isThere) this.position++;
    return isThere;
  }

  private token(): FilterToken {
    return this.tokens[this.position] ?? { kind: 'end', at: 0 };
  }

  private unexpected(): Error {
    const { kind, at } = this.token();
    return luceneErrors.malformed({ problem: kind === 'end' ? 'the query ends too early' : `unexpected ${kind}`, at });
  }
}

interface Comparison {
  readonly needs?: 'wildcard' | 'range';
  toQuery(field: string, value: string): LuceneQuery;
}

const match = (field: string, ...pieces: string[]): LuceneQuery => ({
  kind: 'match',
  field,
  pieces,
  isPhrase: pieces.length === 1,
});

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  eq: { toQuery: (field, value) => match(field, value) },
  ne: { toQuery: (field, value) => ({ kind: 'not', part: match(field, value) }) },
  co: { needs: 'wildcard', toQuery: (field, value) => match(field, '', value, '') },
  sw: { needs: 'wildcard', toQuery: (field, value) => match(field, value, '') },
  ew: { needs: 'wildcard', toQuery: (field, value) => match(field, '', value) },
  gt: { needs: 'range', toQuery: (field, value) => ({ kind: 'range', field, from: { value, isInclusive: false } }) },
  ge: { needs: 'range', toQuery: (field, value) => ({ kind: 'range', field, from: { value, isInclusive: true } }) },
  lt: { needs: 'range', toQuery: (field, value) => ({ kind: 'range', field, to: { value, isInclusive: false } }) },
  le: { needs: 'range', toQuery: (field, value) => ({ kind: 'range', field, to: { value, isInclusive: true } }) },
};
const OPERATORS = [...Object.keys(COMPARISONS), 'pr'].join(', ');

function join(kind: 'and' | 'or', parts: readonly LuceneQuery[]): LuceneQuery {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : { kind, parts };
}
