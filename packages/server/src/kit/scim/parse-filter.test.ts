import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeclaredError } from '../errors.ts';
import type { LuceneQuery, LuceneRules } from '../lucene/query.ts';
import { parseScimFilter } from './parse-filter.ts';

const rules: LuceneRules = {
  field: (name) => {
    if (name === 'at') return { wildcard: false, range: true };
    return name === 'name' || name === 'id' ? { wildcard: true, range: false } : undefined;
  },
  mostClauses: 5,
};
const parse = (text: string) => show(parseScimFilter(text, rules));

describe('parseScimFilter', () => {
  it.each([
    ['', 'all'],
    ['  ', 'all'],
    ['name eq "Ada"', 'name=Ada'],
    ['NAME Eq "Ada"', 'name=Ada'],
    ['name ne "Ada"', 'not name=Ada'],
    ['name co "d"', 'name=*d*'],
    ['name sw "https://"', 'name=https://*'],
    ['name ew "a"', 'name=*a'],
    ['name pr', 'exists name'],
    ['at gt "2026-01-01"', 'at>2026-01-01'],
    ['at ge "2026"', 'at>=2026'],
    ['at lt "2026"', 'at<2026'],
    ['at le "2026"', 'at<=2026'],
    ['id eq 7', 'id=7'],
    ['id eq -1.5', 'id=-1.5'],
    ['id eq true', 'id=true'],
    ['name eq "a\\"b\\\\c\\u00e9*"', 'name=a"b\\cé*'],
    ['name eq "x) or (id pr"', 'name=x) or (id pr'],
    ['name pr or id pr and at gt "1"', '(exists name or (exists id and at>1))'],
    ['(name pr or id pr) and not (at gt "1")', '((exists name or exists id) and not at>1)'],
    ['NOT(name pr)AND(id pr)', '(not exists name and exists id)'],
    ['\tname\n pr ', 'exists name'],
  ])('reads %s', (text, shown) => {
    expect(parse(text)).toBe(shown);
  });

  it.each([
    ['secret eq "x"', "'secret' can not be searched"],
    ['__proto__ pr', "'__proto__' can not be searched"],
    ['name', 'ends too early'],
    ['name eq', 'ends too early'],
    ['name eq Ada', 'a text in quotation marks'],
    ['name eq null', 'a text in quotation marks'],
    ["name eq 'Ada'", "an unexpected '"],
    ['name is "x"', 'is is none of eq, ne, co'],
    ['name constructor "x"', 'constructor is none of'],
    ['name eq "x', 'quotation mark is not closed'],
    ['name eq "\\x"', 'no JSON string'],
    ['name eq "a\nb"', 'no JSON string'],
    ['name eq "\\u0000"', 'no JSON string'],
    ['name eq "\\ud800"', 'no JSON string'],
    ['at co "2026"', 'co is not supported in at'],
    ['name gt "a"', 'gt is not supported in name'],
    ['(name pr', 'not closed'],
    ['name pr)', 'unexpected )'],
    ['not name pr', 'not is followed by a parenthesis'],
    ['and name pr', "'and' can not be searched"],
    ['name pr and', 'ends too early'],
    ['name pr id pr', 'unexpected word'],
    ['emails[type eq "work"]', 'unexpected'],
    ['()', 'unexpected )'],
    ['name eq "x"; drop table users', 'an unexpected ;'],
    ['🦊 pr', 'an unexpected 🦊'],
  ])('refuses %s', (text, problem) => {
    expect(() => parse(text)).toThrow(problem);
  });

  it.each([
    ['a long filter', `name eq "${'x'.repeat(4_000)}"`],
    ['a quotation mark that ends nowhere', `name eq "${'\\"'.repeat(1_900)}`],
    ['deep parentheses', `${'('.repeat(1_500)}name pr${')'.repeat(1_500)}`],
    ['a chain of not', `${'not('.repeat(900)}`],
    ['many clauses', Array.from({ length: 6 }, () => 'name pr').join(' or ')],
  ])('refuses %s before it costs anything', (_what, text) => {
    expect(() => parse(text)).toThrow(DeclaredError);
  });

  it('answers every text with a tree or a declared error', () => {
    const parts = ['(', ')', '"', '\\', ' and ', ' or ', ' not ', 'name', ' eq ', ' pr ', '"x"', '1', '[', 'true', ' '];
    const soup = fc.array(fc.constantFrom(...parts)).map((words) => words.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), soup), (text) => {
        try {
          parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(DeclaredError);
        }
      }),
      { numRuns: 200 },
    );
  });
});

function show(query: LuceneQuery): string {
  switch (query.kind) {
    case 'all':
      return 'all';
    case 'and':
    case 'or':
      return `(${query.parts.map(show).join(` ${query.kind} `)})`;
    case 'not':
      return `not ${show(query.part)}`;
    case 'exists':
      return `exists ${query.field}`;
    case 'match':
      return `${query.field}=${query.pieces.join('*')}`;
    case 'range': {
      const { from, to } = query;
      const side = (sign: string, bound: typeof from) =>
        bound === undefined ? '' : `${sign}${bound.isInclusive ? '=' : ''}${bound.value}`;
      return `${query.field}${side('>', from)}${side('<', to)}`;
    }
  }
}
