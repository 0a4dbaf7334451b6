import { defineErrors } from '../errors.ts';

/** A search in the Lucene subset that Auth0's v3 engine speaks, as a tree. Fields and operators are checked already. */
export type LuceneQuery =
  | { readonly kind: 'all' }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly LuceneQuery[] }
  | { readonly kind: 'not'; readonly part: LuceneQuery }
  | LuceneMatch
  | LuceneRange
  | { readonly kind: 'exists'; readonly field: string };

/** `field` is left out for a bare term. `isPhrase`: it stood in quotes. */
export interface LuceneMatch {
  readonly kind: 'match';
  readonly field?: string;
  /** The literal pieces between wildcards: `a*b` is ['a', 'b'], a text without wildcard has one piece. */
  readonly pieces: readonly string[];
  readonly isPhrase: boolean;
  /** Of letters A to Z. The subset itself is case-sensitive; other dialects need not be. */
  readonly ignoresCase?: boolean;
}

/** A bound that is left out is `*`. */
export interface LuceneRange {
  readonly kind: 'range';
  readonly field: string;
  readonly from?: LuceneBound;
  readonly to?: LuceneBound;
}

export interface LuceneBound {
  readonly value: string;
  readonly isInclusive: boolean;
}

/** What one kind of list lets its searches do: users and logs differ. */
export interface LuceneRules {
  /** Undefined for a field that can't be searched. */
  field(name: string): FieldRule | undefined;
  /** Whether `_exists_:field` is known. */
  readonly allowsExists?: boolean;
  /** Where a list takes fewer than LUCENE_LIMITS lets all of them take. */
  readonly mostClauses?: number;
}

export interface FieldRule {
  readonly wildcard: boolean;
  readonly range: boolean;
}

/** Bounds of one query: what lies beyond is refused before any of it runs. */
export const LUCENE_LIMITS = { length: 4_000, depth: 10, clauses: 100, wildcards: 3, wildcardClauses: 20 } as const;

export const luceneErrors = defineErrors({
  malformed: {
    status: 400,
    code: 'invalid_query_string',
    message: 'Query validation error: {problem} (at character {at}).',
  },
  unknownField: {
    status: 400,
    code: 'invalid_query_string',
    message: "Query validation error: the field '{field}' can not be searched.",
  },
  tooComplex: { status: 400, code: 'invalid_query_string', message: 'Query validation error: {problem}.' },
});

export function checkClauses(count: number, { mostClauses = LUCENE_LIMITS.clauses }: LuceneRules): void {
  if (count > mostClauses) {
    throw luceneErrors.tooComplex({ problem: `the query has too many clauses, maximum ${mostClauses}` });
  }
}
