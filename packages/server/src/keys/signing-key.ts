import { X509Certificate } from 'node:crypto';
import { defineErrors } from '../kit/errors.ts';
import { certificatesOnly, toPem } from '../tls/certificate.ts';

/**
 * A tenant signs with its current key. The next one is published before it signs, so that verifiers know it when its time
 * comes; a previous one verifies until it is revoked. The private half is no part of this type: it leaves the store only
 * as a KeyObject, for the signer.
 */
export interface SigningKey {
  readonly kid: string;
  readonly state: 'next' | 'current' | 'previous';
  readonly publicJwk: RsaPublicJwk;
  /** The self-signed certificate that carries the public key, PEM. */
  readonly certificate: string;
  readonly createdAt: Date;
  readonly currentSince?: Date;
  readonly currentUntil?: Date;
  readonly revokedAt?: Date;
}

export interface RsaPublicJwk {
  readonly kty: 'RSA';
  readonly n: string;
  readonly e: string;
}

/** One member of /.well-known/jwks.json. */
export interface PublishedKey extends RsaPublicJwk {
  readonly use: 'sig';
  readonly kid: string;
  readonly x5t: string;
  readonly x5c: readonly string[];
  readonly alg: 'RS256';
}

// No errorCode: many of Auth0's 404s have none, and none was seen here.
export const signingKeyErrors = defineErrors({
  notFound: { status: 404, message: 'The signing key does not exist.' },
  // The catalogue declares 401, 403, 404 and 429 for the operation, and no other.
  notRevocable: {
    status: 404,
    message: 'The {state} signing key can not be revoked: rotate first, then revoke the previous key.',
  },
});

export function toPublishedKey(key: SigningKey): PublishedKey {
  const { raw } = new X509Certificate(key.certificate);
  return {
    kty: 'RSA',
    use: 'sig',
    n: key.publicJwk.n,
    e: key.publicJwk.e,
    kid: key.kid,
    // RFC 7517 section 4.8: the SHA-1 of the DER, base64url.
    x5t: Buffer.from(thumbprintOf(key.certificate), 'hex').toString('base64url'),
    x5c: [raw.toString('base64')],
    alg: 'RS256',
  };
}

/** SHA-1 of the certificate with colons between the bytes, as `openssl x509 -fingerprint` prints it. */
export const fingerprintOf = (certificate: string): string => new X509Certificate(certificate).fingerprint;
export const thumbprintOf = (certificate: string): string => fingerprintOf(certificate).replaceAll(':', '');

/** The certificate alone in a PKCS#7 structure, PEM. */
export function pkcs7Of(certificate: string): string {
  return toPem('PKCS7', certificatesOnly(new X509Certificate(certificate).raw));
}
