import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AcceptProof } from './accept-proof.ts';
import { DPOP_ALGORITHMS } from './dpop-proof.ts';
import { type Confirmation, isConfirmedBy } from './possession.ts';

/** An access token as it came with a request. */
export interface PresentedToken {
  readonly scheme: 'Bearer' | 'DPoP';
  readonly token: string;
  /** Its `cnf`; false where it has one that we don't know. */
  readonly confirmation: Confirmation | undefined | false;
  /** Whether the client that it was issued to is a public one: its proofs need a nonce. */
  readonly isPublicClient: boolean;
}

/** Why the token does not count for whoever brought it. */
export interface PresenterFault {
  readonly error: 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce';
  readonly description: string;
}

export type CheckPresenter = ReturnType<typeof createPresenterCheck>;

/** A bound token opens a resource only to the holder of its key (RFC 9449 section 7.1, RFC 8705 section 3). */
export function createPresenterCheck({ acceptProof }: { acceptProof: AcceptProof }) {
  return async function checkPresenter(
    request: FastifyRequest,
    reply: FastifyReply,
    { scheme, token, confirmation, isPublicClient }: PresentedToken,
  ): Promise<PresenterFault | undefined> {
    if (confirmation === undefined)
      return scheme === 'DPoP' ? invalidToken('The access token is not bound to a key') : undefined;
    if (confirmation === false) return invalidToken('The access token is bound to something that is not understood');
    const certificate = request.clientCertificate?.thumbprint;
    if ('x5t#S256' in confirmation) {
      if (isConfirmedBy(confirmation, { jkt: undefined, certificate })) return undefined;
      return invalidToken('The access token is bound to another client certificate');
    }
    // Section 7.2: a bound token that is sent as a bearer token was stolen, or taken for what it is not.
    if (scheme !== 'DPoP') return invalidToken('The access token needs the scheme DPoP and a proof');
    const header = request.headers.dpop;
    if (header === undefined) return { error: 'invalid_dpop_proof', description: 'The DPoP proof is missing' };
    const proof = await acceptProof(request, reply, String(header), { accessToken: token, needsNonce: isPublicClient });
    if (!('jkt' in proof)) return { error: proof.code, description: proof.fault };
    if (isConfirmedBy(confirmation, { jkt: proof.jkt, certificate: undefined })) return undefined;
    return invalidToken('The access token is bound to another key');
  };
}

/** The challenge of an answer 401 to a DPoP request (RFC 9449 section 7.1). */
export function dpopChallenge({ error, description }: PresenterFault, realm?: string): string {
  const parts = [
    ...(realm === undefined ? [] : [`realm="${realm}"`]),
    `error="${error}"`,
    `error_description="${description}"`,
    `algs="${DPOP_ALGORITHMS.join(' ')}"`,
  ];
  return `DPoP ${parts.join(', ')}`;
}

function invalidToken(description: string): PresenterFault {
  return { error: 'invalid_token', description };
}
