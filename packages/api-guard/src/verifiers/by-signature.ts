import { createRemoteJWKSet, customFetch, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { checkTexts, checkWebAddress } from '../options/check-options.ts';
import { type Fetch, readBounded } from './call-service.ts';
import { createDiscovery } from './discovery.ts';
import { refused, verdictOfClaims } from './verdict-of-claims.ts';
import { ServiceAwayError, type VerifyToken } from './verify-token.ts';

export interface SignatureOptions {
  readonly issuer: string;
  readonly audience: string;
  /**
   * Who knows of revocations: asked for each token that is well signed. With 'nobody' a revoked token is served until it expires,
   * since a signature tells nothing of what happened after it.
   */
  readonly alsoAsk: VerifyToken | 'nobody';
  /** Found by discovery unless said. */
  readonly jwksUri?: string;
  readonly clockToleranceSeconds?: number;
  readonly fetch?: Fetch;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Public keys only: the keys of a JWKS are no secrets, so that an HMAC with one of them proves nothing. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** RFC 9068 section 4, and what Auth0 and others write; absent is usual too. */
const TYPES = new Set(['at+jwt', 'application/at+jwt', 'jwt']);

/** Checks a JWT by the issuer's published keys; what is not well signed never costs a question. */
export function bySignature(options: SignatureOptions): VerifyToken {
  checkWebAddress('issuer', options.issuer);
  checkTexts(options, ['audience']);
  if (options.alsoAsk !== 'nobody' && typeof options.alsoAsk !== 'function')
    throw new TypeError("alsoAsk must be a verifier, or 'nobody'.");
  const { alsoAsk, fetch = globalThis.fetch, now = Date.now } = options;
  const discover = createDiscovery({ issuer: options.issuer, fetch });
  let keys: { readonly uri: string; readonly find: JWTVerifyGetKey } | undefined;

  async function fetchBounded(...request: Parameters<Fetch>): Promise<Response> {
    const response = await fetch(...request);
    return new Response(await readBounded(response), { status: response.status });
  }

  return async (token, signal) => {
    let payload: JWTPayload;
    try {
      const verified = await jwtVerify(token, await keySet(), {
        algorithms: ALGORITHMS,
        issuer: options.issuer,
        audience: options.audience,
        requiredClaims: ['exp'],
        clockTolerance: options.clockToleranceSeconds ?? 0,
        currentDate: new Date(now()),
      });
      const { typ } = verified.protectedHeader;
      if (typ !== undefined && !TYPES.has(typ.toLowerCase())) return refused('unknown');
      payload = verified.payload;
    } catch (error) {
      return refused(reasonFor(error));
    }
    const verdict = verdictOfClaims(payload, options);
    return verdict.active && alsoAsk !== 'nobody' ? alsoAsk(token, signal) : verdict;
  };

  /** Keeps the keys, and asks again for one that it does not know: all who wait at once, and with a pause. */
  async function keySet(): Promise<JWTVerifyGetKey> {
    const uri = options.jwksUri ?? (await discover('jwks_uri'));
    if (keys?.uri !== uri) {
      const options = { cooldownDuration: PAUSE_MS, [customFetch]: fetchBounded };
      keys = { uri, find: createRemoteJWKSet(new URL(uri), options) };
    }
    return keys.find;
  }
}

/**
 * Invented key ids cost the issuer a request in this time, and tokens of a key that is new since the last one are refused for it. A server
 * that publishes its next key beforehand, as Gatewright and Auth0 do, is known before it rotates.
 */
const PAUSE_MS = 5_000;

/** The reason for a refusal; throws where it is no fault of the token. */
function reasonFor(error: unknown): string {
  if (error instanceof ServiceAwayError) throw error;
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return { aud: 'audience', iss: 'issuer' }[error.claim] ?? 'unknown';
  const isOfTheKeys = error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid;
  // jose tells of an answer without keys by its base class.
  if (error instanceof errors.JOSEError && !isOfTheKeys && error.constructor !== errors.JOSEError) return 'unknown';
  throw new ServiceAwayError("The issuer's keys can't be had.", { cause: error });
}
