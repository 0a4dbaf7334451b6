import { argon2idHash, DUMMY_HASH } from './formats/argon2.ts';
import { readStoredHash } from './formats/formats.ts';

/** What travels to a hash process, and back. */
export type HashRequest =
  | { readonly kind: 'hash'; readonly password: string }
  | { readonly kind: 'verify'; readonly password: string; readonly stored?: string };

export interface HashReply {
  readonly hash?: string;
  readonly valid: boolean;
  readonly outdated: boolean;
  /** How long the hashing itself took, without the queue. */
  readonly milliseconds: number;
}

/** Exactly one hash operation for each request, whatever is stored. */
export function runHashJob(request: HashRequest): HashReply {
  const begun = performance.now();
  const done = (answer: { hash?: string; valid: boolean; outdated: boolean }): HashReply => ({
    ...answer,
    milliseconds: performance.now() - begun,
  });
  if (request.kind === 'hash') return done({ hash: argon2idHash(request.password), valid: true, outdated: false });
  return done(verify(request.password, request.stored));
}

function verify(password: string, stored: string | undefined): { valid: boolean; outdated: boolean } {
  const readable = stored === undefined ? undefined : readStoredHash(stored);
  if (stored !== undefined && readable !== undefined) {
    try {
      return { valid: readable.format.verify(password, stored), outdated: readable.outdated };
    } catch {
      // The library refuses the text (damaged base64): treated like no account, and the process lives on.
    }
  }
  readStoredHash(DUMMY_HASH)?.format.verify(password, DUMMY_HASH);
  return { valid: false, outdated: false };
}
