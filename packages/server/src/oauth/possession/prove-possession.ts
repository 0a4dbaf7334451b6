import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Client, isPublic } from '../../clients/client.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { asRecorded } from '../token/token-grant.ts';
import type { AcceptProof } from './accept-proof.ts';
import { NOTHING_PROVEN, type Possession } from './possession.ts';

export type ProvePossession = ReturnType<typeof createPossessionProver>;

/**
 * The keys that a client shows to hold where it asks for tokens (/oauth/token, /oauth/par). Public clients need a nonce of
 * ours in their proof: nothing else keeps somebody from making proofs ahead (authentication-api section 0.1, RFC 9449 section 8).
 */
export function createPossessionProver({ acceptProof }: { acceptProof: AcceptProof }) {
  return async function provePossession(
    request: FastifyRequest,
    reply: FastifyReply,
    client: Client,
  ): Promise<Possession> {
    const certificate = request.clientCertificate?.thumbprint;
    const header = request.headers.dpop;
    if (header === undefined) return certificate === undefined ? NOTHING_PROVEN : { jkt: undefined, certificate };
    const proof = await acceptProof(request, reply, String(header), { needsNonce: isPublic(client) });
    if ('jkt' in proof) return { jkt: proof.jkt, certificate };
    // A client that learns the nonce did nothing wrong: no event, or each first request of a page would be a failure.
    if (proof.code === 'use_dpop_nonce') throw asRecorded(oauthErrors.nonceNeeded());
    throw oauthErrors.invalidProof({ fault: proof.fault });
  };
}
