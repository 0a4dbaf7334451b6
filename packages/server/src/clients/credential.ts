import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { prefixedId } from '../kit/ids.ts';
import { type Json, oneOf, textOf } from '../kit/json-values.ts';
import { clientErrors } from './client-errors.ts';

export type CredentialType = 'public_key' | 'cert_subject_dn' | 'x509_cert';

export interface ClientCredential {
  readonly id: string;
  readonly clientId: string;
  readonly name: string | undefined;
  readonly credentialType: CredentialType;
  readonly kid: string | undefined;
  readonly alg: 'RS256' | 'RS384' | 'PS256' | undefined;
  readonly publicJwk: Json | undefined;
  readonly subjectDn: string | undefined;
  readonly thumbprintSha256: string | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly expiresAt: Date | undefined;
}

const LONGEST_PEM = 16_384;
const fault = (property: string, text: string) => clientErrors.invalidCredential({ property, fault: text });

/** A new credential from its wire form; everything that a key or certificate must be is checked here. */
export function readCredential(clientId: string, body: Json, now: Date): ClientCredential {
  const credentialType = oneOf(['public_key', 'cert_subject_dn', 'x509_cert'], body.credential_type) ?? 'public_key';
  const pem = textOf(body.pem);
  const key = pem === undefined ? undefined : readPem(pem, credentialType);
  if (!key && credentialType !== 'cert_subject_dn') throw fault('pem', 'Missing required property: pem');
  if (credentialType !== 'public_key' && key && !key.certificate)
    throw fault('pem', 'The PEM is not an X.509 certificate');
  const subjectDn = credentialType === 'cert_subject_dn' ? subjectOf(body, key?.certificate) : undefined;
  const isKey = credentialType !== 'cert_subject_dn' && key !== undefined;
  return {
    id: prefixedId('cred', 22),
    clientId,
    name: textOf(body.name),
    credentialType,
    kid: isKey ? (textOf(body.kid) ?? thumbprint(key.publicJwk)) : undefined,
    alg: credentialType === 'public_key' ? (oneOf(['RS256', 'RS384', 'PS256'], body.alg) ?? 'RS256') : undefined,
    publicJwk: isKey ? key.publicJwk : undefined,
    subjectDn,
    thumbprintSha256: key?.certificate
      ? createHash('sha256').update(key.certificate.raw).digest('base64url')
      : undefined,
    createdAt: now,
    updatedAt: now,
    expiresAt: expiryOf(body, key?.certificate),
  };
}

export function credentialToWire(credential: ClientCredential): Json {
  return {
    id: credential.id,
    name: credential.name,
    credential_type: credential.credentialType,
    kid: credential.kid,
    alg: credential.alg,
    subject_dn: credential.subjectDn,
    thumbprint_sha256: credential.thumbprintSha256,
    created_at: credential.createdAt.toISOString(),
    updated_at: credential.updatedAt.toISOString(),
    expires_at: credential.expiresAt?.toISOString(),
  };
}

function readPem(
  pem: string,
  credentialType: CredentialType,
): { publicJwk: Json; certificate: X509Certificate | undefined } {
  if (pem.length > LONGEST_PEM) throw fault('pem', `The PEM is longer than ${LONGEST_PEM} characters`);
  // Node would derive the public key from a private one: whoever sends us that has leaked it, and should learn so.
  if (/PRIVATE KEY/.test(pem)) throw fault('pem', 'The PEM holds a private key; send the public key or certificate');
  let key: KeyObject;
  let certificate: X509Certificate | undefined;
  try {
    certificate = pem.includes('BEGIN CERTIFICATE') ? new X509Certificate(pem) : undefined;
    key = certificate?.publicKey ?? createPublicKey({ key: pem, format: 'pem' });
  } catch (cause) {
    throw clientErrors.invalidCredential(
      { property: 'pem', fault: 'The PEM is not a public key or certificate' },
      { cause },
    );
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  const isRsa = key.asymmetricKeyType === 'rsa' && bits >= 2_048 && bits <= 8_192;
  // Assertions are signed with RSA; a certificate's key is the handshake's business.
  if (credentialType === 'public_key' && !isRsa) throw fault('pem', 'The key is not an RSA key of 2048 to 8192 bits');
  if (!isRsa && key.asymmetricKeyType !== 'ec') throw fault('pem', 'The key is neither an RSA nor an EC key');
  return { publicJwk: { ...key.export({ format: 'jwk' }) }, certificate };
}

/** RFC 7638. */
function thumbprint({ crv, e, kty, n, x, y }: Json): string {
  const members = kty === 'EC' ? { crv, kty, x, y } : { e, kty, n };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}

function subjectOf(body: Json, certificate: X509Certificate | undefined): string {
  const subject = textOf(body.subject_dn) ?? certificate?.subject.split('\n').reverse().join(',');
  if (!subject) throw fault('subject_dn', 'Missing required property: subject_dn');
  return subject;
}

function expiryOf(body: Json, certificate: X509Certificate | undefined): Date | undefined {
  if (body.parse_expiry_from_cert === true) {
    if (!certificate) throw fault('parse_expiry_from_cert', 'The PEM is not an X.509 certificate');
    return new Date(certificate.validTo);
  }
  return body.expires_at === undefined || body.expires_at === null ? undefined : readDate(body.expires_at);
}

export function readDate(value: unknown): Date {
  const date = new Date(textOf(value) ?? Number.NaN);
  const year = date.getUTCFullYear();
  if (Number.isNaN(year) || year < 1970 || year > 9999) throw fault('expires_at', 'Not a date and time');
  return date;
}
