import { numberOf } from '../../../kit/json-values.ts';
import type { MetadataWishes } from '../../../oauth/refresh/refresh-token.ts';
import { isStorable } from '../../../users/metadata.ts';

// What actions say of sessions and refresh tokens, as it is kept until the flow applies it: JSON.

const LONGEST_NOTE = 255;
const MOST_NOTES = 25;
/** A later moment means never: PostgreSQL knows years of five digits, the rest of us does not. */
const LATEST = Date.UTC(9999, 0);

/** The earlier of what was wished and of a moment in milliseconds, as ISO text; undefined where that is none. */
export function earlierOf(before: string | undefined, given: unknown): string | undefined {
  const moment = numberOf(given);
  if (moment === undefined) return undefined;
  const wished = new Date(Math.min(Math.max(moment, 0), LATEST)).toISOString();
  return before !== undefined && before < wished ? before : wished;
}

/** Texts, as in the Management API; null takes one away. */
export function isNote(key: unknown, value: unknown): key is string {
  const isFitting = value === null || (typeof value === 'string' && value.length <= LONGEST_NOTE);
  return isFitting && typeof key === 'string' && key !== '' && key.length <= LONGEST_NOTE && isStorable([key, value]);
}

/** Undefined where it is more than a token may carry. */
export function noted(
  before: MetadataWishes = { empties: false, removed: [], set: {} },
  key: string,
  value: unknown,
): MetadataWishes | undefined {
  const others = Object.entries(before.set).filter(([name]) => name !== key);
  const removed = before.removed.filter((name) => name !== key);
  if (value === null) return { ...before, removed: [...removed, key], set: Object.fromEntries(others) };
  if (others.length >= MOST_NOTES) return undefined;
  return { ...before, removed, set: Object.fromEntries([...others, [key, String(value)]]) };
}
