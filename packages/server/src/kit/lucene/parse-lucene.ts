import {
  checkClauses,
  type FieldRule,
  LUCENE_LIMITS,
  type LuceneBound,
  type LuceneMatch,
  type LuceneQuery,
  type LuceneRules,
  luceneErrors,
} from './query.ts';
import { type Token, tokenize } from './tokens.ts';

/** Parses a search. AND binds closer than OR; terms that stand side by side are joined by OR, as in Lucene. */
export function parseLucene(text: string, rules: LuceneRules): LuceneQuery {
  if (text.trim() === '') return { kind: 'all' };
  return new Parser(tokenize(text), rules).query();
}

class Parser {
  private position = 0;
  private clauses = 0;
  private wildcardClauses = 0;
  private readonly tokens: readonly Token[];
  private readonly rules: LuceneRules;

  constructor(tokens: readonly Token[], rules: LuceneRules) {
    this.tokens = tokens;
    this.rules = rules;
  }

  query(): LuceneQuery {
    const query = this.either(undefined, 0);
    if (this.token().kind !== 'end') throw this.unexpected();
    return query;
  }

  private either(field: string | undefined, depth: number): LuceneQuery {
    const parts = [this.both(field, depth)];
    for (;;) {
      const { kind } = this.token();
      if (kind === 'end' || kind === ')') return join('or', parts);
      if (kind === 'or') this.position++;
      parts.push(this.both(field, depth));
    }
  }

  private both(field: string | undefined, depth: number): LuceneQuery {
    const parts = [this.unary(field, depth)];
    while (this.token().kind === 'and') {
      this.position++;
      parts.push(this.unary(field, depth));
    }
    return join('and', parts);
  }

  private unary(field: string | undefined, depth: number): LuceneQuery {
    if (depth > LUCENE_LIMITS.depth) throw luceneErrors.tooComplex({ problem: 'the query is nested too deeply' });
    if (this.token().kind !== 'not') return this.clause(field, depth);
    this.position++;
    return { kind: 'not', part: this.unary(field, depth + 1) };
  }

  private clause(field: string | undefined, depth: number): LuceneQuery {
    const token = this.token();
    switch (token.kind) {
      case '(':
        this.position++;
        return this.group(field, depth + 1, token.at);
      case 'field':
        if (field !== undefined) throw this.unexpected();
        this.position++;
        return this.fieldClause(token.name, depth);
      case 'word':
      case 'phrase':
        this.position++;
        return this.match(field, token);
      case 'range':
        if (field === undefined) throw luceneErrors.malformed({ problem: 'a range needs a field', at: token.at });
        this.position++;
        return this.range(field, token);
      default:
        throw this.unexpected();
    }
  }

  private group(field: string | undefined, depth: number, openedAt: number): LuceneQuery {
    const inner = this.either(field, depth);
    if (this.token().kind !== ')') {
      throw luceneErrors.malformed({ problem: 'a parenthesis is not closed', at: openedAt });
    }
    this.position++;
    return inner;
  }

  private fieldClause(name: string, depth: number): LuceneQuery {
    if (name !== '_exists_' || this.rules.allowsExists !== true) {
      this.rule(name);
      return this.clause(name, depth);
    }
    const token = this.token();
    if (token.kind !== 'word' && token.kind !== 'phrase') throw this.unexpected();
    this.position++;
    this.countClause();
    const field = token.kind === 'word' ? token.pieces.join('*') : token.text;
    this.rule(field);
    return { kind: 'exists', field };
  }

  private match(field: string | undefined, token: Extract<Token, { kind: 'word' | 'phrase' }>): LuceneMatch {
    this.countClause();
    const pieces = token.kind === 'phrase' ? [token.text] : token.pieces;
    if (pieces.length > 1) this.checkWildcards(pieces, field, token.at);
    return { kind: 'match', ...(field !== undefined && { field }), pieces, isPhrase: token.kind === 'phrase' };
  }

  /** A prefix may have any length; a wildcard elsewhere needs three literal characters, else it reads everything. */
  private checkWildcards(pieces: readonly string[], field: string | undefined, at: number): void {
    const isPrefix = pieces.length === 2 && pieces[0] !== '' && pieces[1] === '';
    const isAnything = pieces.every((piece) => piece === '');
    if (field !== undefined && !this.rule(field).wildcard) {
      throw luceneErrors.malformed({ problem: `wildcards are not supported in ${field}`, at });
    }
    if (!isPrefix && !isAnything && Math.max(...pieces.map((piece) => piece.length)) < 3) {
      throw luceneErrors.malformed({
        problem: 'a wildcard that is no prefix needs at least three literal characters',
        at,
      });
    }
    if (pieces.length - 1 > LUCENE_LIMITS.wildcards || ++this.wildcardClauses > LUCENE_LIMITS.wildcardClauses) {
      throw luceneErrors.tooComplex({ problem: 'the query has too many wildcards' });
    }
  }

  private range(field: string, token: Extract<Token, { kind: 'range' }>): LuceneQuery {
    this.countClause();
    if (!this.rule(field).range) {
      throw luceneErrors.malformed({ problem: `ranges are not supported in ${field}`, at: token.at });
    }
    const from = bound(token.from, token.brackets.startsWith('['));
    const to = bound(token.to, token.brackets.endsWith(']'));
    return { kind: 'range', field, ...(from && { from }), ...(to && { to }) };
  }

  private rule(field: string): FieldRule {
    const rule = this.rules.field(field);
    if (rule === undefined) throw luceneErrors.unknownField({ field: field.slice(0, 100) });
    return rule;
  }

  private countClause(): void {
    checkClauses(++this.clauses, this.rules);
  }

  private token(): Token {
    return this.tokens[this.position] ?? { kind: 'end', at: 0 };
  }

  private unexpected(): Error {
    const { kind, at } = this.token();
    return luceneErrors.malformed({ problem: kind === 'end' ? 'the query ends too early' : `unexpected ${kind}`, at });
  }
}

function join(kind: 'and' | 'or', parts: readonly LuceneQuery[]): LuceneQuery {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : { kind, parts };
}

function bound(value: string, isInclusive: boolean): LuceneBound | undefined {
  return value === '*' ? undefined : { value, isInclusive };
}
