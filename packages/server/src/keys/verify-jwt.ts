import { type KeyObject, verify } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { KeyRings } from './key-ring.ts';
import { RSA_PARAMETERS } from './token-signer.ts';

export interface VerifiedJwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Why a token counts for nothing. `expired` and `early` are said only of tokens whose signature is right. */
export type RefusalReason = 'malformed' | 'algorithm' | 'type' | 'unknown_key' | 'signature' | 'expired' | 'early';

export type VerifyResult =
  | ({ readonly valid: true } & VerifiedJwt)
  | { readonly valid: false; readonly reason: RefusalReason };

export interface VerifyOptions {
  /** The header's `typ`, compared without case (RFC 7515 section 4.1.9); every type passes where it is left out. */
  readonly typ?: string;
  /** Tokens past their time pass: the caller wants to know whom they were about. */
  readonly acceptsExpired?: boolean;
}

export type VerifyJwt = ReturnType<typeof createVerifyJwt>;

/** 100 KB of custom claims and what surrounds them; longer input is not even split. */
const LONGEST_TOKEN = 160_000;
/** Longer ones are verified anew each time. */
const LONGEST_REMEMBERED = 4_096;
const COMPACT = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/;
/** Servers of one installation may disagree by this about the time (nbf). */
const LEEWAY_SECONDS = 10;

/**
 * Checks that this tenant signed a JWT, and that it is in time. Audience, issuer and subject are the caller's questions.
 * The algorithm comes from our list and the key from our table: `jku`, `x5u`, `x5c` and `jwk` in a header mean nothing,
 * and neither `none` nor an HMAC over the public key can pass (RFC 8725 sections 3.1 and 3.2).
 */
export function createVerifyJwt({ verificationKey }: Pick<KeyRings, 'verificationKey'>, now: () => Date) {
  const remembered = new LRUCache<string, Signed>({ max: 1_000 });

  return async (
    tenantId: string,
    token: string,
    { typ, acceptsExpired }: VerifyOptions = {},
  ): Promise<VerifyResult> => {
    const place = `${tenantId} ${token}`;
    const known = token.length <= LONGEST_REMEMBERED ? remembered.get(place) : undefined;
    const jwt = known ?? parse(token);
    if (typeof jwt === 'string') return refused(jwt);
    const { header, parameters, kid } = jwt;
    if (typ !== undefined && String(header.typ).toLowerCase() !== typ.toLowerCase()) return refused('type');
    const key = kid === undefined ? undefined : await verificationKey(tenantId, kid);
    if (!key) return refused('unknown_key');
    // A signature that was right stays right: what may change (the key's state, the time) is checked each time.
    if ('input' in jwt && !isSignedBy(key, parameters, jwt.input, jwt.signature)) return refused('signature');
    const claims = 'input' in jwt ? decode(jwt.payload) : jwt.claims;
    if (!claims) return refused('malformed');
    if (!known && token.length <= LONGEST_REMEMBERED) remembered.set(place, { header, parameters, kid, claims });
    const seconds = now().getTime() / 1000;
    if (!acceptsExpired && (typeof claims.exp !== 'number' || claims.exp <= seconds)) return refused('expired');
    if (claims.nbf !== undefined && !(Number(claims.nbf) <= seconds + LEEWAY_SECONDS)) return refused('early');
    return { valid: true, header, claims };
  };
}

/** What a token says of its signature. */
interface Heading {
  readonly header: Readonly<Record<string, unknown>>;
  readonly parameters: SignatureParameters;
  readonly kid: string | undefined;
}

/** A token whose signature was right. */
interface Signed extends Heading {
  readonly claims: Readonly<Record<string, unknown>>;
}

interface Parsed extends Heading {
  readonly input: string;
  readonly payload: string;
  readonly signature: string;
}

function parse(token: string): Parsed | RefusalReason {
  const parts = token.length <= LONGEST_TOKEN ? COMPACT.exec(token) : null;
  const [, protectedHeader = '', payload = '', signature = ''] = parts ?? [];
  const header = decode(protectedHeader);
  if (!header) return 'malformed';
  const parameters = parametersOf(header.alg);
  // `crit` names extensions that must be understood (RFC 7515 section 4.1.11); we have none.
  if (!parameters || 'crit' in header) return 'algorithm';
  const kid = typeof header.kid === 'string' ? header.kid : undefined;
  return { header, parameters, kid, input: `${protectedHeader}.${payload}`, payload, signature };
}

const refused = (reason: RefusalReason) => ({ valid: false, reason }) as const;

type SignatureParameters = (typeof RSA_PARAMETERS)[keyof typeof RSA_PARAMETERS];

function parametersOf(alg: unknown): SignatureParameters | undefined {
  return typeof alg === 'string' && Object.hasOwn(RSA_PARAMETERS, alg)
    ? RSA_PARAMETERS[alg as keyof typeof RSA_PARAMETERS]
    : undefined;
}

/** At once, not on the pool: it costs a tenth of a signature, parsing included; the way to another thread would double it. */
function isSignedBy(
  key: KeyObject,
  { hash, ...parameters }: SignatureParameters,
  input: string,
  signature: string,
): boolean {
  return verify(hash, Buffer.from(input), { key, ...parameters }, Buffer.from(signature, 'base64url'));
}

function decode(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
