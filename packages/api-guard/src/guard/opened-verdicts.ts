import type { StoredVerdict } from '../entries/entry.ts';

/**
 * Spares decrypting a value that is, letter for letter, the one that was decrypted for this key before: two thirds of what a hit
 * costs. What counts is still what the cache says now; nothing is served from here that it did not just give.
 */
export function createOpenedVerdicts() {
  // Oldest first, as a Map lists its keys.
  const opened = new Map<string, { readonly value: string; readonly verdict: StoredVerdict }>();

  return {
    find(key: string, value: string): StoredVerdict | undefined {
      const found = opened.get(key);
      return found?.value === value ? found.verdict : undefined;
    },
    keep(key: string, value: string, verdict: StoredVerdict): void {
      if (value.length > LONGEST_VALUE) return;
      opened.delete(key);
      opened.set(key, { value, verdict });
      if (opened.size <= MOST) return;
      for (const oldest of opened.keys()) {
        opened.delete(oldest);
        return;
      }
    },
  };
}

const MOST = 2_000;
const LONGEST_VALUE = 8_192;

/** Requests share a verdict: what one handler wrote into its user would be read by the next. */
export function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
