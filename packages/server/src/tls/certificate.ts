import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { promisify } from 'node:util';
import * as der from './der.ts';

export interface CertificateRequest {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  /** The issuer's key, RSA or P-256; SHA-256 is used with both. */
  readonly signingKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions?: readonly Buffer[];
}

const signAsync = promisify(sign);

/** Makes an X.509 certificate of version 3 (RFC 5280 section 4.1), DER. Signing runs on the libuv pool. */
export async function makeCertificate(request: CertificateRequest): Promise<Buffer> {
  const algorithm = signatureAlgorithm(request.signingKey);
  const serial = randomBytes(16);
  serial[0] = (serial.readUInt8(0) & 0x7f) | 0x40; // positive, and always 16 bytes
  const body = der.sequence(
    der.context(0, der.integer(Buffer.of(2))),
    der.integer(serial),
    algorithm,
    commonName(request.issuer),
    der.sequence(der.time(request.notBefore), der.time(request.notAfter)),
    commonName(request.subject),
    spki(request.publicKey),
    ...(request.extensions?.length ? [der.context(3, der.sequence(...request.extensions))] : []),
  );
  const signature = await signAsync('sha256', body, request.signingKey);
  return der.sequence(body, algorithm, der.bitString(signature));
}

/** A PKCS#7 structure that carries certificates and no signature (RFC 2315 section 9.1, "degenerate"), DER. */
export function certificatesOnly(...certificates: readonly Buffer[]): Buffer {
  const signedData = der.sequence(
    der.integer(Buffer.of(1)),
    der.setOf(),
    der.sequence(der.objectId('1.2.840.113549.1.7.1')),
    der.context(0, ...certificates),
    der.setOf(),
  );
  return der.sequence(der.objectId('1.2.840.113549.1.7.2'), der.context(0, signedData));
}

export function toPem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** The extensions that our certificates have (RFC 5280 section 4.2.1). */
export const extensions = {
  basicConstraints: ({ isAuthority }: { isAuthority: boolean }) =>
    // A path length of 0: this authority signs servers' certificates, no further authorities.
    extension('2.5.29.19', true, isAuthority ? der.sequence(der.truth(), der.integer(Buffer.of(0))) : der.sequence()),
  certificateSigning: () => extension('2.5.29.15', true, der.bitString(Buffer.of(0b0000_0110), 1)),
  digitalSignature: () => extension('2.5.29.15', true, der.bitString(Buffer.of(0b1000_0000), 7)),
  serverAuthentication: () => extension('2.5.29.37', false, der.sequence(der.objectId('1.3.6.1.5.5.7.3.1'))),
  subjectKeyId: (key: KeyObject) => extension('2.5.29.14', false, der.octetString(keyId(key))),
  authorityKeyId: (key: KeyObject) => extension('2.5.29.35', false, der.sequence(der.contextPrimitive(0, keyId(key)))),
  subjectAltName: (names: readonly string[], addresses: readonly string[]) =>
    extension(
      '2.5.29.17',
      false,
      der.sequence(...names.map(dnsName), ...addresses.map((ip) => ipAddress(bytesOf(ip)))),
    ),
  /** Critical: what does not understand the constraint must refuse the authority. A name covers itself and what is below it. */
  nameConstraints: (names: readonly string[], subnets: readonly { address: string; mask: string }[]) =>
    extension(
      '2.5.29.30',
      true,
      der.sequence(
        der.context(
          0,
          ...names.map((name) => der.sequence(dnsName(name))),
          ...subnets.map(({ address, mask }) =>
            der.sequence(ipAddress(Buffer.concat([bytesOf(address), bytesOf(mask)]))),
          ),
        ),
      ),
    ),
};

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return der.sequence(der.objectId(id), ...(critical ? [der.truth()] : []), der.octetString(value));
}

function signatureAlgorithm(key: KeyObject): Buffer {
  return key.asymmetricKeyType === 'rsa'
    ? der.sequence(der.objectId('1.2.840.113549.1.1.11'), der.nothing())
    : der.sequence(der.objectId('1.2.840.10045.4.3.2'));
}

/** RFC 5280 appendix A.1: a common name has at most 64 characters. */
function commonName(text: string): Buffer {
  return der.sequence(
    der.setOf(der.sequence(der.objectId('2.5.4.3'), der.utf8String([...text].slice(0, 64).join('')))),
  );
}

const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
const keyId = (key: KeyObject): Buffer => createHash('sha256').update(spki(key)).digest().subarray(0, 20);
const dnsName = (name: string): Buffer => der.contextPrimitive(2, Buffer.from(name, 'ascii'));
const ipAddress = (bytes: Buffer): Buffer => der.contextPrimitive(7, bytes);

/** The bytes of an address or mask; IPv6 in full or with `::`. */
function bytesOf(ip: string): Buffer {
  if (!isIPv6(ip)) return Buffer.from(ip.split('.').map(Number));
  const [head = '', tail = ''] = ip.split('::').map((half) => half.split(':').filter(Boolean).map(hextet).join(''));
  return Buffer.from(head + tail.padStart(32 - head.length, '0'), 'hex');
}

const hextet = (text: string): string => text.padStart(4, '0');
