import { argon2 } from './argon2.ts';
import { bcrypt } from './bcrypt.ts';
import type { HashFormat } from './format.ts';

/** Every stored hash that a login understands. An import format is added here, with one file beside. */
const FORMATS: readonly HashFormat[] = [argon2, bcrypt];

/** Longer than any hash that a format knows. */
const MAX_STORED_LENGTH = 1_024;

export interface ReadableHash {
  readonly format: HashFormat;
  readonly outdated: boolean;
}

/** The format of a stored hash, decided without hashing; undefined for an unknown text and for hostile parameters. */
export function readStoredHash(stored: string): ReadableHash | undefined {
  if (stored.length > MAX_STORED_LENGTH) return undefined;
  for (const format of FORMATS) {
    const read = format.read(stored);
    if (read !== undefined) return read.affordable ? { format, outdated: read.outdated } : undefined;
  }
  return undefined;
}
