import { type KeyObject, verify } from 'node:crypto';
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
const COMPACT = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/;
/** Servers of one installation may disagree by this about the time (nbf). */
const LEEWAY_SECONDS = 10;

/**
 * Checks that this tenant signed a JWT, and that it is in time. Audience, issuer and subject are the caller's questions.
 * The algorithm comes from our list and the key from our table: `jku`, `x5u`, `x5c` and `jwk` in a header mean nothing,
 * and neither `none` nor an HMAC over the public key can pass (RFC 8725 sections 3.1 and 3.2).
 */
export function createVerifyJwt({ verificationKey }: Pick<KeyRings, 'verificationKey'>, now: () => Date) {
  return async (
    tenantId: string,
    token: string,
    { typ, acceptsExpired }: VerifyOptions = {},
  ): Promise<VerifyResult> => {
    const parts = token.length <= LONGEST_TOKEN ? COMPACT.exec(token) : null;
    const [, protectedHeader = '', payload = '', signature = ''] = parts ?? [];
    const header = decode(protectedHeader);
    if (!header) return refused('malformed');
    const parameters = parametersOf(header.alg);
    // `crit` names extensions that must be understood (RFC 7515 section 4.1.11); we have none.
    if (!parameters || 'crit' in header) return refused('algorithm');
    if (typ !== undefined && String(header.typ).toLowerCase() !== typ.toLowerCase()) return refused('type');
    const key = typeof header.kid === 'string' ? await verificationKey(tenantId, header.kid) : undefined;
    if (!key) return refused('unknown_key');
    if (!isSignedBy(key, parameters, `${protectedHeader}.${payload}`, signature)) return refused('signature');
    const claims = decode(payload);
    if (!claims) return refused('malformed');
    const seconds = now().getTime() / 1000;
    if (!acceptsExpired && (typeof claims.exp !== 'number' || claims.exp <= seconds)) return refused('expired');
    if (claims.nbf !== undefined && !(Number(claims.nbf) <= seconds + LEEWAY_SECONDS)) return refused('early');
    return { valid: true, header, claims };
  };
}

const refused = (reason: RefusalReason) => ({ valid: false, reason }) as const;

function parametersOf(alg: unknown) {
  return typeof alg === 'string' && Object.hasOwn(RSA_PARAMETERS, alg)
    ? RSA_PARAMETERS[alg as keyof typeof RSA_PARAMETERS]
    : undefined;
}

/** At once, not on the pool: it costs a tenth of a signature, parsing included; the way to another thread would double it. */
function isSignedBy(
  key: KeyObject,
  { hash, ...parameters }: (typeof RSA_PARAMETERS)[keyof typeof RSA_PARAMETERS],
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
