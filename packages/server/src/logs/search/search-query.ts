import { parseLucene } from '../../kit/lucene/parse-lucene.ts';
import { LUCENE_LIMITS, type LuceneMatch, type LuceneQuery } from '../../kit/lucene/query.ts';
import { logErrors } from '../log-errors.ts';
import { LOG_RULES } from './log-fields.ts';
import { parseStartsWith } from './starts-with.ts';

/**
 * `q`, and `search`: the older dialect where it is nothing else, and otherwise the same as `q`, since newer SDKs have no other
 * name for it. Where several conditions are given, all must hold.
 */
export function parseSearch(q: string | undefined, search: string | undefined, ...others: LuceneQuery[]): LuceneQuery {
  for (const text of [q, search])
    if (text !== undefined && text.length > LUCENE_LIMITS.length)
      throw logErrors.tooLong({ most: String(LUCENE_LIMITS.length) });
  const parts = [...others];
  if (q !== undefined) parts.push(parseLucene(q, LOG_RULES));
  if (search !== undefined) parts.push(parseStartsWith(search) ?? parseLucene(search, LOG_RULES));
  const [first] = parts;
  if (first === undefined) return { kind: 'all' };
  return parts.length === 1 ? first : { kind: 'and', parts };
}

/** The condition of /users/{id}/logs: the id is a value, whatever stands in it. */
export function eventsOfUser(userId: string): LuceneMatch {
  return exactly('user_id', userId);
}

export function exactly(field: string, value: string): LuceneMatch {
  return { kind: 'match', field, pieces: [value], isPhrase: true };
}
