/** How one family of stored hashes is recognised, bounded and verified: one file a format, listed in formats.ts. */
export interface HashFormat {
  readonly name: string;
  /** What verifying would cost, read from the text alone; undefined where this format does not know the text. */
  read(stored: string): StoredHash | undefined;
  /** Hashes synchronously: called in a hash process only, and only with what `read` accepted. */
  verify(password: string, stored: string): boolean;
}

export interface StoredHash {
  /** False where the parameters would cost more than we spend on a login (attacks: hostile hash parameters in an import). */
  readonly affordable: boolean;
  /** True where a new hash would be made otherwise: the next login with the right password stores a new one. */
  readonly outdated: boolean;
}
