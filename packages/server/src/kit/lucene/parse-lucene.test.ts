import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeclaredError } from '../errors.ts';
import { parseLucene } from './parse-lucene.ts';
import type { LuceneQuery, LuceneRules } from './query.ts';

const rules: LuceneRules = {
  field: (name) => {
    if (name === 'date') return { wildcard: false, range: true };
    return ['type', 'name', 'user_id', 'app_metadata.plan'].includes(name)
      ? { wildcard: true, range: false }
      : undefined;
  },
  allowsExists: true,
};
const parse = (text: string) => show(parseLucene(text, rules));

describe('parseLucene', () => {
  it.each([
    ['', 'all'],
    ['   ', 'all'],
    ['ada', 'ada'],
    ['type:f', 'type:f'],
    ['type: f', 'type:f'],
    ['type:"f p"', 'type:"f p"'],
    ['type:f OR type:fp', '(type:f or type:fp)'],
    ['type:f type:fp', '(type:f or type:fp)'],
    ['type:f OR type:fp AND name:a', '(type:f or (type:fp and name:a))'],
    ['(type:f OR type:fp) AND name:a', '((type:f or type:fp) and name:a)'],
    ['type:(f OR fp OR fu) AND date:[2026-01-01 TO *]', '((type:f or type:fp or type:fu) and date:[2026-01-01 TO *])'],
    ['NOT type:s', 'not type:s'],
    ['-type:s', 'not type:s'],
    ['type:f && !name:a', '(type:f and not name:a)'],
    ['type:s AND NOT (name:a OR name:b)', '(type:s and not (name:a or name:b))'],
    ['and or not', '(and or or or not)'],
    ['date:[2018-12 TO 2019-01-01}', 'date:[2018-12 TO 2019-01-01}'],
    ['date:{2019-01-01T01:00:00 TO "2019-01-01T12:23:45"]', 'date:{2019-01-01T01:00:00 TO 2019-01-01T12:23:45]'],
    ['user_id:auth0|63d1', 'user_id:auth0|63d1'],
    ['name:http://a.example/?', undefined],
    ['name:http://a.example:3000/x', 'name:http://a.example:3000/x'],
    ['name:j*', 'name:j*'],
    ['name:*ane*', 'name:*ane*'],
    ['name:*', 'name:*'],
    ['name:a\\*b\\"', 'name:a*b" (literal)'],
    ['name:"a\\"b*"', 'name:"a"b*"'],
    ['app_metadata.plan:gold', 'app_metadata.plan:gold'],
    ['_exists_:name', 'exists name'],
    ['+type:f +name:a', '(type:f or name:a)'],
  ])('reads %s', (text, shown) => {
    if (shown === undefined) expect(() => parse(text)).toThrow(DeclaredError);
    else expect(parse(text)).toBe(shown.replace(' (literal)', ''));
  });

  it.each([
    ['name:*an', 'three literal characters'],
    ['name:a*n', 'three literal characters'],
    ['name:j?ne', 'wildcard ?'],
    ['date:2018*', 'not supported in date'],
    ['type:[a TO b]', 'not supported in type'],
    ['[a TO b]', 'needs a field'],
    ['date:[a b]', 'form [a TO b]'],
    ['secret:x', "'secret' can not be searched"],
    ['__proto__:x', "'__proto__' can not be searched"],
    ['_exists_:secret', "'secret' can not be searched"],
    ['(type:f', 'not closed'],
    ['type:f)', 'unexpected )'],
    ['type:"f', 'not closed'],
    ['type:', 'ends too early'],
    ['type:f AND', 'ends too early'],
    ['AND type:f', 'unexpected and'],
    ['type:(name:a)', 'unexpected field'],
    ['type:f ]', 'unexpected ]'],
    ['+', 'missing after +'],
  ])('refuses %s', (text, problem) => {
    expect(() => parse(text)).toThrow(problem);
  });

  it.each([
    ['a long query', 'x'.repeat(4_001)],
    ['deep parentheses', `${'('.repeat(1_500)}x${')'.repeat(1_500)}`],
    ['a chain of NOT', 'NOT '.repeat(900)],
    ['many clauses', Array.from({ length: 101 }, () => 'a').join(' OR ')],
    ['many wildcards in a term', 'name:*a*b*cde*'],
    ['many terms with wildcards', Array.from({ length: 21 }, () => 'name:*abc*').join(' ')],
  ])('refuses %s before it costs anything', (_what, text) => {
    expect(() => parse(text)).toThrow(DeclaredError);
  });

  it('answers every text with a tree or a declared error', () => {
    const soup = fc.array(
      fc.constantFrom(
        '(',
        ')',
        '"',
        '[',
        ']',
        ' TO ',
        ' AND ',
        ' OR ',
        ' NOT ',
        'type:',
        '*',
        '\\',
        'abc',
        '-',
        '+',
        ':',
      ),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          soup.map((parts) => parts.join('')),
        ),
        (text) => {
          try {
            parse(text);
          } catch (error) {
            expect(error).toBeInstanceOf(DeclaredError);
          }
        },
      ),
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
    case 'range': {
      const { from, to } = query;
      return `${query.field}:${from?.isInclusive === false ? '{' : '['}${from?.value ?? '*'} TO ${to?.value ?? '*'}${to?.isInclusive === false ? '}' : ']'}`;
    }
    case 'match': {
      const text = query.pieces.join('*');
      return `${query.field === undefined ? '' : `${query.field}:`}${query.isPhrase ? `"${text}"` : text}`;
    }
  }
}
