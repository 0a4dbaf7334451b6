import { isObject, type Json } from '../../kit/json-values.ts';
import { isStorable } from '../../users/metadata.ts';
import { exchangeErrors } from './exchange-errors.ts';

const DEEPEST = 5;
const MOST_MEMBERS = 5;
const LONGEST_NAME = 128;
const LONGEST_TEXT = 512;

/**
 * The claim `act` (RFC 8693 section 4.1): who acts for the user, and who acted before. Each of at most five has a `sub`, and
 * at most five plain members besides. Throws where it is something else: a token must not name another actor than was meant.
 */
export function readActor(given: unknown, depth = 1): Json {
  if (!isObject(given) || depth > DEEPEST || !isStorable(given)) throw exchangeErrors.actorMalformed();
  const { sub, act, ...others } = given;
  const members = Object.entries(others);
  const isFine = isText(sub) && sub !== '' && members.length <= MOST_MEMBERS && members.every(isPlain);
  if (!isFine) throw exchangeErrors.actorMalformed();
  return { sub, ...others, ...(act !== undefined && { act: readActor(act, depth + 1) }) };
}

function isPlain([name, value]: readonly [string, unknown]): boolean {
  return name.length <= LONGEST_NAME && (isText(value) || typeof value === 'boolean' || typeof value === 'number');
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_TEXT;
}
