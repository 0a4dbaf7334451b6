import type { FastifyReply, FastifyRequest } from 'fastify';
import { digest } from '../../kit/digest.ts';
import type { DpopNonces } from './dpop-nonces.ts';
import { readDpopProof } from './dpop-proof.ts';

interface Parts {
  readonly nonces: DpopNonces;
  /** False where the proof was accepted before. */
  readonly takeProof: (tenantId: string, proofHash: string, expiresAt: Date) => Promise<boolean>;
  readonly now: () => Date;
}

export interface ProofOptions {
  /** The access token that comes with the proof, at a resource server. */
  readonly accessToken?: string;
  /** Whether the proof must show that it was made just now (RFC 9449 section 8). */
  readonly needsNonce: boolean;
}

export type AcceptedProof = { readonly jkt: string } | { readonly code: ProofErrorCode; readonly fault: string };
export type ProofErrorCode = 'invalid_dpop_proof' | 'use_dpop_nonce';
export type AcceptProof = ReturnType<typeof createProofAcceptance>;

const NONCE_NEEDED = 'Authorization server requires nonce in DPoP proof';

/** Takes the DPoP proof of a request, once. Every answer to a proof brings the nonce for the next one (RFC 9449 section 8.2). */
export function createProofAcceptance({ nonces, takeProof, now }: Parts) {
  return async function acceptProof(
    request: FastifyRequest,
    reply: FastifyReply,
    header: string,
    { accessToken, needsNonce }: ProofOptions,
  ): Promise<AcceptedProof> {
    const { tenantId } = request.tenant;
    reply.header('dpop-nonce', await nonces.issue(tenantId));
    const proof = readDpopProof(header, {
      method: request.method,
      url: request.askedOrigin + request.url,
      now: now(),
      ...(accessToken !== undefined && { accessToken }),
    });
    if ('fault' in proof) return { code: 'invalid_dpop_proof', fault: proof.fault };
    // An old nonce is told like none at all: the client has a new one now and comes again.
    if (proof.nonce === undefined ? needsNonce : !(await nonces.isValid(tenantId, proof.nonce)))
      return { code: 'use_dpop_nonce', fault: NONCE_NEEDED };
    if (!(await takeProof(tenantId, digest(`${proof.jkt} ${proof.jti}`), proof.expiresAt)))
      return { code: 'invalid_dpop_proof', fault: 'The proof was used before' };
    return { jkt: proof.jkt };
  };
}
