import { type Metadata, userErrors } from './user.ts';

/** What one of a user's metadata objects may hold, as JSON: it is read with the user at each login. */
const MOST_CHARACTERS = 1_000_000;
const DEEPEST = 64;

/** First level only: a nested object is replaced whole, null deletes a key, an empty object empties all. */
export function mergeMetadata(before: Metadata, change: Metadata): Metadata {
  if (Object.keys(change).length === 0) return {};
  const merged = new Map(Object.entries(before));
  for (const [key, value] of Object.entries(change)) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

/** Refuses what PostgreSQL could not store, and what would make each login of this user slow. */
export function checkMetadata(name: 'user_metadata' | 'app_metadata', metadata: Metadata): Metadata {
  if (!isStorable(metadata)) {
    throw userErrors.invalid({
      reason: `${name} holds a NUL or half a surrogate pair, or is nested deeper than ${DEEPEST}`,
    });
  }
  if (JSON.stringify(metadata).length > MOST_CHARACTERS) {
    throw userErrors.invalid({ reason: `${name} is larger than ${MOST_CHARACTERS} characters` });
  }
  return metadata;
}

/** What rules, hooks and actions may keep in one of them (requirement RUL.29): a profile is no database. */
export const MOST_BYTES_OF_CODE = 16_384;

/** Whether code of the tenant may leave metadata like this. What operators made larger may stay so, and does not grow. */
export function fitsCode(before: Metadata, after: Metadata): boolean {
  if (!isStorable(after)) return false;
  const size = sizeOf(after);
  return size <= MOST_BYTES_OF_CODE || size <= sizeOf(before);
}

/** What code of the tenant sets in metadata; undefined where that would be more than it may. An empty change is none. */
export function changedByCode(before: Metadata, change: Metadata): Metadata | undefined {
  if (Object.keys(change).length === 0) return before;
  const after = mergeMetadata(before, change);
  return fitsCode(before, after) ? after : undefined;
}

/** The same for a request of tenant code to the Management API. */
export function checkOfCode(name: 'user_metadata' | 'app_metadata', before: Metadata, after: Metadata): Metadata {
  if (!fitsCode(before, after))
    throw userErrors.invalid({ reason: `${name} is larger than the ${MOST_BYTES_OF_CODE} bytes that code may keep` });
  return after;
}

function sizeOf(metadata: Metadata): number {
  return Buffer.byteLength(JSON.stringify(metadata));
}

/** jsonb holds neither U+0000 nor lone surrogates, and its parser has a stack. */
export function isStorable(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  if (typeof value !== 'object' || value === null) return true;
  if (depth === DEEPEST) return false;
  return Object.entries(value).every(([key, inner]) => isStorable(key) && isStorable(inner, depth + 1));
}
