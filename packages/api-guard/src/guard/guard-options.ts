import type { TokenCache } from '../caches/token-cache.ts';
import { boundedNumber, checkSecret, checkTexts, checkWebAddress } from '../options/check-options.ts';
import type { VerifyToken } from '../verifiers/verify-token.ts';

export interface GuardOptions {
  /** Of the authorization server, and of the tokens. */
  readonly issuer: string;
  /** This API's identifier. */
  readonly audience: string;
  /** At least 32 bytes, the same for all services that share the cache. Entries are encrypted with it. */
  readonly secret: string;
  readonly cache: TokenCache;
  readonly verify: VerifyToken;
  /** How old a verdict may be, and so how long a revoked token may still be served. 60 unless said otherwise. */
  readonly maxStaleSeconds?: number;
  /** How long a refused token is refused without a question. 5 unless said otherwise. */
  readonly refusedSeconds?: number;
  /** How much later than it says a token expires, for clocks that differ. 0 unless said otherwise. */
  readonly clockToleranceSeconds?: number;
  /** How long a question to the service may take, waiting included. 5,000 unless said otherwise. */
  readonly deadlineMs?: number;
  /** Questions under way at once, of different tokens; as many as twenty times more wait. 64 unless said otherwise. */
  readonly mostAtOnce?: number;
  /** What an operator would want to know; never a token. */
  readonly onEvent?: (event: GuardEvent) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface GuardEvent {
  readonly type: 'cache_away' | 'service_away' | 'poisoned_entry';
  readonly message: string;
  readonly cause?: unknown;
}

const BOUNDS = {
  maxStaleSeconds: { otherwise: 60, least: 0, most: 86_400 },
  refusedSeconds: { otherwise: 5, least: 0, most: 3_600 },
  clockToleranceSeconds: { otherwise: 0, least: 0, most: 600 },
  deadlineMs: { otherwise: 5_000, least: 1, most: 60_000 },
  mostAtOnce: { otherwise: 64, least: 1, most: 10_000 },
} as const;

/** With every default, or a TypeError that names the option. */
export function checkedOptions(options: GuardOptions) {
  checkWebAddress('issuer', options.issuer);
  checkTexts(options, ['audience']);
  checkSecret(options.secret);
  if (typeof options.cache?.get !== 'function') throw new TypeError('cache must be a TokenCache.');
  if (typeof options.verify !== 'function') throw new TypeError('verify must be a function.');
  const bounded = (name: keyof typeof BOUNDS) => boundedNumber(name, options[name], BOUNDS[name]);
  return {
    ...options,
    maxStaleSeconds: bounded('maxStaleSeconds'),
    refusedSeconds: bounded('refusedSeconds'),
    clockToleranceSeconds: bounded('clockToleranceSeconds'),
    deadlineMs: bounded('deadlineMs'),
    mostAtOnce: bounded('mostAtOnce'),
    now: options.now ?? Date.now,
  };
}
