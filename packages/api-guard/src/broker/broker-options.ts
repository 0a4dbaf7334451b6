import type { TokenCache } from '../caches/token-cache.ts';
import { boundedNumber, checkSecret, checkTexts, checkWebAddress } from '../options/check-options.ts';

export interface SessionBrokerOptions {
  /** Of the authorization server, and of the tokens. */
  readonly issuer: string;
  /** The API that the access tokens are for; the same as the guards of that API say. */
  readonly audience: string;
  /** A client with the grants password (and password-realm) and refresh_token; it authenticates by client_secret_post. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** At least 32 bytes, the same as the guards' that share the cache. Refresh tokens are encrypted with it. */
  readonly secret: string;
  readonly cache: TokenCache;
  /** What each login asks for; offline_access is added. */
  readonly scope?: string;
  /** How long a session is kept after its last refresh: as long as refresh tokens live. 30 days (and at most) unless said otherwise. */
  readonly sessionSeconds?: number;
  /** How long an old access token still leads to the new one. 30 unless said otherwise. */
  readonly forwardSeconds?: number;
  /** For one request to the server. 5,000 unless said otherwise; rotation must fit into the server's leeway twice. */
  readonly deadlineMs?: number;
  /** Found by discovery unless said. */
  readonly tokenEndpoint?: string;
  readonly revocationEndpoint?: string;
  /** Waits before a revocation is tried again that the server did not answer. */
  readonly revocationDelaysMs?: readonly number[];
  readonly onEvent?: (event: BrokerEvent) => void;
  readonly fetch?: typeof fetch;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** What an operator would want to know; never a token. */
export interface BrokerEvent {
  readonly type:
    | 'cache_away'
    | 'server_away'
    /** The server refuses the broker's client, or gives no refresh token: nobody can log in until somebody mends it. */
    | 'configuration'
    | 'revocation_delayed'
    | 'revocation_failed'
    /** A rotated session could not be written yet; and not at all, so that its user logs in again. */
    | 'write_delayed'
    | 'write_failed';
  readonly message: string;
}

const BOUNDS = {
  sessionSeconds: { otherwise: 2_592_000, least: 60, most: 2_592_000 },
  forwardSeconds: { otherwise: 30, least: 0, most: 300 },
  deadlineMs: { otherwise: 5_000, least: 100, most: 10_000 },
} as const;

/** With every default, or a TypeError that names the option. */
export function checkedBrokerOptions(options: SessionBrokerOptions) {
  checkWebAddress('issuer', options.issuer);
  checkTexts(options, ['audience', 'clientId', 'clientSecret']);
  checkSecret(options.secret);
  if (typeof options.cache?.add !== 'function') throw new TypeError('cache must be a TokenCache.');
  const bounded = (name: keyof typeof BOUNDS) => boundedNumber(name, options[name], BOUNDS[name]);
  return {
    ...options,
    scope: [...new Set([...(options.scope ?? 'openid profile email').split(' '), 'offline_access'])].join(' ').trim(),
    sessionSeconds: bounded('sessionSeconds'),
    forwardSeconds: bounded('forwardSeconds'),
    deadlineMs: bounded('deadlineMs'),
    revocationDelaysMs: options.revocationDelaysMs ?? [1_000, 5_000, 25_000],
    fetch: options.fetch ?? globalThis.fetch,
    now: options.now ?? Date.now,
  };
}

export type CheckedBrokerOptions = ReturnType<typeof checkedBrokerOptions>;
