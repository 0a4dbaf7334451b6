import type { X509Certificate } from 'node:crypto';
import type { TlsCredential } from '../../clients/client.ts';
import type { ClientCertificate } from '../../http/client-certificate.ts';
import { sameSubject } from './subject-name.ts';

/**
 * Whether a client's certificate is one that it registered: by the subject of one that an authority vouches for, as the proxy
 * found (RFC 8705 section 2.1), or to the letter (section 2.2). An expired certificate or credential is none.
 */
export function isRegisteredCertificate(
  credentials: readonly TlsCredential[],
  certificate: ClientCertificate | undefined,
  now: Date,
): boolean {
  const parsed = certificate?.parse();
  if (!certificate || !parsed || !isInTime(parsed, now)) return false;
  return credentials.some((credential) => {
    if (credential.expiresAt && credential.expiresAt <= now) return false;
    if (credential.method === 'self_signed_tls_client_auth') return credential.thumbprint === certificate.thumbprint;
    return certificate.isVerified && sameSubject(credential.subjectDn, parsed.subject);
  });
}

function isInTime({ validFrom, validTo }: X509Certificate, now: Date): boolean {
  return new Date(validFrom) <= now && now < new Date(validTo);
}
