import { parseLucene } from '../../kit/lucene/parse-lucene.ts';
import type { LuceneMatch, LuceneQuery } from '../../kit/lucene/query.ts';
import { LOG_RULES } from './log-fields.ts';

/** `q`, and `search`, by which newer SDKs send the same. Where several conditions are given, all must hold. */
export function parseSearch(q: string | undefined, search: string | undefined, ...others: LuceneQuery[]): LuceneQuery {
  const texts = [q, search].filter((text) => text !== undefined);
  const parts = [...others, ...texts.map((text) => parseLucene(text, LOG_RULES))];
  const [first] = parts;
  if (first === undefined) return { kind: 'all' };
  return parts.length === 1 ? first : { kind: 'and', parts };
}

/** The condition of /users/{id}/logs: the id is a value, whatever stands in it. */
export function eventsOfUser(userId: string): LuceneMatch {
  return { kind: 'match', field: 'user_id', pieces: [userId], isPhrase: true };
}
