import { hashSync, verifySync } from '@node-rs/argon2';
import type { HashFormat } from './format.ts';

/** What new passwords get (product decision 3.8): 19 MiB, two passes, one lane. */
const CURRENT = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const LIMITS = { memoryCost: 65_536, timeCost: 10, parallelism: 4 } as const;

const ENCODED =
  /^\$argon2(id|i|d)\$v=(19|16)\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,86}$/;

/**
 * Verified against where there is no account: the same work, so that time does not tell whether one exists. The tag is
 * random bytes, the hash of no known password; the answer is "wrong" whatever the comparison says.
 */
export const DUMMY_HASH =
  '$argon2id$v=19$m=19456,t=2,p=1$8vKxQmZ0Yy1nR3hB5dWc7g$u0mTz4WnKqYh1eXo9sPb6vJcRf2LgAiD8tZkN3yQw5E';

export const argon2: HashFormat = {
  name: 'argon2',

  read(stored) {
    const [, variant, version, m, t, p] = ENCODED.exec(stored) ?? [];
    if (variant === undefined) return undefined;
    const [memoryCost, timeCost, parallelism] = [Number(m), Number(t), Number(p)];
    const current =
      memoryCost === CURRENT.memoryCost && timeCost === CURRENT.timeCost && parallelism === CURRENT.parallelism;
    return {
      affordable:
        memoryCost <= LIMITS.memoryCost &&
        // RFC 9106 section 3.1: at least eight blocks a lane, one pass, one lane; the library throws below that.
        memoryCost >= 8 * parallelism &&
        timeCost >= 1 &&
        timeCost <= LIMITS.timeCost &&
        parallelism >= 1 &&
        parallelism <= LIMITS.parallelism,
      outdated: !current || variant !== 'id' || version !== '19',
    };
  },

  verify: (password, stored) => verifySync(stored, password),
};

/** The library's default variant is argon2id, version 19, with a random salt of 16 bytes and a tag of 32. */
export function argon2idHash(password: string): string {
  return hashSync(password, CURRENT);
}
