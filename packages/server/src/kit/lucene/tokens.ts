import { LUCENE_LIMITS, luceneErrors } from './query.ts';

export type Token =
  | { readonly kind: 'word'; readonly at: number; readonly pieces: readonly string[]; readonly raw: string }
  | { readonly kind: 'phrase'; readonly at: number; readonly text: string }
  | { readonly kind: 'field'; readonly at: number; readonly name: string }
  | {
      readonly kind: 'range';
      readonly at: number;
      readonly from: string;
      readonly to: string;
      readonly brackets: string;
    }
  | { readonly kind: '(' | ')' | 'and' | 'or' | 'not' | 'end'; readonly at: number };

const OPERATORS: Readonly<Record<string, 'and' | 'or' | 'not'>> = {
  AND: 'and',
  OR: 'or',
  NOT: 'not',
  '&&': 'and',
  '||': 'or',
  '!': 'not',
};
const FIELD = /[A-Za-z_$][\w.$-]*:/y;
const SPACE = /\s+/y;
const RANGE = /([[{])\s*("[^"]*"|[^\s\]}"]+)\s+TO\s+("[^"]*"|[^\s\]}"]+)\s*([\]}])/y;

/** Cuts a query into tokens. Each character is looked at once or twice, whatever the query is. */
export function tokenize(query: string): Token[] {
  if (query.length > LUCENE_LIMITS.length) {
    throw luceneErrors.tooComplex({ problem: `the query is longer than ${LUCENE_LIMITS.length} characters` });
  }
  const tokens: Token[] = [];
  let at = 0;
  while (at < query.length) {
    const space = matchAt(SPACE, query, at);
    if (space !== null) {
      at += space[0].length;
      continue;
    }
    const [token, end] = readToken(query, at, tokens.at(-1));
    tokens.push(token);
    at = end;
  }
  return [...tokens, { kind: 'end', at }];
}

function readToken(query: string, at: number, previous: Token | undefined): [Token, number] {
  const character = query.charAt(at);
  if (character === '(' || character === ')') return [{ kind: character, at }, at + 1];
  if (character === '"') return readPhrase(query, at);
  if (character === '[' || character === '{') return readRange(query, at);
  // A field follows a space, a bracket or an operator; in `a:b:c` the second colon belongs to the value.
  const field = previous?.kind === 'field' ? null : matchAt(FIELD, query, at);
  if (field !== null) return [{ kind: 'field', at, name: field[0].slice(0, -1) }, at + field[0].length];
  if ((character === '-' || character === '!' || character === '+') && previous?.kind !== 'field') {
    if (character !== '+') return [{ kind: 'not', at }, at + 1];
    return readToken(query, skipPlus(query, at), previous);
  }
  return readWord(query, at);
}

/** `+term` asks for what AND asks for already; a plus before nothing is a mistake. */
function skipPlus(query: string, at: number): number {
  const next = query.charAt(at + 1);
  if (next === '' || /[\s+)]/.test(next)) throw luceneErrors.malformed({ problem: 'a term is missing after +', at });
  return at + 1;
}

function readPhrase(query: string, at: number): [Token, number] {
  let text = '';
  for (let end = at + 1; end < query.length; end++) {
    const character = query.charAt(end);
    if (character === '"') return [{ kind: 'phrase', at, text }, end + 1];
    if (character === '\\') end++;
    text += query.charAt(end);
  }
  throw luceneErrors.malformed({ problem: 'a quotation mark is not closed', at });
}

function readRange(query: string, at: number): [Token, number] {
  const match = matchAt(RANGE, query, at);
  if (match === null) throw luceneErrors.malformed({ problem: 'a range has the form [a TO b]', at });
  const [whole, open = '', from = '', to = '', close = ''] = match;
  return [{ kind: 'range', at, from: unquote(from), to: unquote(to), brackets: open + close }, at + whole.length];
}

function readWord(query: string, at: number): [Token, number] {
  const pieces = [''];
  let end = at;
  for (; end < query.length; end++) {
    let character = query.charAt(end);
    if (/[\s()"[\]{}]/.test(character)) break;
    if (character === '?') throw luceneErrors.malformed({ problem: 'the wildcard ? is not supported', at: end });
    if (character === '*') {
      pieces.push('');
      continue;
    }
    if (character === '\\') character = query.charAt(++end);
    pieces[pieces.length - 1] += character;
  }
  if (end === at) throw luceneErrors.malformed({ problem: `an unexpected ${query.charAt(at)}`, at });
  const raw = query.slice(at, end);
  const operator = Object.hasOwn(OPERATORS, raw) ? OPERATORS[raw] : undefined;
  if (operator !== undefined) return [{ kind: operator, at }, end];
  return [{ kind: 'word', at, pieces, raw }, end];
}

function unquote(bound: string): string {
  return bound.startsWith('"') ? bound.slice(1, -1) : bound;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
