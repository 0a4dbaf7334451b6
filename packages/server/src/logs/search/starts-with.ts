import { checkClauses, type LuceneMatch, type LuceneQuery } from '../../kit/lucene/query.ts';
import { LOG_RULES } from './log-fields.ts';

const FIELDS: ReadonlyMap<string, string> = new Map([
  ['application', 'client_name'],
  ['connection', 'connection'],
  ['user', 'user_name'],
]);
/** A field or none, then a text in quotes, or a word without anything that means something in Lucene. */
const CLAUSE =
  /\s*(?:(application|connection|user):)?(?:"([^"\\]*)"|([^\s"()[\]{}:*?\\+!-][^\s"()[\]{}:*?\\]*))(?=\s|$)/y;
const OPERATOR = /^(?:AND|OR|NOT|&&|\|\|)$/;

interface Clause {
  readonly field: string | undefined;
  readonly phrase: string | undefined;
  readonly words: string[];
}

/**
 * The dialect that `search` is documented with: values are what a name begins with, in quotes the whole name, whatever the case
 * of its letters; without a field that of the application, the connection or the user. Undefined for everything else.
 */
export function parseStartsWith(text: string): LuceneQuery | undefined {
  const clauses = readClauses(text.trimEnd());
  if (clauses === undefined || clauses.length === 0) return undefined;
  const parts = clauses.map(({ field, phrase, words }) => {
    const match = { pieces: phrase === undefined ? [words.join(' '), ''] : [phrase], isPhrase: phrase !== undefined };
    return field === undefined ? anyOf([...FIELDS.values()], match) : of(field, match);
  });
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : { kind: 'and', parts };
}

/** Words that follow each other are one text: names have spaces in them. */
function readClauses(text: string): Clause[] | undefined {
  const clauses: Clause[] = [];
  for (let at = 0; at < text.length; at = CLAUSE.lastIndex) {
    CLAUSE.lastIndex = at;
    const [, name, phrase, word = ''] = CLAUSE.exec(text) ?? [];
    if ((phrase === undefined && word === '') || OPERATOR.test(word)) return undefined;
    const last = clauses.at(-1);
    if (name === undefined && phrase === undefined && last !== undefined && last.phrase === undefined)
      last.words.push(word);
    else clauses.push({ field: name === undefined ? undefined : FIELDS.get(name), phrase, words: [word] });
    checkClauses(clauses.length, LOG_RULES);
  }
  return clauses;
}

type Value = Pick<LuceneMatch, 'pieces' | 'isPhrase'>;

function anyOf(fields: readonly string[], value: Value): LuceneQuery {
  return { kind: 'or', parts: fields.map((field) => of(field, value)) };
}

function of(field: string, value: Value): LuceneMatch {
  return { kind: 'match', field, ...value, ignoresCase: true };
}
