import { createHash, X509Certificate } from 'node:crypto';

/** The certificate that a client showed to the proxy in front, as the proxy tells it. */
export interface ClientCertificate {
  /** SHA-256 of its DER form, base64url (RFC 8705 section 3.1). */
  readonly thumbprint: string;
  /** Whether the proxy found it signed by an authority that it trusts. */
  readonly isVerified: boolean;
  /** Undefined where it can't be read. */
  parse(): X509Certificate | undefined;
}

/** A certificate is a header; what is longer is none. */
const LONGEST_TEXT = 16_384;
const PEM = /^-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/;

/**
 * Reads nginx's `$ssl_client_escaped_cert` (a PEM file, percent-encoded), the header that Auth0 asks of a proxy, and
 * `:base64 of DER:` (RFC 9440 section 2.2). `verdict` is nginx's `$ssl_client_verify`: SUCCESS, FAILED:reason or NONE.
 */
export function readClientCertificate(text: string, verdict: string | undefined): ClientCertificate | undefined {
  const der = text.length <= LONGEST_TEXT && verdict !== 'NONE' ? derOf(text) : undefined;
  if (!der || der.length === 0) return undefined;
  return {
    thumbprint: createHash('sha256').update(der).digest('base64url'),
    isVerified: verdict === 'SUCCESS',
    parse() {
      try {
        return new X509Certificate(der);
      } catch {
        return undefined;
      }
    },
  };
}

function derOf(text: string): Buffer | undefined {
  const field = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(text.trim())?.[1];
  if (field !== undefined) return Buffer.from(field, 'base64');
  try {
    const base64 = PEM.exec(decodeURIComponent(text))?.[1];
    return base64 === undefined ? undefined : Buffer.from(base64, 'base64');
  } catch {
    return undefined;
  }
}
