import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { extensions, toPem } from '../src/tls/certificate.ts';
import * as der from '../src/tls/der.ts';

/** A certificate of a client, with its private key. */
export interface TestCertificate {
  readonly pem: string;
  readonly keyPem: string;
  /** As nginx writes `$ssl_client_escaped_cert`. */
  readonly escaped: string;
  /** As RFC 9440 writes it. */
  readonly field: string;
  /** SHA-256, base64url. */
  readonly thumbprint: string;
  /** Another one, signed with this one's key. */
  issue(subject: Subject): TestCertificate;
}

/** From the country down, in the order of the members. */
export type Subject = Readonly<Partial<Record<keyof typeof TYPES, string>>>;

interface Options {
  readonly from?: Date;
  readonly until?: Date;
  readonly issuer?: { readonly subject: Subject; readonly key: KeyObject };
}

const TYPES = { C: '2.5.4.6', O: '2.5.4.10', OU: '2.5.4.11', CN: '2.5.4.3' } as const;
const HOUR = 3_600_000;

/** Self-signed, good from an hour ago for a day, unless said otherwise. */
export function createCertificate(subject: Subject, options: Options = {}): TestCertificate {
  const { from = new Date(Date.now() - HOUR), until = new Date(Date.now() + 24 * HOUR), issuer } = options;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der.sequence(der.objectId('1.2.840.10045.4.3.2'));
  const serial = randomBytes(16);
  serial[0] = 0x40;
  const body = der.sequence(
    der.context(0, der.integer(Buffer.of(2))),
    der.integer(serial),
    algorithm,
    nameOf(issuer?.subject ?? subject),
    der.sequence(der.time(from), der.time(until)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der.context(3, der.sequence(extensions.basicConstraints({ isAuthority: issuer === undefined }))),
  );
  const bytes = der.sequence(body, algorithm, der.bitString(sign('sha256', body, issuer?.key ?? privateKey)));
  const pem = toPem('CERTIFICATE', bytes);
  return {
    pem,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    escaped: encodeURIComponent(pem),
    field: `:${bytes.toString('base64')}:`,
    thumbprint: createHash('sha256').update(bytes).digest('base64url'),
    issue: (name) => createCertificate(name, { from, until, issuer: { subject, key: privateKey } }),
  };
}

function nameOf(subject: Subject): Buffer {
  const parts = Object.entries(TYPES).map(([type, id]) => [type, id] as const);
  const names = Object.entries(subject).map(([type, value]) => {
    const id = parts.find(([name]) => name === type)?.[1] ?? '';
    return der.setOf(der.sequence(der.objectId(id), der.utf8String(value)));
  });
  return der.sequence(...names);
}
