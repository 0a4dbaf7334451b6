import { LUCENE_LIMITS, luceneErrors } from '../lucene/query.ts';

export type FilterToken =
  | { readonly kind: 'word'; readonly at: number; readonly text: string }
  /** A JSON text or number (RFC 7644 section 3.4.2.2, compValue). */
  | { readonly kind: 'value'; readonly at: number; readonly text: string }
  | { readonly kind: '(' | ')' | 'end'; readonly at: number };

const SPACE = /\s*/y;
const TEXT = /"(?:[^"\\]|\\.)*"/y;
/** An attribute, an operator or a literal; a number needs no token of its own. */
const WORD = /[\w$-][\w.:$-]*/y;

/** Cuts a filter into tokens; each pattern consumes what it reads, so that the cost follows the length. */
export function tokenizeFilter(filter: string): FilterToken[] {
  if (filter.length > LUCENE_LIMITS.length) {
    throw luceneErrors.tooComplex({ problem: `the query is longer than ${LUCENE_LIMITS.length} characters` });
  }
  const tokens: FilterToken[] = [];
  let at = matchAt(SPACE, filter, 0).length;
  while (at < filter.length) {
    const [token, length] = readToken(filter, at);
    tokens.push(token);
    at += length;
    at += matchAt(SPACE, filter, at).length;
  }
  return [...tokens, { kind: 'end', at }];
}

function readToken(filter: string, at: number): [FilterToken, number] {
  const character = filter.charAt(at);
  if (character === '(' || character === ')') return [{ kind: character, at }, 1];
  if (character === '"') {
    const quoted = matchAt(TEXT, filter, at);
    return [{ kind: 'value', at, text: readText(quoted, at) }, quoted.length];
  }
  const text = matchAt(WORD, filter, at);
  if (text === '')
    throw luceneErrors.malformed({ problem: `an unexpected ${String.fromCodePoint(filter.codePointAt(at) ?? 0)}`, at });
  return [{ kind: /^-?\d+(?:\.\d+)?$/.test(text) ? 'value' : 'word', at, text }, text.length];
}

/** Text in quotation marks is a JSON string; what JSON can escape and PostgreSQL can't compare is refused. */
function readText(quoted: string, at: number): string {
  if (quoted === '') throw luceneErrors.malformed({ problem: 'a quotation mark is not closed', at });
  const text = parseText(quoted);
  if (text === undefined || text.includes('\0') || !text.isWellFormed()) {
    throw luceneErrors.malformed({ problem: 'a text is no JSON string', at });
  }
  return text;
}

function parseText(quoted: string): string | undefined {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return undefined;
  }
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}
