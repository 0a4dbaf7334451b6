import { createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import { digest } from '../../kit/digest.ts';
import { isObject, type Json } from '../../kit/json-values.ts';

export interface ProofExpectation {
  readonly method: string;
  /** Without query and fragment. */
  readonly url: string;
  /** The access token that the proof goes along with, at a resource server. */
  readonly accessToken?: string;
  readonly now: Date;
}

/** A DPoP proof that is right in itself; whether it was used before and whether its nonce is ours is asked elsewhere. */
export interface DpopProof {
  readonly jkt: string;
  readonly jti: string;
  readonly nonce: string | undefined;
  /** When its age alone will refuse it. */
  readonly expiresAt: Date;
}

export type ProofFault = { readonly fault: string };

/** What discovery names; RFC 9449 section 4.3 wants asymmetric algorithms that are deemed secure. */
export const DPOP_ALGORITHMS = ['ES256'] as const;

const LONGEST_PROOF = 4_096;
const LONGEST_JTI = 256;
const LONGEST_NONCE = 128;
/** Clients' clocks err: what keeps a proof from being used again is its jti, not its age. */
const LEEWAY_SECONDS = 300;
const COMPACT = /^([\w-]+)\.([\w-]+)\.([\w-]{86})$/;

/** The checks of RFC 9449 section 4.3, in its order. */
export function readDpopProof(text: string, expected: ProofExpectation): DpopProof | ProofFault {
  const parts = text.length <= LONGEST_PROOF ? COMPACT.exec(text) : null;
  const [, protectedHeader = '', payload = '', signature = ''] = parts ?? [];
  const header = decode(protectedHeader);
  const claims = decode(payload);
  // Two headers of the name arrive as one with a comma, which is no JWT.
  if (!header || !claims) return { fault: 'The proof is not a single JWT' };
  const { jti, htm, htu, iat, ath, nonce } = claims;
  if (!isShortText(jti, LONGEST_JTI) || typeof htm !== 'string' || typeof htu !== 'string' || typeof iat !== 'number')
    return { fault: 'The proof lacks a claim: jti, htm, htu and iat are needed' };
  if (header.typ !== 'dpop+jwt') return { fault: 'The type of the proof is not dpop+jwt' };
  if (header.alg !== 'ES256') return { fault: 'The algorithm of the proof is not ES256' };
  if ('crit' in header) return { fault: 'The proof names critical extensions, of which none is known' };
  const key = publicKeyOf(header.jwk);
  if (!key) return { fault: 'The key of the proof is not a public key on P-256' };
  if (!isSignedBy(key.object, `${protectedHeader}.${payload}`, signature))
    return { fault: 'The signature of the proof is wrong' };
  if (htm !== expected.method) return { fault: 'The proof is for another method' };
  if (normalized(htu) !== normalized(expected.url)) return { fault: 'The proof is for another URL' };
  if (nonce !== undefined && !isShortText(nonce, LONGEST_NONCE)) return { fault: 'The nonce of the proof is no text' };
  const age = expected.now.getTime() / 1000 - iat;
  if (!(Math.abs(age) <= LEEWAY_SECONDS)) return { fault: 'The proof was made too long ago, or in the future' };
  if (expected.accessToken !== undefined && !isHashOf(ath, expected.accessToken))
    return { fault: 'The proof is for another access token' };
  return { jkt: key.thumbprint, jti, nonce, expiresAt: new Date((iat + LEEWAY_SECONDS) * 1000) };
}

/** Private members must not be there, and nothing else of the key is looked at: `x5u` and the like lead nowhere. */
function publicKeyOf(jwk: unknown): { object: KeyObject; thumbprint: string } | undefined {
  if (!isObject(jwk) || jwk.kty !== 'EC' || jwk.crv !== 'P-256' || 'd' in jwk) return undefined;
  const { x, y } = jwk;
  if (!isCoordinate(x) || !isCoordinate(y)) return undefined;
  try {
    const object = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
    // RFC 7638 section 3.2: the members that make the key, in lexical order.
    return { object, thumbprint: digest(JSON.stringify({ crv: 'P-256', kty: 'EC', x, y })) };
  } catch {
    return undefined;
  }
}

/** 32 bytes, in the one spelling that base64url has for them: else one key had several thumbprints. */
function isCoordinate(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    /^[\w-]{43}$/.test(value) &&
    Buffer.from(value, 'base64url').toString('base64url') === value
  );
}

function isSignedBy(key: KeyObject, input: string, signature: string): boolean {
  return verify('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
}

/** RFC 9449 section 4.3: query and fragment do not count, and neither does the spelling of what stays the same URL (RFC 3986 section 6.2). */
function normalized(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.origin === 'null' ? undefined : url.origin + url.pathname;
}

function isHashOf(ath: unknown, accessToken: string): boolean {
  const expected = Buffer.from(digest(accessToken));
  const given = Buffer.from(typeof ath === 'string' ? ath : '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function isShortText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longest;
}

function decode(part: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
